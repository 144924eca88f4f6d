// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"

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

// hosts are the host reservations of one store.
type hosts struct {
	byKey     map[Key]*entry
	byAddress addresses
	// subnets counts the hosts in byKey of each subnet.
	subnets map[uint32]int
	// count is the number of all hosts, those without a hardware address included, ours that of those
	// in byKey that are marked as this cluster's, and memory about how many bytes all take.
	count, ours, memory int
	// detached is set once a host in byKey may have an address without being in byAddress.
	detached bool
}

// newHosts returns an empty list, with room for some.
func newHosts(room int) *hosts {
	return &hosts{byKey: make(map[Key]*entry, room), byAddress: newAddresses(room), subnets: map[uint32]int{}}
}

// clone returns a copy, of which changes do not concern the original. The entries are the same.
func (h *hosts) clone() *hosts {
	out := *h
	out.byKey, out.byAddress, out.subnets = maps.Clone(h.byKey), h.byAddress.clone(), maps.Clone(h.subnets)
	return &out
}

// irregular reports whether byAddress may differ from what follows from byKey: there are hosts without a
// hardware address too, or some are detached.
func (h *hosts) irregular() bool { return h.detached || h.count != len(h.byKey) }

// put adds a host, in place of what was known of it before.
func (h *hosts) put(e *entry) {
	if e.HWAddress != "" {
		k := e.key()
		h.remove(k)
		h.byKey[k] = e
		h.subnets[k.SubnetID]++
		if e.ours() {
			h.ours++
		}
	}
	h.count++
	h.memory += e.Memory()
	h.byAddress.add(e)
}

// remove takes a host out, if it is there.
func (h *hosts) remove(k Key) {
	old, ok := h.byKey[k]
	if !ok {
		return
	}
	delete(h.byKey, k)
	h.count--
	h.memory -= old.Memory()
	if old.ours() {
		h.ours--
	}
	if h.subnets[k.SubnetID]--; h.subnets[k.SubnetID] == 0 {
		delete(h.subnets, k.SubnetID)
	}
	h.byAddress.remove(old)
}

// putHolders replaces what is known of who has an address by what a read of it returned. A known
// host that does not have it any more is left to the next scan, which says where it is now.
func (h *hosts) putHolders(k addressKey, holders []*entry) Changes {
	var c Changes
	unnamed := 0 // Hosts without a hardware address, which are in byAddress alone.
	for old := range h.byAddress.of(k) {
		if old.HWAddress == "" {
			unnamed++
			h.count--
			h.memory -= old.Memory()
		}
	}
	h.byAddress.drop(k)
	h.detached = true
	for _, e := range holders {
		old := h.byKey[e.key()]
		h.put(e)
		switch {
		case e.HWAddress == "":
			unnamed--
		case old == nil:
			c.host(&e.Host)
		case !old.Same(&e.Host):
			c.host(&old.Host)
			c.host(&e.Host)
		}
	}
	if unnamed != 0 {
		c.address(k.address, "")
	}
	return c
}

// Bounds of how many holders of an address a view has, and of their JSON: one is enough to say that it
// is taken, and each has to be parsed.
const (
	maxHolders      = 64
	maxHoldersBytes = 64 << 10
)

// holdersBut returns the hosts with an address other than those of a device, the first few of them.
func (h *hosts) holdersBut(k addressKey, hw kea.HWAddress) []kea.Reservation {
	var out []kea.Reservation
	size := 0
	for e := range h.byAddress.of(k) {
		if e.HWAddress == hw {
			continue
		}
		if size += e.Size(); len(out) == maxHolders || len(out) > 0 && size > maxHoldersBytes {
			break
		}
		out = append(out, e.Reservation())
	}
	return out
}

// store is what is known of one store.
type store struct {
	*hosts

	// vanished are the last known reservations, with a mark of this cluster, of hosts that have
	// gone without the provider's doing.
	vanished map[Key]*entry
	// withMemory are those of vanished that were there when they were last read, and went with the
	// server's memory.
	withMemory map[Key]*entry
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
		hosts:       newHosts(0),
		vanished:    map[Key]*entry{},
		withMemory:  map[Key]*entry{},
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

// settle records that what is known of a host from now on is newer than what a scan that runs may have
// read, and than any write to it.
func (s *store) settle(k Key) {
	if s.putDuringScan != nil {
		s.putDuringScan[k] = struct{}{}
	}
	delete(s.unconfirmed, k)
}

// noteWithMemory brings withMemory up to date after a scan, before which Kea may have lost its memory.
func (s *store) noteWithMemory(before *store, memoryLost bool) {
	maps.DeleteFunc(s.withMemory, func(k Key, e *entry) bool { return s.vanished[k] != e })
	if !memoryLost {
		return
	}
	for k, e := range s.vanished {
		if before.byKey[k] == e && !e.unread {
			s.withMemory[k] = e
		}
	}
}
