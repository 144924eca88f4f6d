// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProviderKea is the provider of NetworkConfigurations whose addresses come
// from ISC Kea.
const ProviderKea = "kea"

// KeaOperatorFinalizer was put on NetworkConfigurations by kea-operator, and
// OldKeaOperatorFinalizer by its versions up to 0.0.12, which never replaced it.
const (
	KeaOperatorFinalizer    = "vitistack.io/networkconfiguration-finalizer"
	OldKeaOperatorFinalizer = "networkconfiguration.finalizers.vitistack.io"
)

// KeaOperatorFinalizers returns both of them.
func KeaOperatorFinalizers() []string {
	return []string{KeaOperatorFinalizer, OldKeaOperatorFinalizer}
}

// Phases of a NetworkConfiguration.
const (
	PhaseReconciling = "Reconciling"
	PhaseReady       = "Ready"
	PhaseError       = "Error"
)

// Values of a NetworkConfiguration's status.status.
const (
	StatusInProgress = "InProgress"
	StatusSuccess    = "Success"
	StatusFailed     = "Failed"
)

// ConditionReady is the type of a NetworkConfiguration's condition, with its
// reasons.
const (
	ConditionReady    = "Ready"
	ReasonReconciling = "Reconciling"
	ReasonConfigured  = "Configured"
	ReasonError       = "Error"
)

// AllocationMethod is where an interface's address comes from.
type AllocationMethod string

// Where an interface's address may come from.
const (
	AllocationMethodDHCP   AllocationMethod = "dhcp"
	AllocationMethodStatic AllocationMethod = "static"
)

// A NetworkConfiguration describes the network interfaces of a machine.
//
// +kubebuilder:object:root=true
type NetworkConfiguration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   NetworkConfigurationSpec   `json:"spec,omitempty"`
	Status NetworkConfigurationStatus `json:"status,omitempty"`
}

// A NetworkConfigurationSpec is what the machine needs.
type NetworkConfigurationSpec struct {
	Name                 string `json:"name"`
	Description          string `json:"description,omitempty"`
	DatacenterIdentifier string `json:"datacenterIdentifier,omitempty"`
	SupervisorIdentifier string `json:"supervisorIdentifier,omitempty"`
	ClusterIdentifier    string `json:"clusterIdentifier,omitempty"`

	// Provider that allocates the addresses, for example kea.
	Provider string `json:"provider,omitempty"`

	// NetworkNamespaceName names the NetworkNamespace to use. vitistack/crds lacks it.
	NetworkNamespaceName string `json:"networkNamespaceName,omitempty"`

	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// A NetworkConfigurationStatus is what the machine got.
type NetworkConfigurationStatus struct {
	Conditions        []metav1.Condition              `json:"conditions,omitempty"`
	Phase             string                          `json:"phase,omitempty"`
	Status            string                          `json:"status,omitempty"`
	Message           string                          `json:"message,omitempty"`
	Created           metav1.Time                     `json:"created,omitzero"`
	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// A NetworkConfigurationInterface is one network interface of a machine. It has every field of
// the CRDs, as a list of interfaces is written as a whole.
type NetworkConfigurationInterface struct {
	Name          string   `json:"name,omitempty"`
	MacAddress    string   `json:"macAddress,omitempty"`
	IPv4Addresses []string `json:"ipv4Addresses,omitempty"`
	IPv6Addresses []string `json:"ipv6Addresses,omitempty"`
	Vlan          string   `json:"vlan,omitempty"`
	IPv4Subnet    string   `json:"ipv4Subnet,omitempty"`
	IPv6Subnet    string   `json:"ipv6Subnet,omitempty"`
	IPv4Gateway   string   `json:"ipv4Gateway,omitempty"`
	IPv6Gateway   string   `json:"ipv6Gateway,omitempty"`
	DNS           []string `json:"dns,omitempty"`
	DHCPReserved  bool     `json:"dhcpReserved,omitempty"`

	// vitistack/crds lacks what follows.

	// IPAllocated reports whether the interface has an address.
	IPAllocated bool `json:"ipAllocated,omitempty"`

	// AllocationMethod is where the address comes from.
	AllocationMethod AllocationMethod `json:"allocationMethod,omitempty"`

	// AllocationExpiry is when a static address expires.
	AllocationExpiry *metav1.Time `json:"allocationExpiry,omitempty"`
}

// +kubebuilder:object:root=true

// A NetworkConfigurationList holds NetworkConfigurations.
type NetworkConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []NetworkConfiguration `json:"items"`
}
