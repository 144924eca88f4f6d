// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// release is a release of VitiStack's CRDs, and which fields of ours it lacks.
type release struct {
	networkConfigurations, networkNamespaces string // files

	// version that NetworkNamespaces are read in, of those that are served.
	version string
	served  []string

	// lacksNC and lacksNN are fields that other releases have.
	lacksNC, lacksNN []string
}

// added are the fields of an interface that vitistack/common added.
func added(of string) []string {
	return []string{of + ".networkInterfaces[].allocationExpiry", of + ".networkInterfaces[].allocationMethod", of + ".networkInterfaces[].ipAllocated"}
}

// releases returns those that the types have to fit. The first one's CRDs come with vitistack/crds;
// those of vitistack/common, which cannot be imported, were written by hand and held to the real
// ones.
func releases(t *testing.T) map[string]release {
	t.Helper()
	dir, err := testenv.VitiStackCRDs()
	if err != nil {
		t.Fatal(err)
	}
	module := func(kind string) string { return filepath.Join(dir, "vitistack.io_"+kind+".yaml") }
	return map[string]release{
		"v0.3.5": {
			networkConfigurations: module("networkconfigurations"), networkNamespaces: module("networknamespaces"),
			version: "v1alpha1", served: []string{"v1alpha1"},
			lacksNC: slices.Concat(added("spec"), []string{"spec.networkNamespaceName"}, added("status")),
			lacksNN: []string{"spec.ipAllocation", "spec.ipAllocation.provider", "spec.ipAllocation.type", "status.provisioningPhase"},
		},
		"v0.8.70": {
			networkConfigurations: "testdata/networkconfigurations.yaml", networkNamespaces: "testdata/networknamespaces-v0.8.70.yaml",
			version: "v1alpha1", served: []string{"v1alpha1"},
			lacksNN: []string{"status.provisioningPhase"},
		},
		"v1.0.0": {
			networkConfigurations: "testdata/networkconfigurations.yaml", networkNamespaces: "testdata/networknamespaces-v1.0.0.yaml",
			version: "v1alpha2", served: []string{"v1alpha1", "v1alpha2"},
		},
	}
}

// TestFieldsOfCRDs: each field has the type that every CRD has for it, and no field of a
// NetworkConfiguration is unknown, as it would be lost when a list is written.
func TestFieldsOfCRDs(t *testing.T) {
	for name, r := range releases(t) {
		t.Run(name, func(t *testing.T) {
			ours := fieldsOf(reflect.TypeFor[NetworkConfiguration]())
			there := properties(readCRD(t, r.networkConfigurations), GroupVersion.Version)
			compare(t, "NetworkConfiguration", ours, there, r.lacksNC)
			if diff := cmp.Diff([]string(nil), without(there, ours)); diff != "" {
				t.Errorf("NetworkConfiguration: fields that the types lack: -want, +got:\n%s", diff)
			}

			crd := readCRD(t, r.networkNamespaces)
			if got := NetworkNamespaceVersion(crd); got != r.version {
				t.Errorf("NetworkNamespaceVersion(...): want %s, got %s", r.version, got)
			}
			for _, version := range r.served {
				compare(t, "NetworkNamespace "+version, fieldsOf(reflect.TypeFor[NetworkNamespace]()), properties(crd, version), r.lacksNN)
			}
		})
	}
}

// TestFieldsOfModule: what vitistack/crds has is here under the same name and with the same type.
func TestFieldsOfModule(t *testing.T) {
	r := releases(t)["v0.3.5"]
	ours, theirs := fieldsOf(reflect.TypeFor[NetworkConfiguration]()), fieldsOf(reflect.TypeFor[crds.NetworkConfiguration]())
	compare(t, "NetworkConfiguration", ours, theirs, r.lacksNC)
	if diff := cmp.Diff([]string(nil), without(theirs, ours)); diff != "" {
		t.Errorf("NetworkConfiguration: fields that the types lack: -want, +got:\n%s", diff)
	}
	compare(t, "NetworkNamespace", fieldsOf(reflect.TypeFor[NetworkNamespace]()), fieldsOf(reflect.TypeFor[crds.NetworkNamespace]()), r.lacksNN)
	if GroupVersion != crds.GroupVersion {
		t.Errorf("GroupVersion: want %s, got %s", crds.GroupVersion, GroupVersion)
	}
}

// compare compares the fields that are on both sides, and which of ours are not there.
func compare(t *testing.T, what string, ours, there map[string]string, lacks []string) {
	t.Helper()
	if diff := cmp.Diff(lacks, without(ours, there)); diff != "" {
		t.Errorf("%s: fields that are not there: -want, +got:\n%s", what, diff)
	}
	common := maps.Clone(there)
	maps.DeleteFunc(common, func(path, _ string) bool { return ours[path] == "" })
	kept := maps.Clone(ours)
	maps.DeleteFunc(kept, func(path, _ string) bool { return there[path] == "" })
	if diff := cmp.Diff(common, kept); diff != "" {
		t.Errorf("%s: types: -there, +ours:\n%s", what, diff)
	}
}

// without returns the paths that are in a and not in b.
func without(a, b map[string]string) []string {
	var out []string
	for _, path := range slices.Sorted(maps.Keys(a)) {
		if _, ok := b[path]; !ok {
			out = append(out, path)
		}
	}
	return out
}

// fieldsOf returns the JSON types of the fields under spec and status of a kind.
func fieldsOf(kind reflect.Type) map[string]string {
	out := map[string]string{}
	for _, part := range []string{"Spec", "Status"} {
		f, _ := kind.FieldByName(part)
		addFields(out, strings.ToLower(part), f.Type)
	}
	return out
}

func addFields(out map[string]string, path string, t reflect.Type) {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch {
	case t == reflect.TypeFor[metav1.Time]() || t.Kind() == reflect.String:
		out[path] = "string"
	case t.Kind() == reflect.Bool:
		out[path] = "boolean"
	case t.Kind() == reflect.Slice:
		out[path] = "array"
		addFields(out, path+"[]", t.Elem())
	case t.Kind() == reflect.Struct:
		out[path] = "object"
		for f := range t.Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			addFields(out, path+"."+name, f.Type)
		}
	default:
		out[path] = "integer"
	}
}

// properties returns the same of a version's schema.
func properties(crd *extv1.CustomResourceDefinition, version string) map[string]string {
	out := map[string]string{}
	for _, part := range []string{"spec", "status"} {
		addProperties(out, part, property(schemaOf(crd, version), part))
	}
	return out
}

func addProperties(out map[string]string, path string, s *extv1.JSONSchemaProps) {
	if s == nil {
		return
	}
	out[path] = s.Type
	if s.Items != nil {
		addProperties(out, path+"[]", s.Items.Schema)
	}
	for name := range s.Properties {
		addProperties(out, path+"."+name, property(s, name))
	}
}

// readCRD returns the CRD in a file.
func readCRD(t *testing.T, file string) *extv1.CustomResourceDefinition {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	crd := &extv1.CustomResourceDefinition{}
	if err := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(b), len(b)).Decode(crd); err != nil {
		t.Fatal(err)
	}
	return crd
}
