// SPDX-License-Identifier: Apache-2.0

package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/xpkg"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/spf13/afero"
)

var program = []byte("not really a program")

// tree is the project's own, with other files over it.
func tree(t *testing.T, files map[string]string) afero.Fs {
	t.Helper()
	project := afero.NewReadOnlyFs(afero.NewBasePathFs(afero.NewOsFs(), filepath.Join("..", "..")))
	fs := afero.NewCopyOnWriteFs(project, afero.NewMemMapFs())
	for path, content := range files {
		if err := afero.WriteFile(fs, path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return fs
}

func packAll(t *testing.T, fs afero.Fs) ([]v1.Image, error) {
	t.Helper()
	var out []v1.Image
	for _, p := range platforms {
		runtime, err := runtimeImage(p, program, labels("v1.2.3", "abc"))
		if err != nil {
			t.Fatal(err)
		}
		pkg, err := pack(t.Context(), fs, runtime)
		if err != nil {
			return nil, err
		}
		out = append(out, pkg)
	}
	return out, nil
}

func index(t *testing.T) v1.ImageIndex {
	t.Helper()
	packages, err := packAll(t, tree(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	i, err := indexOf(packages)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func digestOf(t *testing.T, i interface{ Digest() (v1.Hash, error) }) string {
	t.Helper()
	d, err := i.Digest()
	if err != nil {
		t.Fatal(err)
	}
	return d.String()
}

func TestPack(t *testing.T) {
	cases := map[string]struct {
		reason string
		files  map[string]string
		want   string // in the error
	}{
		"AsItIs": {
			reason: "The package and the examples of the project are what Crossplane takes.",
		},
		"ForeignObject": {
			reason: "A package may not hold what Crossplane does not install.",
			files:  map[string]string{"package/extra.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: extra}\n"},
			want:   `no kind "Namespace" is registered`,
		},
		"ObjectOfAnotherPackageType": {
			reason: "Crossplane's linter has the last word: a Configuration may hold this, a provider may not.",
			files:  map[string]string{"package/extra.yaml": "apiVersion: apiextensions.crossplane.io/v1\nkind: Composition\nmetadata: {name: extra}\n"},
			want:   "failed to lint package",
		},
		"BrokenExample": {
			reason: "An example is an object.",
			files:  map[string]string{"examples/extra.yaml": "just: a map\n"},
			want:   "failed to parse examples",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := packAll(t, tree(t, tc.files))
			if (err == nil) != (tc.want == "") || (err != nil && !strings.Contains(err.Error(), tc.want)) {
				t.Errorf("\n%s\npack(...): want an error with %q, got %v", tc.reason, tc.want, err)
			}
		})
	}
}

func TestIndex(t *testing.T) {
	i := index(t)
	if a, b := digestOf(t, i), digestOf(t, index(t)); a != b {
		t.Errorf("the same has digest %s once, and then %s", a, b)
	}
	m, err := i.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var got []v1.Platform
	for _, d := range m.Manifests {
		got = append(got, *d.Platform)
		img, err := i.Image(d.Digest)
		if err != nil {
			t.Fatal(err)
		}
		checkConfig(t, img, *d.Platform)
		checkLayers(t, img)
	}
	if diff := cmp.Diff(platforms, got); diff != "" {
		t.Errorf("platforms: -want, +got:\n%s", diff)
	}
}

func checkConfig(t *testing.T, img v1.Image, p v1.Platform) {
	t.Helper()
	cfg, err := img.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	got := []string{cfg.OS, cfg.Architecture, cfg.Config.User, strings.Join(cfg.Config.Entrypoint, " "), cfg.Config.Labels["org.opencontainers.image.version"]}
	if diff := cmp.Diff([]string{p.OS, p.Architecture, "65532:65532", "/provider", "v1.2.3"}, got); diff != "" {
		t.Errorf("configuration: -want, +got:\n%s", diff)
	}
	if !cfg.Created.IsZero() {
		t.Errorf("the image has a time: %s", cfg.Created)
	}
}

// checkLayers looks at the files of an image, and at which layers Crossplane
// finds them in.
func checkLayers(t *testing.T, img v1.Image) {
	t.Helper()
	m, err := img.Manifest()
	if err != nil {
		t.Fatal(err)
	}
	var annotations []string
	for _, l := range m.Layers {
		annotations = append(annotations, l.Annotations[xpkg.AnnotationKey])
	}
	if diff := cmp.Diff([]string{"", "", "base", "upbound"}, annotations); diff != "" {
		t.Errorf("annotations: -want, +got:\n%s", diff)
	}

	content, modes := map[string][]byte{}, map[string]int64{}
	r := tar.NewReader(mutate.Extract(img))
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			content[h.Name], _ = io.ReadAll(r)
			modes[h.Name] = h.Mode
		}
		if h.ModTime.Unix() > 0 {
			t.Errorf("%s has a time: %s", h.Name, h.ModTime)
		}
	}
	if diff := cmp.Diff(map[string]int64{"provider": 0o755, "etc/ssl/certs/ca-certificates.crt": 0o644, "package.yaml": 0o644, ".up/examples.yaml": 0o644}, modes); diff != "" {
		t.Errorf("files: -want, +got:\n%s", diff)
	}
	if !bytes.Equal(content["provider"], program) {
		t.Error("the program is not what was put in")
	}
	if !x509.NewCertPool().AppendCertsFromPEM(content["etc/ssl/certs/ca-certificates.crt"]) {
		t.Error("there are no certificate authorities")
	}
	if n := bytes.Count(content["package.yaml"], []byte("kind: CustomResourceDefinition\n")); n != 3 {
		t.Errorf("the package has %d CRDs, want 3", n)
	}
}

// What `crossplane xpkg push -f` would push is what we push.
func TestTarballs(t *testing.T) {
	packages, err := packAll(t, tree(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range packages {
		file := filepath.Join(t.TempDir(), "a.xpkg")
		if err := writeTarball(file, p); err != nil {
			t.Fatal(err)
		}
		if packages[i], err = tarball.ImageFromPath(file, nil); err != nil {
			t.Fatal(err)
		}
	}
	again, err := indexOf(packages)
	if err != nil {
		t.Fatal(err)
	}
	if want, got := digestOf(t, index(t)), digestOf(t, again); want != got {
		t.Errorf("want digest %s, got %s", want, got)
	}
}

func TestPush(t *testing.T) {
	srv := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer srv.Close()
	dir := filepath.Join(t.TempDir(), "index")
	digest, err := writeLayout(dir, index(t))
	if err != nil {
		t.Fatal(err)
	}
	ref := strings.TrimPrefix(srv.URL, "http://") + "/vitistack/provider-kea:v1.2.3"
	got, err := push(t.Context(), dir, ref)
	if err != nil {
		t.Fatal(err)
	}
	if want := ref + "@" + digest.String(); got != want {
		t.Errorf("push(...): want %s, got %s", want, got)
	}
	tag, err := name.ParseReference(ref)
	if err != nil {
		t.Fatal(err)
	}
	there, err := remote.Index(tag)
	if err != nil {
		t.Fatal(err)
	}
	m, err := there.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Manifests) != len(platforms) || digestOf(t, there) != digest.String() {
		t.Errorf("the registry has %v, with digest %s", m.Manifests, digestOf(t, there))
	}
}
