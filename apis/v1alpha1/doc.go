// SPDX-License-Identifier: Apache-2.0

// Package v1alpha1 is the API of provider-kea: host reservations of ISC Kea's
// DHCPv4 server as managed resources, and the configurations that name the Kea
// servers.
//
//	KeaReservation ──spec.providerConfigRef──▶ ClusterProviderConfig, ProviderConfig
//	   spec.forProvider    what Kea should have      spec    servers, credentials
//	   status.atProvider   what Kea returns          status  version, problems, warnings, users
//
// What Kea or its database would refuse is refused by validation rules (CEL) in the
// types. The rules of the API are tested against a real API server, those of Kea
// were tried on Kea 3.0.3. There is no code here but accessors, and no locking: an
// object belongs to its caller.
//
// +kubebuilder:object:generate=true
// +groupName=kea.crossplane.io
// +versionName=v1alpha1
package v1alpha1
