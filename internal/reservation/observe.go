// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"github.com/vitistack/provider-kea/internal/kea"
)

// Observation is how an intent stands, and what Kea holds for it.
type Observation struct {
	Plan

	// Exists reports whether a server has a reservation of the device in the subnet that is not
	// marked as owned by another resource.
	Exists bool
	// Held is the reservation on the first server that has one; nil if none has. It may belong to
	// another owner.
	Held *kea.Reservation
	// Subnet on the first server that has it, whether that can be reached or not: a status that followed
	// which server is down would change with each outage. The zero value if none has.
	Subnet kea.Subnet

	// Lease is the device's newest active lease in the subnet; nil if there is none.
	Lease *kea.Lease
	// Leases are all active leases of the device in the subnet, over all servers that can be reached,
	// the newest first on each.
	Leases []ServerLease
	// LeasesKnown is false where no server can list its leases.
	LeasesKnown bool
	// Ignored says why Kea ignores the reservation that it holds; "" if it does not, or if nothing
	// is known that makes it.
	Ignored string
	// Occupant is the lease, active or declined, that another device has of the address; nil if
	// none.
	Occupant *kea.Lease
}

// ServerLease is a lease that a server knows of.
type ServerLease struct {
	kea.Lease

	Server string
}

// Observe returns how an intent stands, given what is known of every store. What can be reached comes
// before what was last seen of a server that cannot, but for the subnet.
func Observe(views []View, in Intent, owner Owner) Observation {
	o := Observation{Plan: Decide(views, in, owner)}
	if o.State == NotAllowed {
		return o
	}
	o.Lease = NewestLease(views)
	if all := byServer(views); len(all) > 0 {
		o.Subnet = all[0].primary.Subnet
	}
	here, away := split(views)
	for _, s := range append(byServer(here), byServer(away)...) {
		if !s.primary.Away {
			o.LeasesKnown = o.LeasesKnown || s.primary.LeasesKnown
			for _, l := range s.primary.Leases {
				o.Leases = append(o.Leases, ServerLease{Lease: l, Server: s.name()})
			}
		}
		if o.Held == nil {
			o.Held = s.inForce()
		}
		for _, r := range s.hosts() {
			_, other := ownedByOther(r, owner, in.Grant)
			o.Exists = o.Exists || !other
		}
	}
	s := situation{views: here, servers: byServer(here), address: o.Address}
	o.Occupant = s.occupant()
	if o.Held != nil {
		s.address = o.Held.IPAddress
		if f := checkHonored(&s); f != nil {
			o.Ignored = f.message
		}
	}
	return o
}
