// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestEveryFieldIsExplained makes sure that `kubectl explain` has something to
// say about every field, and that every refusal of ours says what is wrong.
func TestEveryFieldIsExplained(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(crdsDir(), "*.yaml"))
	if err != nil || len(files) != 3 {
		t.Fatalf("want a CRD for each of our three kinds in %s, got %v, %v", crdsDir(), files, err)
	}
	for _, file := range files {
		crd := readCRD(t, file)
		if len(crd.Spec.Versions) != 1 {
			t.Fatalf("%s: want one version, got %d", file, len(crd.Spec.Versions))
		}
		t.Run(crd.Spec.Names.Kind, func(t *testing.T) {
			schema := crd.Spec.Versions[0].Schema.OpenAPIV3Schema
			delete(schema.Properties, "metadata") // Kubernetes' own
			if fields := explained(t, strings.ToLower(crd.Spec.Names.Kind), schema); fields < 5 {
				t.Errorf("want all fields looked at, got %d", fields)
			}
		})
	}
}

func readCRD(t *testing.T, file string) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(data, crd); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	return crd
}

// explained checks a field and all below it, and returns how many they are.
func explained(t *testing.T, path string, schema *apiextensionsv1.JSONSchemaProps) int {
	t.Helper()
	if strings.TrimSpace(schema.Description) == "" {
		t.Errorf("%s: want a description, write one at the field's Go type", path)
	}
	for _, rule := range schema.XValidations {
		if rule.Message == "" {
			t.Errorf("%s: want a message for the rule %s", path, rule.Rule)
		}
	}
	fields := 1
	for _, name := range slices.Sorted(maps.Keys(schema.Properties)) {
		property := schema.Properties[name]
		fields += explained(t, path+"."+name, &property)
	}
	if schema.Items != nil && schema.Items.Schema != nil && len(schema.Items.Schema.Properties) > 0 {
		fields += explained(t, path+"[]", schema.Items.Schema)
	}
	return fields
}

// TestStatusTakesWhatKeaReturns: Kea accepts what our API does not, from other
// hands, and a status that is refused is a status that is lost.
func TestStatusTakesWhatKeaReturns(t *testing.T) {
	crd := readCRD(t, filepath.Join(crdsDir(), "kea.crossplane.io_keareservations.yaml"))
	status := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["status"]
	at := status.Properties["atProvider"]
	if len(at.Properties) < 10 {
		t.Fatalf("want atProvider's fields, got %d", len(at.Properties))
	}
	spec := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"].Properties["forProvider"]
	for name := range spec.Properties {
		if _, ok := at.Properties[name]; !ok {
			t.Errorf("want atProvider to have %s, as forProvider has it", name)
		}
	}
	delete(at.Properties, "servers") // its states are ours, not Kea's
	unrestricted(t, "atProvider", &at)
}

// unrestricted checks that a field and all below it take any value of their type.
func unrestricted(t *testing.T, path string, schema *apiextensionsv1.JSONSchemaProps) {
	t.Helper()
	free := apiextensionsv1.JSONSchemaProps{
		Description: schema.Description, Type: schema.Type, Format: schema.Format, Properties: schema.Properties, Items: schema.Items,
		XListType: schema.XListType, XListMapKeys: schema.XListMapKeys,
	}
	if diff := cmp.Diff(free, *schema); diff != "" {
		t.Errorf("%s: want no validation: -want, +got:\n%s", path, diff)
	}
	for name, property := range schema.Properties {
		unrestricted(t, path+"."+name, &property)
	}
	if schema.Items != nil && schema.Items.Schema != nil {
		unrestricted(t, path+"[]", schema.Items.Schema)
	}
}
