// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser/examples"
	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg/parser/yaml"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/spf13/afero"
)

// pack puts the package's YAML and the examples of a tree on top of a runtime
// image, as `crossplane xpkg build` does, with the same builder and linter.
func pack(ctx context.Context, tree afero.Fs, runtime v1.Image) (v1.Image, error) {
	p, err := yaml.New()
	if err != nil {
		return nil, fmt.Errorf("cannot make the parser of packages: %w", err)
	}
	img, _, err := xpkg.New(yamlIn(tree, "package"), yamlIn(tree, "examples"), p, examples.New()).Build(ctx, xpkg.WithBase(runtime))
	if err != nil {
		return nil, fmt.Errorf("cannot build the package: %w", err)
	}
	return img, nil
}

// yamlIn reads the YAML below a folder, in the order of its paths.
func yamlIn(tree afero.Fs, dir string) parser.Backend {
	return parser.NewFsBackend(tree, parser.FsDir(dir), parser.FsFilters(parser.SkipDirs(), parser.SkipNotYAML(), parser.SkipEmpty()))
}

// indexOf makes one package of those for several platforms, as `crossplane xpkg
// push` does: the digest is the same, whichever of the two pushes. Crossplane
// finds the layer it is after by its annotation, which a tarball cannot hold and
// the image therefore carries as a label.
func indexOf(packages []v1.Image) (v1.ImageIndex, error) {
	adds := make([]mutate.IndexAddendum, 0, len(packages))
	for _, p := range packages {
		img, err := xpkg.AnnotateLayers(p)
		if err != nil {
			return nil, fmt.Errorf("cannot annotate layers: %w", err)
		}
		cfg, err := img.ConfigFile()
		if err != nil {
			return nil, fmt.Errorf("cannot read the package's configuration: %w", err)
		}
		mediaType, err := img.MediaType()
		if err != nil {
			return nil, fmt.Errorf("cannot tell the package's media type: %w", err)
		}
		adds = append(adds, mutate.IndexAddendum{
			Add:        img,
			Descriptor: v1.Descriptor{MediaType: mediaType, Platform: &v1.Platform{OS: cfg.OS, Architecture: cfg.Architecture}},
		})
	}
	return mutate.AppendManifests(empty.Index, adds...), nil
}
