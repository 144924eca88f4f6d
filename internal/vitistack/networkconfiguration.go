// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ProviderKea is the provider of NetworkConfigurations whose addresses come
// from ISC Kea.
const ProviderKea = "kea"

// KeaOperatorFinalizer was put on NetworkConfigurations by kea-operator.
const KeaOperatorFinalizer = "vitistack.io/networkconfiguration-finalizer"

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
	crds.NetworkConfigurationSpec `json:",inline"`

	// NetworkNamespaceName names the NetworkNamespace to use. Only the successor
	// has it.
	NetworkNamespaceName string `json:"networkNamespaceName,omitempty"`

	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// A NetworkConfigurationStatus is what the machine got.
type NetworkConfigurationStatus struct {
	crds.NetworkConfigurationStatus `json:",inline"`

	// Created is declared again because the embedded one is written as null
	// while it is not set.
	Created metav1.Time `json:"created,omitzero"`

	NetworkInterfaces []NetworkConfigurationInterface `json:"networkInterfaces,omitempty"`
}

// A NetworkConfigurationInterface is one network interface of a machine. The
// fields that are not embedded are the successor's.
type NetworkConfigurationInterface struct {
	crds.NetworkConfigurationInterface `json:",inline"`

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
