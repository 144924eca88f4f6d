// SPDX-License-Identifier: Apache-2.0

package group

import (
	"net/netip"
	"reflect"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Touched tells whom a change in Kea concerns.
type Touched struct {
	// All is set where every reservation is concerned: a server came or went, or
	// its subnets changed.
	All bool
	// HWAddresses are the devices whose reservation or lease changed.
	HWAddresses map[kea.HWAddress]struct{}
	// Addresses are those whose holder changed.
	Addresses map[netip.Addr]struct{}
	// Servers is set where what is told of a server (ServerFacts) changed.
	Servers bool
}

func newTouched() Touched {
	return Touched{HWAddresses: map[kea.HWAddress]struct{}{}, Addresses: map[netip.Addr]struct{}{}}
}

// Empty tells whether nothing was touched.
func (t Touched) Empty() bool {
	return !t.All && !t.Servers && len(t.HWAddresses) == 0 && len(t.Addresses) == 0
}

func (t Touched) host(r *kea.Reservation) {
	if r.HWAddress != "" {
		t.HWAddresses[r.HWAddress] = struct{}{}
	}
	if r.IPAddress.IsValid() {
		t.Addresses[r.IPAddress] = struct{}{}
	}
}

// compare gives what differs between two snapshots of a server, and the
// reservations that are in the older one alone.
func compare(older, newer *snapshot) (Touched, []*kea.Reservation) {
	t := newTouched()
	t.All = older.subnetsKnown != newer.subnetsKnown || older.leasesKnown != newer.leasesKnown ||
		!slices.Equal(older.subnets, newer.subnets)
	gone := slices.Concat(
		compareStores(t, storeOf(older, kea.TargetMemory), storeOf(newer, kea.TargetMemory)),
		compareStores(t, storeOf(older, kea.TargetDatabase), storeOf(newer, kea.TargetDatabase)),
	)
	compareLeases(t, older.leases, newer.leases)
	return t, gone
}

func storeOf(s *snapshot, place kea.Target) *store {
	if st, ok := s.hosts[place]; ok {
		return st
	}
	return newStore()
}

func compareStores(t Touched, older, newer *store) []*kea.Reservation {
	var gone []*kea.Reservation
	for k, o := range older.byHost {
		n, ok := newer.byHost[k]
		switch {
		case !ok:
			gone = append(gone, o)
			t.host(o)
		case o != n && !reflect.DeepEqual(o, n):
			t.host(o)
			t.host(n)
		}
	}
	for k, n := range newer.byHost {
		if _, ok := older.byHost[k]; !ok {
			t.host(n)
		}
	}
	// Hosts without a hardware address are in byAddress alone.
	for k := range older.byAddress {
		if len(newer.byAddress[k]) != len(older.byAddress[k]) {
			t.Addresses[k.address] = struct{}{}
		}
	}
	for k := range newer.byAddress {
		if len(newer.byAddress[k]) != len(older.byAddress[k]) {
			t.Addresses[k.address] = struct{}{}
		}
	}
	return gone
}

// compareLeases marks the devices that have got or lost an active lease. A
// renewal is none of it: a quiet fleet wakes nobody.
func compareLeases(t Touched, older, newer map[kea.HWAddress][]kea.Lease) {
	for hw, o := range older {
		if !sameLeases(o, newer[hw]) {
			t.HWAddresses[hw] = struct{}{}
		}
	}
	for hw := range newer {
		if _, ok := older[hw]; !ok {
			t.HWAddresses[hw] = struct{}{}
		}
	}
}

func sameLeases(a, b []kea.Lease) bool {
	return slices.EqualFunc(a, b, func(x, y kea.Lease) bool {
		return x.IPAddress == y.IPAddress && x.SubnetID == y.SubnetID
	})
}
