// SPDX-License-Identifier: Apache-2.0

// Package functions renders the composition in examples/composition with
// Crossplane itself, and checks every example against its schema. The functions
// beside it are what it renders with; the end-to-end tests install them too.
//
// `make examples` runs it. Where something is rendered differently and that is as
// it should be, `go test -run TestRender -update .` writes the files in testdata.
package functions

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	examples    = "../../examples"
	composition = examples + "/composition"
	goldens     = "testdata"
)

var update = flag.Bool("update", false, "write what is rendered into the files in testdata")

func TestRender(t *testing.T) {
	bin := crossplane(t)
	functions := startFunctions(t)

	cases := map[string]struct {
		reason   string
		host     string
		observed string
	}{
		"first": {
			reason: "A new Host should compose a reservation without an address, and not be ready.",
			host:   composition + "/host.yaml",
		},
		"first-with-address": {
			reason: "The address of a new Host should be its reservation's.",
			host:   goldens + "/host-with-address.yaml",
		},
		"waiting": {
			reason:   "A Host whose reservation waits for a lease should have no address, and not be ready.",
			host:     composition + "/host.yaml",
			observed: goldens + "/observed-waiting.yaml",
		},
		"reserved": {
			reason:   "A Host should be ready when its reservation is, have the address that Kea holds, and not lay claim to the ipAddress that the provider has filled in.",
			host:     composition + "/host.yaml",
			observed: goldens + "/observed-reserved.yaml",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			args := []string{
				"composition", "render", tc.host, composition + "/composition.yaml", functions,
				"--xrd", composition + "/xrd.yaml", "--include-full-xr", "--crossplane-binary", filepath.Join(bin, "crossplane-core"),
			}
			if tc.observed != "" {
				args = append(args, "--observed-resources", tc.observed)
			}
			got := run(t, filepath.Join(bin, "crossplane"), args...)

			golden := filepath.Join(goldens, name+".golden.yaml")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatalf("cannot write the golden file: %v", err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatalf("cannot read the golden file: %v", err)
			}
			if diff := cmp.Diff(lines(string(want)), lines(got)); diff != "" {
				t.Errorf("\n%s\n%s is rendered differently from %s, -want, +got:\n%s\n"+
					"If that is as it should be: cd test/functions && go test -run TestRender -update .", tc.reason, tc.host, golden, diff)
			}
		})
	}
}

// TestValidate takes the rendered resources along: that of the composition's base
// would go unchecked otherwise.
func TestValidate(t *testing.T) {
	schemas := []string{
		"../../package/crds",
		composition + "/xrd.yaml",
		"function-patch-and-transform/package/input",
		strings.TrimSpace(run(t, "../../hack/crossplane", "crds")),
		filepath.Join(moduleDir(t, "../..", "github.com/vitistack/crds"), "crds"),
	}
	out := run(t, filepath.Join(crossplane(t), "crossplane"), "resource", "validate",
		strings.Join(schemas, ","), examples+","+goldens, "--error-on-missing-schemas", "--skip-success-results",
		// Everything is here: nothing is to be fetched.
		"--crossplane-image=", "--cache-dir", t.TempDir())
	t.Log(out)
}

// lines makes a difference readable.
func lines(s string) []string { return strings.Split(s, "\n") }
