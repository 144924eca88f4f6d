// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AllocationTypeDHCP is the type of an IPAllocation that a DHCP server serves.
const AllocationTypeDHCP = "dhcp"

// ProvisioningPhaseReady is the phase of a network that may be used.
const ProvisioningPhaseReady = "Ready"

// A NetworkNamespace is a network that machines are attached to. It has the fields that the
// provider reads, which are the same in all versions. It is never written, so that no other field
// can get lost.
//
// +kubebuilder:object:root=true
type NetworkNamespace struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   NetworkNamespaceSpec   `json:"spec,omitempty"`
	Status NetworkNamespaceStatus `json:"status,omitempty"`
}

// A NetworkNamespaceSpec is the network that is wanted.
type NetworkNamespaceSpec struct {
	// IPAllocation is where the network's addresses come from; nil is DHCP.
	// vitistack/crds lacks it.
	IPAllocation *IPAllocation `json:"ipAllocation,omitempty"`
}

// An IPAllocation is where a network's addresses come from. Of its settings of DHCP,
// requireClientClasses is ignored: kea-operator writes it into the pools that it creates, and a
// host reservation has no such list.
type IPAllocation struct {
	// Type is dhcp or static.
	Type string `json:"type"`

	// Provider that allocates the addresses, for example kea.
	Provider string `json:"provider,omitempty"`
}

// A NetworkNamespaceStatus is the network that is there.
type NetworkNamespaceStatus struct {
	IPv4Prefix string `json:"ipv4Prefix,omitempty"`

	// ProvisioningPhase is Pending, Ready or Error: nothing may act on a network before it is
	// Ready. It is empty where the CRD is older than vitistack/common v1.0.0.
	ProvisioningPhase string `json:"provisioningPhase,omitempty"`
}

// +kubebuilder:object:root=true

// A NetworkNamespaceList holds NetworkNamespaces.
type NetworkNamespaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NetworkNamespace `json:"items"`
}
