// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/afero"
)

// platforms are those that the Makefile builds programs for.
var platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

// build makes a package for each platform, and the index of them all.
func build(ctx context.Context, out io.Writer, tree string, labels map[string]string) error {
	output := outputIn(tree)
	packages := make([]v1.Image, 0, len(platforms))
	for _, p := range platforms {
		name := p.OS + "-" + p.Architecture
		program, err := os.ReadFile(filepath.Join(output, "provider-"+name)) //nolint:gosec // The Makefile names the tree.
		if err != nil {
			return fmt.Errorf("cannot read the program for %s: %w", name, err)
		}
		runtime, err := runtimeImage(p, program, labels)
		if err != nil {
			return err
		}
		pkg, err := pack(ctx, afero.NewBasePathFs(afero.NewOsFs(), tree), runtime)
		if err != nil {
			return err
		}
		file := filepath.Join(output, "provider-kea-"+name+".xpkg")
		if err := writeTarball(file, pkg); err != nil {
			return err
		}
		bytes, err := size(pkg)
		if err != nil {
			return err
		}
		_, _ = fmt.Fprintf(out, "%s: an image of %.1f MB\n", filepath.Base(file), float64(bytes)/1e6)
		packages = append(packages, pkg)
	}
	index, err := indexOf(packages)
	if err != nil {
		return err
	}
	digest, err := writeLayout(layoutIn(output), index)
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "index: %s\n", digest)
	return nil
}

// size is what of an image a node downloads.
func size(img v1.Image) (int64, error) {
	m, err := img.Manifest()
	if err != nil {
		return 0, fmt.Errorf("cannot read the package's manifest: %w", err)
	}
	n := m.Config.Size
	for _, l := range m.Layers {
		n += l.Size
	}
	return n, nil
}

// writeTarball writes what `crossplane xpkg push` reads.
func writeTarball(file string, pkg v1.Image) (err error) {
	f, err := os.Create(file) //nolint:gosec // The Makefile names the tree.
	if err != nil {
		return fmt.Errorf("cannot create the package: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if err := tarball.Write(nil, pkg, f); err != nil {
		return fmt.Errorf("cannot write %s: %w", file, err)
	}
	return nil
}

// writeLayout writes an OCI layout with one entry, the index, which is what
// other tools can copy from there too.
func writeLayout(dir string, index v1.ImageIndex) (v1.Hash, error) {
	// What an earlier build has left would never be read, but kept.
	if err := os.RemoveAll(dir); err != nil {
		return v1.Hash{}, fmt.Errorf("cannot remove the earlier index: %w", err)
	}
	l, err := layout.Write(dir, empty.Index)
	if err != nil {
		return v1.Hash{}, fmt.Errorf("cannot create %s: %w", dir, err)
	}
	if err := l.AppendIndex(index); err != nil {
		return v1.Hash{}, fmt.Errorf("cannot write the index to %s: %w", dir, err)
	}
	digest, err := index.Digest()
	if err != nil {
		return v1.Hash{}, fmt.Errorf("cannot tell the digest of the index: %w", err)
	}
	return digest, nil
}

// push writes the index in a layout, and its images, to a registry, with the
// credentials of ~/.docker/config.json. A private address is talked to without
// TLS.
func push(ctx context.Context, dir, ref string) (string, error) {
	tag, err := name.NewTag(ref, name.StrictValidation)
	if err != nil {
		return "", fmt.Errorf("cannot push to %s: %w", ref, err)
	}
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", dir, err)
	}
	entries, err := root.IndexManifest()
	if err != nil {
		return "", fmt.Errorf("cannot read %s: %w", dir, err)
	}
	if len(entries.Manifests) != 1 {
		return "", fmt.Errorf("cannot tell what to push: %s has %d entries, and should have one", dir, len(entries.Manifests))
	}
	digest := entries.Manifests[0].Digest
	index, err := root.ImageIndex(digest)
	if err != nil {
		return "", fmt.Errorf("cannot read the index in %s: %w", dir, err)
	}
	if err := remote.WriteIndex(tag, index, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return "", fmt.Errorf("cannot push to %s: %w", ref, err)
	}
	return tag.Name() + "@" + digest.String(), nil
}
