// SPDX-License-Identifier: Apache-2.0

package reservation

// State is how a reservation stands, over all servers or on one of them.
type State string

// States of a reservation.
const (
	// Reserved means that Kea holds it as wanted, and will honor it.
	Reserved State = "Reserved"
	// Unknown means that the server cannot be asked now.
	Unknown State = "Unknown"
	// Pending means that the plan has steps that lead to Reserved.
	Pending State = "Pending"
	// AwaitingLease means that no address is given, and that the device has no lease to take one
	// from.
	AwaitingLease State = "AwaitingLease"
	// IgnoredByKea means that Kea holds it and is configured to ignore it.
	IgnoredByKea State = "IgnoredByKea"
	// HookMissing means that Kea lacks a hook library that the reservation needs.
	HookMissing State = "HookMissing"
	// SubnetNotFound means that no server has the subnet.
	SubnetNotFound State = "SubnetNotFound"
	// AddressNotInSubnet means that the subnet does not have the address, or that no host can use
	// it.
	AddressNotInSubnet State = "AddressNotInSubnet"
	// AddressConflict means that the address is reserved for another host.
	AddressConflict State = "AddressConflict"
	// OpaqueOption means that Kea holds an option without returning its content, which a change of
	// the reservation would erase.
	OpaqueOption State = "OpaqueOption"
	// Refused means that Kea did not accept the change when it was last sent.
	Refused State = "Refused"
	// OwnedByAnother means that the reservation is marked as owned by another resource.
	OwnedByAnother State = "OwnedByAnother"
	// KeptByAnother is OwnedByAnother where the resource may not take it over.
	KeptByAnother State = "KeptByAnother"
	// NotAllowed means that the resource may not use the subnet.
	NotAllowed State = "NotAllowed"
	// AdoptionNotAllowed means that there is a reservation already, and that the resource may take
	// over none.
	AdoptionNotAllowed State = "AdoptionNotAllowed"
	// AddressDiffers means that there is a reservation without a mark, and with another address.
	AddressDiffers State = "AddressDiffers"
)

// Info is what a State means outside this package.
type Info struct {
	// Blocked reports that the reservation cannot be made until something changes.
	Blocked bool
	// Held reports that Kea holds the reservation as wanted.
	Held bool
	// Foreign reports that what Kea holds for the device is not to be taken for the resource's.
	Foreign bool
	// Reason of the Ready condition (apis/v1alpha1), which is True for Reserved alone; empty where
	// the condition depends on more.
	Reason string
	// Remedy is what the user can do, to follow the message; empty where the message has it.
	Remedy string
	// Server is the state of the reservation on a server (apis/v1alpha1, ServerState); empty where
	// it depends on whether the server has a reservation of the device.
	Server string
}

// States of a reservation on a server that several states share.
const (
	serverReserved = string(Reserved)
	serverBlocked  = "Blocked"
)

// Reasons that several states share.
const (
	reasonOwned      = "OwnedByAnother"
	reasonNotAllowed = "NotAllowed"
)

// accessRemedy is what users can do about what they may not.
const accessRemedy = "who manages the provider configuration can allow it in spec.access"

var states = map[State]Info{
	Reserved: {Held: true, Reason: string(Reserved), Server: serverReserved},
	Unknown:  {Server: "Unknown"},
	Pending:  {},
	AwaitingLease: {
		Blocked: true, Reason: "AwaitingLease",
		Remedy: "its address is reserved as soon as it has one; set spec.forProvider.ipAddress to reserve an address before",
	},
	IgnoredByKea: {Held: true, Reason: "IgnoredByKea", Server: serverReserved},
	HookMissing:  {Blocked: true, Reason: "HookMissing", Server: serverBlocked},
	SubnetNotFound: {
		Blocked: true, Reason: "SubnetNotFound", Server: serverBlocked,
		Remedy: "add the subnet to Kea, or create a KeaReservation in a subnet that Kea has",
	},
	AddressNotInSubnet: {
		Blocked: true, Reason: "AddressNotInSubnet", Server: serverBlocked,
		Remedy: "set spec.forProvider.ipAddress to a host address of the subnet",
	},
	AddressConflict: {Blocked: true, Reason: "AddressConflict", Server: serverBlocked},
	OpaqueOption:    {Blocked: true, Reason: "OpaqueOption", Server: serverBlocked},
	Refused: {
		Blocked: true, Reason: "Refused", Server: serverBlocked,
		Remedy: "correct spec.forProvider, or what Kea refuses; the change is sent again when the spec changes or the provider restarts",
	},
	OwnedByAnother: {
		Blocked: true, Foreign: true, Reason: reasonOwned, Server: serverBlocked,
		Remedy: "delete that resource first, or set kea.crossplane.io/adopt: \"true\" here, and remove it from the other resource",
	},
	KeptByAnother: {
		Blocked: true, Foreign: true, Reason: reasonOwned, Server: serverBlocked,
		Remedy: "delete that resource first, or have it allowed: " + accessRemedy,
	},
	NotAllowed: {Blocked: true, Foreign: true, Reason: reasonNotAllowed, Server: serverBlocked, Remedy: accessRemedy},
	AdoptionNotAllowed: {
		Blocked: true, Foreign: true, Reason: reasonNotAllowed, Server: serverBlocked,
		Remedy: "remove that reservation from Kea, or have it allowed: " + accessRemedy,
	},
	AddressDiffers: {
		Blocked: true, Reason: "AddressDiffers", Server: serverBlocked,
		Remedy: "set spec.forProvider.ipAddress to the address in Kea, or kea.crossplane.io/adopt: \"true\" here to have it changed",
	},
}

// InfoOf returns what a state means; the zero Info for a state that does not exist.
func InfoOf(s State) Info { return states[s] }

// Blocks reports whether a reservation cannot be made until something changes, where the Ready
// condition has a reason.
func Blocks(reason string) bool {
	for _, info := range states {
		if info.Blocked && info.Reason == reason {
			return true
		}
	}
	return false
}

// States returns all states, for tests of the tables that must cover them.
func States() []State {
	out := make([]State, 0, len(states))
	for s := range states {
		out = append(out, s)
	}
	return out
}
