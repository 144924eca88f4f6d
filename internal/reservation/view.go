// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"net/netip"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Store is a place that holds hosts: the memory of a server, or its hosts-database.
type Store struct {
	Server string
	Place  kea.Target
}

// String returns for example "memory@kea1".
func (s Store) String() string { return string(s.Place) + "@" + s.Server }

// View is what is known about one store, as far as it concerns one intent. What it says about the
// server (subnets, leases, configuration) is the same in each View of that server.
type View struct {
	Store Store
	// Primary reports whether the server's reservations are written to this store. A server has one
	// primary store; in another one Kea finds copies.
	Primary bool
	// Away reports that the server cannot be reached: what the view says is what was last seen there.
	// Nothing is planned for it, and it refuses nothing.
	Away bool
	// Shared is the store that is the same database as this one, and through which it is written; nil
	// if there is none. What the view says of hosts is then what that store has.
	Shared *Store

	// Subnet that the intent names, if SubnetFound.
	Subnet      kea.Subnet
	SubnetFound bool
	// SubnetsKnown is false where the server cannot list its Subnets (hook library missing).
	SubnetsKnown bool
	Subnets      []kea.Subnet

	// Policy of the subnet, with what it inherits, and Identifiers by which Kea looks for
	// reservations; nil where they are not known.
	Policy      *kea.SubnetPolicy
	Identifiers []string

	// Host is the device's reservation in the subnet; nil if there is none.
	Host *kea.Reservation
	// Vanished is the last known reservation of a device whose reservation has gone without the
	// provider's doing; nil if Host is not, and if another resource's mark was on it.
	Vanished *kea.Reservation
	// Rewrite is what Kea made of the last write, where it changed something.
	Rewrite *Rewrite
	// Refusal is a change that Kea did not accept.
	Refusal *Refusal

	// Holders are the hosts, other than the device, that have one of the addresses that the intent
	// may end up with.
	Holders []kea.Reservation

	// Leases are the device's active leases in the subnet, the newest first.
	Leases      []kea.Lease
	LeasesKnown bool
	// Occupants are the active leases that other devices have of one of the addresses that the
	// intent may end up with, and the declined leases of these addresses.
	Occupants []kea.Lease
}

// Rewrite records that Kea answered Got after it was given Want: it writes some values in its own
// way.
type Rewrite struct {
	Want, Got kea.Reservation
}

// Refusal records that Kea did not accept Want, and why.
type Refusal struct {
	Want    kea.Reservation
	Message string
	// UntilRestart reports that a restart or reload of Kea may have mended it.
	UntilRestart bool
}

// hides reports whether Kea finds a host of this store before that of the primary one: it looks in
// memory first (facts pinned by the contract suite, Targets).
func (v *View) hides() bool { return !v.Primary && v.Store.Place == kea.TargetMemory }

// serverViews are the views of one server that has the subnet.
type serverViews struct {
	primary *View
	// copy is the other store; nil if the server has one store.
	copy *View
}

// byServer returns the views of each server that has the subnet, in their order.
func byServer(views []View) []serverViews {
	var out []serverViews
	for i := range views {
		if v := &views[i]; v.Primary && v.SubnetFound {
			out = append(out, serverViews{primary: v})
		}
	}
	for i := range out {
		for j := range views {
			if v := &views[j]; !v.Primary && v.Store.Server == out[i].primary.Store.Server {
				out[i].copy = v
			}
		}
	}
	return out
}

// hosts returns the device's reservations on the server, the primary store's first.
func (s serverViews) hosts() []*kea.Reservation {
	var out []*kea.Reservation
	if s.primary.Host != nil {
		out = append(out, s.primary.Host)
	}
	if s.copy != nil && s.copy.Host != nil {
		out = append(out, s.copy.Host)
	}
	return out
}

// hidingCopy returns the device's reservation in a store that Kea looks in before the primary one;
// nil if there is none.
func (s serverViews) hidingCopy() *kea.Reservation {
	if s.copy == nil || !s.copy.hides() {
		return nil
	}
	return s.copy.Host
}

// inForce returns the reservation that Kea uses; nil if there is none.
func (s serverViews) inForce() *kea.Reservation {
	if s.copy == nil || s.copy.Host == nil {
		return s.primary.Host
	}
	if s.primary.Host == nil || (s.copy.hides() && s.copy.Host.IPAddress.IsValid()) {
		return s.copy.Host
	}
	return s.primary.Host
}

// holder returns a host, other than the device, that has the address on the server.
func (s serverViews) holder(a netip.Addr) *kea.Reservation {
	if h := s.primary.holder(a); h != nil || s.copy == nil {
		return h
	}
	return s.copy.holder(a)
}

func (v *View) holder(a netip.Addr) *kea.Reservation {
	for i := range v.Holders {
		if v.Holders[i].IPAddress == a {
			return &v.Holders[i]
		}
	}
	return nil
}

// split returns the views of servers that can be reached, and those of the others.
func split(views []View) (here, away []View) {
	if !slices.ContainsFunc(views, func(v View) bool { return v.Away }) {
		return views, nil
	}
	for _, v := range views {
		if v.Away {
			away = append(away, v)
		} else {
			here = append(here, v)
		}
	}
	return here, away
}

// Address returns the address to reserve: the one asked for; or the one of the reservation there
// is, which is what the device was promised; or the one of its newest active lease. The zero Addr
// if there is none. A server that can be reached knows better than one that cannot.
func Address(views []View, in Intent) netip.Addr {
	if a := promisedAddress(views, in); a.IsValid() {
		return a
	}
	if lease := NewestLease(views); lease != nil {
		return lease.IPAddress
	}
	return netip.Addr{}
}

// AddressComesFromLease reports whether nothing but a lease says which address to reserve.
func AddressComesFromLease(views []View, in Intent) bool {
	return !promisedAddress(views, in).IsValid() && NewestLease(views) != nil
}

// NeedsLease reports whether there is no address to reserve until the device has a lease, on a
// server that can be reached, has the subnet and can list its leases.
func NeedsLease(views []View, in Intent) bool {
	here, _ := split(views)
	for _, s := range byServer(here) {
		if s.primary.LeasesKnown {
			return !Address(views, in).IsValid()
		}
	}
	return false
}

// promisedBy returns the address of what there is, or was, of the device; the zero Addr if there is
// none.
func (in Intent) promisedBy(views []View) netip.Addr {
	in.Address = netip.Addr{}
	return promisedAddress(views, in)
}

func promisedAddress(views []View, in Intent) netip.Addr {
	if in.Address.IsValid() {
		return in.Address
	}
	here, away := split(views)
	servers := append(byServer(here), byServer(away)...)
	for _, s := range servers {
		if r := s.inForce(); r != nil && r.IPAddress.IsValid() {
			return r.IPAddress
		}
	}
	for _, s := range servers {
		if r := s.primary.Vanished; r != nil && r.IPAddress.IsValid() {
			return r.IPAddress
		}
	}
	if in.Accepted != nil {
		return in.Accepted.IPAddress
	}
	return netip.Addr{}
}

// NewestLease returns the newest active lease of the device in the subnet, over all servers; nil if
// there is none.
func NewestLease(views []View) *kea.Lease {
	var newest *kea.Lease
	for _, v := range views {
		if len(v.Leases) > 0 && (newest == nil || v.Leases[0].CLTT.After(newest.CLTT)) {
			newest = &v.Leases[0]
		}
	}
	return newest
}

// Candidates returns the addresses that the intent may end up with, given views without Holders and
// Occupants: whoever builds views looks up who has these.
func Candidates(views []View, in Intent) []netip.Addr {
	var out []netip.Addr
	add := func(a netip.Addr) {
		if a.IsValid() && !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	add(in.Address)
	if in.Accepted != nil {
		add(in.Accepted.IPAddress)
	}
	for _, v := range views {
		if v.Host != nil {
			add(v.Host.IPAddress)
		}
		if v.Vanished != nil {
			add(v.Vanished.IPAddress)
		}
		for _, l := range v.Leases {
			add(l.IPAddress)
		}
	}
	return out
}
