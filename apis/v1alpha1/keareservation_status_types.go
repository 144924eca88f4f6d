// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import (
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// A Lease is a device's active DHCPv4 lease.
type Lease struct {
	// IPAddress that the device has.
	// +optional
	IPAddress string `json:"ipAddress,omitempty"`

	// Expires is when the lease ends unless the device renews it. Omitted for
	// infinite leases. Updated only after it has passed, not on every renewal.
	// +optional
	Expires *metav1.Time `json:"expires,omitempty"`
}

// ServerState is the state of a reservation on one Kea server.
type ServerState string

// States of a reservation on a server.
const (
	// ServerStateReserved means that the server has the reservation as wanted.
	ServerStateReserved ServerState = "Reserved"
	// ServerStateOutOfDate means that the server has the reservation with other values.
	ServerStateOutOfDate ServerState = "OutOfDate"
	// ServerStateAbsent means that the server does not have the reservation.
	ServerStateAbsent ServerState = "Absent"
	// ServerStateBlocked means that the server cannot have the reservation; the message says why.
	ServerStateBlocked ServerState = "Blocked"
	// ServerStateUnknown means that the server does not answer.
	ServerStateUnknown ServerState = "Unknown"
)

// ServerObservation is the reservation as one Kea server has it.
type ServerObservation struct {
	// Name of the server in the provider configuration.
	Name string `json:"name"`

	// SubnetID of the subnet on this server.
	// +optional
	SubnetID *int64 `json:"subnetId,omitempty"`

	// State of the reservation on this server.
	// +kubebuilder:validation:Enum=Reserved;OutOfDate;Absent;Blocked;Unknown
	State ServerState `json:"state"`

	// Message says why state is not Reserved, and the remedy.
	// +optional
	Message string `json:"message,omitempty"`
}

// OptionObservation is a DHCPv4 option of a reservation, as Kea returns it.
type OptionObservation struct {
	// Name of the option. Empty if Kea has no definition of it.
	// +optional
	Name string `json:"name,omitempty"`

	// Code of the option.
	// +optional
	Code *int32 `json:"code,omitempty"`

	// Space that the option belongs to.
	// +optional
	Space string `json:"space,omitempty"`

	// Data of the option: values if csvFormat is true, else hexadecimal digits.
	// Kea returns nothing for an option whose definition has no data, such as
	// vendor-encapsulated-options (43), whatever it holds.
	// +optional
	Data string `json:"data,omitempty"`

	// AlwaysSend reports whether Kea sends the option to a device that does not
	// ask for it.
	// +optional
	AlwaysSend *bool `json:"alwaysSend,omitempty"`

	// NeverSend reports whether Kea keeps the option from the device.
	// +optional
	NeverSend *bool `json:"neverSend,omitempty"`

	// ClientClasses that the option is limited to.
	// +optional
	// +listType=atomic
	ClientClasses []string `json:"clientClasses,omitempty"`

	// CSVFormat reports whether data holds values or hexadecimal digits.
	// +optional
	CSVFormat *bool `json:"csvFormat,omitempty"`
}

// KeaReservationObservation is what Kea last returned: every field of forProvider,
// and the device's subnet and lease. A field that Kea has no value for is left out.
type KeaReservationObservation struct {
	// SubnetID is the subnet's id on the first server that has it.
	// +optional
	SubnetID *int64 `json:"subnetId,omitempty"`

	// Subnet of the reservation, as a prefix.
	// +optional
	Subnet string `json:"subnet,omitempty"`

	// HWAddress of the device that the reservation is for.
	// +optional
	HWAddress string `json:"hwAddress,omitempty"`

	// IPAddress that Kea has reserved for the device.
	// +optional
	IPAddress string `json:"ipAddress,omitempty"`

	// Hostname that the reservation gives the device.
	// +optional
	Hostname string `json:"hostname,omitempty"`

	// ClientClasses that the reservation puts the device into.
	// +optional
	// +listType=atomic
	ClientClasses []string `json:"clientClasses,omitempty"`

	// OptionData are the DHCPv4 options of the reservation.
	// +optional
	// +listType=atomic
	OptionData []OptionObservation `json:"optionData,omitempty"`

	// NextServer is the address of the device's boot server.
	// +optional
	NextServer string `json:"nextServer,omitempty"`

	// ServerHostname is the name of the device's boot server.
	// +optional
	ServerHostname string `json:"serverHostname,omitempty"`

	// BootFileName is the file that the device boots.
	// +optional
	BootFileName string `json:"bootFileName,omitempty"`

	// Gateway is the first router that the subnet's own options name.
	// +optional
	Gateway string `json:"gateway,omitempty"`

	// DNSServers are the name servers that the subnet's own options name.
	// +optional
	// +listType=atomic
	DNSServers []string `json:"dnsServers,omitempty"`

	// Lease is the device's newest active lease inside the subnet.
	// +optional
	Lease *Lease `json:"lease,omitempty"`

	// Servers are the reservation's states on each Kea server.
	// +optional
	// +listType=map
	// +listMapKey=name
	Servers []ServerObservation `json:"servers,omitempty"`
}

// A KeaReservationStatus is the observed state of a KeaReservation.
type KeaReservationStatus struct {
	xpv2.ManagedResourceStatus `json:",inline"`

	// AtProvider is the host reservation as Kea last returned it. It stays while
	// Kea cannot be reached.
	// +optional
	AtProvider KeaReservationObservation `json:"atProvider,omitempty"`
}
