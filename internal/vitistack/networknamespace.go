// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// AllocationTypeDHCP is the type of an IPAllocation that a DHCP server serves.
const AllocationTypeDHCP = "dhcp"

// A NetworkNamespace is a network that machines are attached to.
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
	crds.NetworkNamespaceSpec `json:",inline"`

	// IPAllocation is where the network's addresses come from; nil is DHCP. Only
	// vitistack/common has it.
	IPAllocation *IPAllocation `json:"ipAllocation,omitempty"`
}

// An IPAllocation is where a network's addresses come from.
type IPAllocation struct {
	// Type is dhcp or static.
	Type string `json:"type"`

	// Provider that allocates the addresses, for example kea.
	Provider string `json:"provider,omitempty"`

	// Static has the pool of addresses of type static.
	Static *StaticAllocation `json:"static,omitempty"`

	// DHCP has settings of type dhcp.
	DHCP *DHCPAllocation `json:"dhcp,omitempty"`
}

// A StaticAllocation is a pool of static addresses. It is here so that it is kept:
// the provider ignores such networks.
type StaticAllocation struct {
	IPv4CIDR       string   `json:"ipv4CIDR"`
	IPv4Gateway    string   `json:"ipv4Gateway"`
	IPv4RangeStart string   `json:"ipv4RangeStart,omitempty"`
	IPv4RangeEnd   string   `json:"ipv4RangeEnd,omitempty"`
	DNS            []string `json:"dns,omitempty"`
	VlanID         int      `json:"vlanId,omitempty"`
	TTLSeconds     int      `json:"ttlSeconds,omitempty"`
}

// A DHCPAllocation has settings of the DHCP server.
type DHCPAllocation struct {
	// RequireClientClasses are classes that Kea additionally evaluates for clients
	// of the network's pool. kea-operator writes the list into the pools that it
	// creates. It is ignored here: a host reservation has no such list, and its
	// client-classes are those that the device is put into unconditionally.
	RequireClientClasses []string `json:"requireClientClasses,omitempty"`
}

// A NetworkNamespaceStatus is the network that is there.
type NetworkNamespaceStatus struct {
	crds.NetworkNamespaceStatus `json:",inline"`

	// Created is declared again because the embedded one is written as null
	// while it is not set.
	Created metav1.Time `json:"created,omitzero"`

	// The successor's fields.

	ObservedGeneration int64               `json:"observedGeneration,omitempty"`
	RetryCount         int                 `json:"retryCount,omitempty"`
	IPAllocationStatus *IPAllocationStatus `json:"ipAllocationStatus,omitempty"`
}

// An IPAllocationStatus says how many static addresses are left.
type IPAllocationStatus struct {
	Type           string        `json:"type,omitempty"`
	Provider       string        `json:"provider,omitempty"`
	AllocatedCount int           `json:"allocatedCount,omitempty"`
	AvailableCount int           `json:"availableCount,omitempty"`
	TotalCount     int           `json:"totalCount,omitempty"`
	AllocatedIPs   []AllocatedIP `json:"allocatedIPs,omitempty"`
}

// An AllocatedIP is a static address and the NetworkConfiguration that has it.
type AllocatedIP struct {
	IP                   string `json:"ip"`
	NetworkConfiguration string `json:"networkConfiguration"`
}

// +kubebuilder:object:root=true

// A NetworkNamespaceList holds NetworkNamespaces.
type NetworkNamespaceList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NetworkNamespace `json:"items"`
}
