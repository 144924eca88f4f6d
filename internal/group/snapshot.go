// SPDX-License-Identifier: Apache-2.0

package group

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// hostKey is what Kea keys a host reservation by: subnet and identifier (Kea
// ARM, "Host Reservations in DHCPv4").
type hostKey struct {
	subnet uint32
	hw     kea.HWAddress
}

type addressKey struct {
	subnet  uint32
	address netip.Addr
}

// store is the host reservations that one place of a server holds: its memory
// or its database. What is in it is never changed, only replaced.
type store struct {
	byHost    map[hostKey]*kea.Reservation
	byAddress map[addressKey][]*kea.Reservation
	// subnets counts the hosts in byHost of each subnet.
	subnets map[uint32]int
}

func newStore() *store {
	return &store{byHost: map[hostKey]*kea.Reservation{}, byAddress: map[addressKey][]*kea.Reservation{}, subnets: map[uint32]int{}}
}

// put adds a reservation, in the place of an older one of the same host.
func (s *store) put(r *kea.Reservation) {
	if r.HWAddress != "" {
		k := hostKey{r.SubnetID, r.HWAddress}
		s.remove(k)
		s.byHost[k] = r
		s.subnets[k.subnet]++
	}
	if r.IPAddress.IsValid() {
		k := addressKey{r.SubnetID, r.IPAddress}
		s.byAddress[k] = append(s.byAddress[k], r)
	}
}

// remove takes a host's reservation out, if there is one.
func (s *store) remove(k hostKey) {
	old, ok := s.byHost[k]
	if !ok {
		return
	}
	delete(s.byHost, k)
	if s.subnets[k.subnet]--; s.subnets[k.subnet] == 0 {
		delete(s.subnets, k.subnet)
	}
	a := addressKey{old.SubnetID, old.IPAddress}
	left := slices.DeleteFunc(slices.Clone(s.byAddress[a]), func(r *kea.Reservation) bool { return r == old })
	if len(left) == 0 {
		delete(s.byAddress, a)
		return
	}
	s.byAddress[a] = left
}

// setAddress replaces what the store has of an address by what a point read of
// it gave.
func (s *store) setAddress(k addressKey, holders []kea.Reservation) {
	for _, old := range slices.Clone(s.byAddress[k]) {
		s.remove(hostKey{old.SubnetID, old.HWAddress})
	}
	delete(s.byAddress, k)
	for i := range holders {
		s.put(&holders[i])
	}
}

// snapshot is what a server held at one time, and what has been learned since
// by reading back single reservations.
type snapshot struct {
	taken time.Time

	subnets      []kea.Subnet
	subnetsKnown bool

	// hosts by the place that holds them; a place that the server does not have
	// has no entry.
	hosts map[kea.Target]*store

	// leases that were active when they were read, the newest first.
	leases      map[kea.HWAddress][]kea.Lease
	leasesKnown bool
	// leasesAsked is when Kea was asked for all of them, and askedFor when for those
	// of a device since.
	leasesAsked time.Time
	askedFor    map[kea.HWAddress]time.Time
}

func newSnapshot(taken time.Time) *snapshot {
	return &snapshot{
		taken:    taken,
		hosts:    map[kea.Target]*store{},
		leases:   map[kea.HWAddress][]kea.Lease{},
		askedFor: map[kea.HWAddress]time.Time{},
	}
}

// resolve finds a subnet. A subnet-id is taken as it is where the server does
// not tell its subnets.
func (s *snapshot) resolve(ref SubnetRef) (kea.Subnet, bool) {
	if !ref.Prefix.IsValid() && !s.subnetsKnown {
		return kea.Subnet{ID: ref.ID}, true
	}
	for _, sub := range s.subnets {
		if (ref.Prefix.IsValid() && sub.Prefix == ref.Prefix) || (!ref.Prefix.IsValid() && sub.ID == ref.ID) {
			return sub, true
		}
	}
	return kea.Subnet{}, false
}

// holders lists the reservations of an address in every place, except the given
// host's own.
func (s *snapshot) holders(subnet uint32, address netip.Addr, except kea.HWAddress) []*kea.Reservation {
	var out []*kea.Reservation
	for _, place := range []kea.Target{kea.TargetMemory, kea.TargetDatabase} {
		st, ok := s.hosts[place]
		if !ok {
			continue
		}
		for _, r := range st.byAddress[addressKey{subnet, address}] {
			if r.HWAddress != except {
				out = append(out, r)
			}
		}
	}
	return out
}

// setLeasesOf replaces the leases of a device.
func (s *snapshot) setLeasesOf(hw kea.HWAddress, leases []kea.Lease, asked time.Time) {
	s.askedFor[hw] = asked
	if len(leases) == 0 {
		delete(s.leases, hw)
		return
	}
	s.leases[hw] = leases
}

// takeNewerLeases takes over what an older snapshot was told of devices after Kea
// was asked for all leases.
func (s *snapshot) takeNewerLeases(older *snapshot) {
	if !s.leasesKnown {
		return
	}
	for hw, asked := range older.askedFor {
		if asked.After(s.leasesAsked) {
			s.setLeasesOf(hw, older.leases[hw], asked)
		}
	}
}

// ageOfLeases tells how old what is known of a device's leases is.
func (s *snapshot) ageOfLeases(hw kea.HWAddress, now time.Time) time.Duration {
	if asked, ok := s.askedFor[hw]; ok {
		return now.Sub(asked)
	}
	return now.Sub(s.leasesAsked)
}

// leasesOf lists a device's active leases in a subnet, the newest first.
func (s *snapshot) leasesOf(hw kea.HWAddress, subnet uint32, now time.Time) []kea.Lease {
	var out []kea.Lease
	for _, l := range s.leases[hw] {
		if l.SubnetID == subnet && l.Active(now) {
			out = append(out, l)
		}
	}
	return out
}

// activeLeases sorts out the leases that are not active, and puts the newest
// first: what counts of a device's leases (contract suite: a lease4 listing has reclaimed
// and declined ones too).
func activeLeases(all []kea.Lease, now time.Time) []kea.Lease {
	out := slices.DeleteFunc(slices.Clone(all), func(l kea.Lease) bool { return !l.Active(now) })
	slices.SortStableFunc(out, func(a, b kea.Lease) int {
		if c := b.CLTT.Compare(a.CLTT); c != 0 {
			return c
		}
		return a.IPAddress.Compare(b.IPAddress)
	})
	return out
}
