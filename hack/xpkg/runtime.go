// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"encoding/pem"
	"fmt"
	"io"
	"path"
	"slices"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

const (
	programPath = "provider"

	// rootsPath is where Go looks first for the certificate authorities of the
	// system.
	rootsPath = "etc/ssl/certs/ca-certificates.crt"

	// nobody is a number, since a kubelet that is to run an image as non-root
	// cannot tell from a name whether it is.
	nobody = "65532:65532"
)

// runtimeImage is what the provider runs in: the program and the certificate
// authorities, and nothing else. It writes no files.
func runtimeImage(p v1.Platform, program []byte, labels map[string]string) (v1.Image, error) {
	// The authorities come first: a new version of the provider leaves that layer
	// where it is.
	roots, err := layer(rootsPath, 0o644, caRoots())
	if err != nil {
		return nil, err
	}
	exe, err := layer(programPath, 0o755, program)
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(empty.Image, roots, exe)
	if err != nil {
		return nil, fmt.Errorf("cannot put layers together: %w", err)
	}
	cfg, err := img.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("cannot read the image's configuration: %w", err)
	}
	cfg = cfg.DeepCopy()
	cfg.OS, cfg.Architecture = p.OS, p.Architecture
	cfg.Config = v1.Config{User: nobody, Entrypoint: []string{"/" + programPath}, WorkingDir: "/", Labels: labels}
	img, err = mutate.ConfigFile(img, cfg)
	if err != nil {
		return nil, fmt.Errorf("cannot configure the image: %w", err)
	}
	return img, nil
}

// caRoots gives Mozilla's certificate authorities, as the module that go.mod pins
// has them: those of the machine would make another image on another machine. An
// authority that is trusted within limits is left out, because a file of
// certificates cannot tell them.
func caRoots() []byte {
	var out bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}) // A buffer takes everything.
		}
	}
	return out.Bytes()
}

// layer holds one file and the folders that it is in, which not every container
// runtime would make accessible to all by itself. It has no times, and no owner
// but root.
func layer(name string, mode int64, content []byte) (v1.Layer, error) {
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	headers := []*tar.Header{{Typeflag: tar.TypeReg, Name: name, Mode: mode, Size: int64(len(content))}}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		headers = slices.Insert(headers, 0, &tar.Header{Typeflag: tar.TypeDir, Name: dir + "/", Mode: 0o755})
	}
	for _, h := range headers {
		if err := w.WriteHeader(h); err != nil {
			return nil, fmt.Errorf("cannot write the header of %s: %w", h.Name, err)
		}
	}
	if _, err := w.Write(content); err != nil {
		return nil, fmt.Errorf("cannot write %s: %w", name, err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("cannot end the layer of %s: %w", name, err)
	}
	l, err := tarball.LayerFromOpener(
		func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(buf.Bytes())), nil },
		// It is asked for several times over, and is large.
		tarball.WithCompressedCaching, tarball.WithCompressionLevel(gzip.BestCompression))
	if err != nil {
		return nil, fmt.Errorf("cannot make the layer of %s: %w", name, err)
	}
	return l, nil
}
