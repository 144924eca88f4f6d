// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of provider-kea: host reservations of ISC Kea's
// DHCPv4 server as managed resources, and the configurations that tell which
// Kea servers hold them.
//
// +kubebuilder:object:generate=true
// +groupName=kea.crossplane.io
// +versionName=v1alpha1
package v1alpha1
