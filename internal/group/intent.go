// SPDX-License-Identifier: Apache-2.0

package group

import (
	"net/netip"
	"strconv"

	"github.com/vitistack/provider-kea/internal/kea"
)

// SubnetRef names a subnet: by prefix, or where that is the zero value by
// Kea's subnet-id.
type SubnetRef struct {
	Prefix netip.Prefix
	ID     uint32
}

// String gives the prefix, or the subnet-id.
func (r SubnetRef) String() string {
	if r.Prefix.IsValid() {
		return r.Prefix.String()
	}
	return "subnet-id " + strconv.FormatUint(uint64(r.ID), 10)
}

// Intent is a host reservation as somebody wants it. A field that is nil is not
// managed: what Kea has there stays.
type Intent struct {
	Subnet    SubnetRef
	HWAddress kea.HWAddress

	// Address to reserve. The zero Addr asks for the address that is already
	// reserved for the device, or else the one of its active lease.
	Address netip.Addr

	Hostname       *string
	NextServer     *string
	ServerHostname *string
	BootFileName   *string
	// ClientClasses is managed as a whole where it is not nil.
	ClientClasses []string
	// OptionData is managed option by option; options it does not name stay.
	OptionData []kea.OptionData

	// Resource that wants it, as "namespace/name"; it goes into the mark.
	Resource string
	// Adopt takes over a reservation that is marked as somebody else's.
	Adopt bool
}

// State tells how a reservation stands.
type State string

// States of a reservation.
const (
	// Reserved means that Kea holds it as wanted.
	Reserved State = "Reserved"
	// Pending means that Kea is to be written to.
	Pending State = "Pending"
	// AwaitingLease means that no address is given, and the device has no lease to take one from.
	AwaitingLease State = "AwaitingLease"
	// SubnetNotFound means that Kea does not have the subnet.
	SubnetNotFound State = "SubnetNotFound"
	// AddressConflict means that the address is reserved for another host.
	AddressConflict State = "AddressConflict"
	// AddressNotInSubnet means that the subnet does not have the address, or that no host can have it.
	AddressNotInSubnet State = "AddressNotInSubnet"
	// OwnedByAnother means that Kea's reservation is marked as somebody else's.
	OwnedByAnother State = "OwnedByAnother"
	// HookMissing means that Kea lacks a hook library without which the reservation cannot be made.
	HookMissing State = "HookMissing"
	// Unknown means that the server could not be asked.
	Unknown State = "Unknown"
)

// Observation is what the servers of a group hold of an intent.
type Observation struct {
	// State of the servers together, and why where it is not Reserved.
	State   State
	Message string

	// Exists tells whether a server holds a reservation of the device in the
	// subnet that is not marked as somebody else's.
	Exists bool
	// Write tells whether Ensure has something to do, Diff what.
	Write bool
	Diff  string

	// Address that is reserved or to be; the zero Addr if none is known.
	Address netip.Addr
	// Held is the reservation on the first server that has one; the zero value
	// where none has. It may be somebody else's.
	Held kea.Reservation
	// Subnet on the first server that has it.
	Subnet kea.Subnet
	// Detail is what the subnet gives its devices; nil where that is not known.
	Detail *kea.SubnetDetail

	// Lease is the device's newest active lease in the subnet; nil if none.
	Lease *kea.Lease
	// LeasesKnown is false where no server tells its leases.
	LeasesKnown bool

	// Servers tells how each server stands, in the order of the configuration.
	Servers []ServerObservation
}

// ServerObservation tells how one server stands to an intent.
type ServerObservation struct {
	Name     string
	SubnetID uint32
	State    State
	Message  string
	// Exists tells whether this server holds a reservation of the device.
	Exists bool
}
