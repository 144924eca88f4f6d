// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Key is what Kea keys a host by: subnet and identifier (Kea ARM, "Host Reservations in DHCPv4").
type Key struct {
	SubnetID uint32
	HW       kea.HWAddress
}

// less orders keys.
func (k Key) less(o Key) bool {
	return k.SubnetID < o.SubnetID || k.SubnetID == o.SubnetID && k.HW < o.HW
}

type addressKey struct {
	subnetID uint32
	address  netip.Addr
}

// hosts are the host reservations of one store.
type hosts struct {
	byKey     map[Key]*kea.Reservation
	byAddress map[addressKey][]*kea.Reservation
	// subnets counts the hosts in byKey of each subnet.
	subnets map[uint32]int
	// count is the number of all hosts, those without a hardware address included, and memory about
	// how many bytes they take.
	count, memory int
}

func newHosts() *hosts {
	return &hosts{byKey: map[Key]*kea.Reservation{}, byAddress: map[addressKey][]*kea.Reservation{}, subnets: map[uint32]int{}}
}

// clone returns a copy, of which changes do not concern the original. The reservations are the same.
func (h *hosts) clone() *hosts {
	out := &hosts{byKey: maps.Clone(h.byKey), byAddress: make(map[addressKey][]*kea.Reservation, len(h.byAddress)), subnets: maps.Clone(h.subnets), count: h.count, memory: h.memory}
	for k, all := range h.byAddress {
		out.byAddress[k] = slices.Clone(all)
	}
	return out
}

func keyOf(r *kea.Reservation) Key { return Key{r.SubnetID, r.HWAddress} }

// put adds a reservation, in place of an older one of the same host.
func (h *hosts) put(r *kea.Reservation) {
	if r.HWAddress != "" {
		k := keyOf(r)
		h.remove(k)
		h.byKey[k] = r
		h.subnets[k.SubnetID]++
	}
	h.count++
	h.memory += r.Memory()
	if r.IPAddress.IsValid() {
		k := addressKey{r.SubnetID, r.IPAddress}
		h.byAddress[k] = append(h.byAddress[k], r)
	}
}

// remove takes a host's reservation out, if there is one.
func (h *hosts) remove(k Key) {
	old, ok := h.byKey[k]
	if !ok {
		return
	}
	delete(h.byKey, k)
	h.count--
	h.memory -= old.Memory()
	if h.subnets[k.SubnetID]--; h.subnets[k.SubnetID] == 0 {
		delete(h.subnets, k.SubnetID)
	}
	h.dropAddress(old)
}

func (h *hosts) dropAddress(old *kea.Reservation) {
	a := addressKey{old.SubnetID, old.IPAddress}
	left := slices.DeleteFunc(slices.Clone(h.byAddress[a]), func(r *kea.Reservation) bool { return r == old })
	if len(left) == 0 {
		delete(h.byAddress, a)
		return
	}
	h.byAddress[a] = left
}

// putHolders replaces what is known of who has an address by what a read of it returned. A known
// host that does not have it any more is left to the next scan, which says where it is now.
func (h *hosts) putHolders(k addressKey, holders []kea.Reservation) Changes {
	var c Changes
	unnamed := 0 // Hosts without a hardware address, which are in byAddress alone.
	for _, old := range h.byAddress[k] {
		if old.HWAddress == "" {
			unnamed++
			h.count--
			h.memory -= old.Memory()
		}
	}
	delete(h.byAddress, k)
	for i := range holders {
		r := &holders[i]
		old := h.byKey[keyOf(r)]
		h.put(r)
		switch {
		case r.HWAddress == "":
			unnamed--
		case old == nil:
			c.host(r)
		case !reflect.DeepEqual(old, r):
			c.host(old)
			c.host(r)
		}
	}
	if unnamed != 0 {
		c.address(k.address, "")
	}
	return c
}

// store is what is known of one store.
type store struct {
	*hosts

	// vanished are the last known reservations, with a mark of this cluster, of hosts that have
	// gone without the provider's doing.
	vanished map[Key]*kea.Reservation
	// rewrites are what Kea made of writes, where it changed something; refusals are changes that
	// it did not accept.
	rewrites map[Key]*reservation.Rewrite
	refusals map[Key]*reservation.Refusal
	// unconfirmed are hosts of which a write's outcome is not known.
	unconfirmed map[Key]struct{}
	// putDuringScan are the hosts that were read by themselves while a scan runs, which may have
	// read them before; nil while none runs.
	putDuringScan map[Key]struct{}
}

func newStore() *store {
	return &store{
		hosts:       newHosts(),
		vanished:    map[Key]*kea.Reservation{},
		rewrites:    map[Key]*reservation.Rewrite{},
		refusals:    map[Key]*reservation.Refusal{},
		unconfirmed: map[Key]struct{}{},
	}
}

// forget drops what is remembered of a host that no resource wants any longer.
func (s *store) forget(k Key) {
	delete(s.vanished, k)
	delete(s.rewrites, k)
	delete(s.refusals, k)
}
