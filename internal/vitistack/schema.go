// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	"slices"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// HasAllocationFields reports whether a NetworkConfiguration's CRD keeps what vitistack/common
// added to an interface's status. An old CRD prunes it, so that a writer who compares what it
// wrote with what it reads would write forever.
func HasAllocationFields(crd *extv1.CustomResourceDefinition) bool {
	interfaces := property(property(schemaOf(crd, GroupVersion.Version), "status"), "networkInterfaces")
	if interfaces == nil || interfaces.Items == nil {
		return false
	}
	return property(interfaces.Items.Schema, "allocationMethod") != nil
}

// HasIPAllocation reports whether a NetworkNamespace's CRD has spec.ipAllocation in a version. An
// old CRD prunes it, so that it cannot be set.
func HasIPAllocation(crd *extv1.CustomResourceDefinition, version string) bool {
	return property(property(schemaOf(crd, version), "spec"), "ipAllocation") != nil
}

// NetworkNamespaceVersion returns the best version that a NetworkNamespace's CRD serves, or "".
func NetworkNamespaceVersion(crd *extv1.CustomResourceDefinition) string {
	for _, want := range NetworkNamespaceVersions {
		if slices.ContainsFunc(crd.Spec.Versions, func(v extv1.CustomResourceDefinitionVersion) bool { return v.Served && v.Name == want }) {
			return want
		}
	}
	return ""
}

// schemaOf returns the schema of a version, or nil.
func schemaOf(crd *extv1.CustomResourceDefinition, version string) *extv1.JSONSchemaProps {
	for _, v := range crd.Spec.Versions {
		if v.Name == version && v.Schema != nil {
			return v.Schema.OpenAPIV3Schema
		}
	}
	return nil
}

func property(s *extv1.JSONSchemaProps, name string) *extv1.JSONSchemaProps {
	if s == nil {
		return nil
	}
	p, ok := s.Properties[name]
	if !ok {
		return nil
	}
	return &p
}

// WithoutAllocation returns the interfaces as an old CRD keeps them.
func WithoutAllocation(in []NetworkConfigurationInterface) []NetworkConfigurationInterface {
	out := slices.Clone(in)
	for i := range out {
		out[i].IPAllocated, out[i].AllocationMethod, out[i].AllocationExpiry = false, "", nil
	}
	return out
}
