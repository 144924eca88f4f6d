// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"net/netip"
	"strconv"

	"github.com/vitistack/provider-kea/internal/kea"
)

// SubnetRef names a subnet: by prefix, or where that is the zero value by Kea's subnet-id.
type SubnetRef struct {
	Prefix netip.Prefix
	ID     uint32
}

// String returns the prefix, or the subnet-id.
func (r SubnetRef) String() string {
	if r.Prefix.IsValid() {
		return r.Prefix.String()
	}
	return "subnet-id " + strconv.FormatUint(uint64(r.ID), 10)
}

// Intent is a host reservation as a resource wants it. A field that is nil is not managed: what Kea
// has there stays.
type Intent struct {
	Subnet    SubnetRef
	HWAddress kea.HWAddress

	// Address to reserve. The zero Addr asks for the address that is already reserved for the
	// device, or else for the one of its active lease.
	Address netip.Addr
	// LateInitialized means that Address was filled in just now, from what was known of the device
	// then: it gives way to the address of a reservation that turns up.
	LateInitialized bool

	Hostname       *string
	NextServer     *string
	ServerHostname *string
	BootFileName   *string
	// ClientClasses is managed as a whole where it is not nil.
	ClientClasses []string
	// OptionData is managed option by option, each as a whole: an attribute that is left out is
	// Kea's default. Options that it does not name stay as they are.
	OptionData []kea.OptionData

	// Resource that wants it, as "namespace/name".
	Resource string
	// Grant is what the resource may use and take over.
	Grant Grant
	// Adopt takes over a reservation that is marked as owned by another resource, and changes the
	// address of one without a mark, as far as Grant allows.
	Adopt bool
	// Spare names resources of this cluster, as "namespace/name", from which Adopt takes nothing.
	Spare []string
	// WasReserved means that Kea held the reservation for the resource when it was last observed:
	// one without a mark is not another's then.
	WasReserved bool
	// Abandon names servers that a deletion does not wait for.
	Abandon []string

	// Accepted is what Kea was last seen to hold for exactly this intent, if it was held as wanted
	// then; nil if that is not known. Kea writes some values in its own way ("0xcafe" becomes
	// "CAFE"): a managed field that still is as it was accepted has not drifted.
	Accepted *kea.Reservation
}
