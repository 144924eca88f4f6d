// SPDX-License-Identifier: Apache-2.0

package gate

import "github.com/vitistack/provider-kea/apis/v1alpha1"

// The CRDs of the provider's own kinds. Crossplane creates those that come with the package at
// about the time when it starts the provider, and so does kubectl apply without Crossplane.
var (
	ProviderConfigs        = packaged("providerconfigs")
	ClusterProviderConfigs = packaged("clusterproviderconfigs")

	// KeaReservations is created by Crossplane from the package's ManagedResourceDefinition.
	KeaReservations = CRD{
		GroupVersionResource: v1alpha1.KeaReservationGroupResource.WithVersion(v1alpha1.SchemeGroupVersion.Version),
		Remedy:               "have a ManagedResourceActivationPolicy of Crossplane activate it, or apply package/crds without Crossplane",
	}
)

// packaged returns the CRD of a resource of ours that is created with the package.
func packaged(resource string) CRD {
	return CRD{
		GroupVersionResource: v1alpha1.SchemeGroupVersion.WithResource(resource),
		Remedy:               "it comes with the package in Crossplane; apply package/crds without Crossplane",
	}
}
