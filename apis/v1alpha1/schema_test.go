// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

// TestEveryFieldIsExplained makes sure that `kubectl explain` has something to
// say about every field, and that every refusal of ours says what is wrong.
func TestEveryFieldIsExplained(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(crdsDir(), "*.yaml"))
	if err != nil || len(files) != 4 {
		t.Fatalf("want a CRD for each of our four kinds in %s, got %v, %v", crdsDir(), files, err)
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
