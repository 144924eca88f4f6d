// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// HasAllocationFields reports whether a NetworkConfiguration's CRD keeps what the
// successor added to an interface's status. An old CRD prunes it, so that a
// writer who compares what it wrote with what it reads would write forever.
func HasAllocationFields(crd *extv1.CustomResourceDefinition) bool {
	for _, v := range crd.Spec.Versions {
		if v.Name != GroupVersion.Version || v.Schema == nil {
			continue
		}
		interfaces := property(property(v.Schema.OpenAPIV3Schema, "status"), "networkInterfaces")
		if interfaces == nil || interfaces.Items == nil {
			return false
		}
		return property(interfaces.Items.Schema, "allocationMethod") != nil
	}
	return false
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
	if in == nil {
		return nil
	}
	out := make([]NetworkConfigurationInterface, len(in))
	for i := range in {
		out[i].NetworkConfigurationInterface = in[i].NetworkConfigurationInterface
	}
	return out
}
