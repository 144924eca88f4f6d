// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// PutHost records what a single read of a host returned; nil if it is not there. The cause is the
// resource whose own write the read confirms; empty for a read alone.
func (m *Mirror) PutHost(at reservation.Store, k Key, r *kea.Reservation, cause string) Changes {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.store(at)
	if st == nil {
		return Changes{}
	}
	if st.putDuringScan != nil {
		st.putDuringScan[k] = struct{}{}
	}
	delete(st.unconfirmed, k)
	old := st.byKey[k]
	if r == nil {
		st.remove(k)
		if cause == "" {
			m.noteVanished(at, old)
		}
	} else {
		st.put(r)
		delete(st.vanished, k)
	}
	return changesOfMove(old, r, cause)
}

// changesOfMove returns what a change of one host concerns: the resources that wait for the address
// that it had, and those of the device if its owner has changed, or if the cause is not known. The
// next scan will not differ from what is known now.
func changesOfMove(old, now *kea.Reservation, cause string) Changes {
	var c Changes
	if cause == "" && !reflect.DeepEqual(old, now) {
		c.device(hwOf(old, now), "")
	}
	if old == nil {
		return c
	}
	if now == nil || now.IPAddress != old.IPAddress {
		c.address(old.IPAddress, cause)
	}
	before, _ := reservation.OwnerOf(old)
	after, _ := reservation.OwnerOf(now)
	if before != after {
		c.device(old.HWAddress, cause)
	}
	return c
}

func hwOf(old, now *kea.Reservation) kea.HWAddress {
	if old != nil {
		return old.HWAddress
	}
	return now.HWAddress
}

// noteVanished remembers a reservation of this cluster that is in no store of its server any more,
// as what a new one starts from. It needs the lock.
func (m *Mirror) noteVanished(at reservation.Store, r *kea.Reservation) {
	if r == nil {
		return
	}
	owner, marked := reservation.OwnerOf(r)
	s := m.servers[at.Server]
	if !marked || owner.Cluster != m.cluster || s.held(keyOf(r)) {
		return
	}
	if st, ok := s.stores[s.settings.Primary]; ok {
		// A copy: r is one of a page of a thousand, all of which it would keep in memory.
		c := r.Clone()
		st.vanished[keyOf(r)] = &c
	}
}

// held reports whether any store of the server has a reservation of the host.
func (s *server) held(k Key) bool {
	for _, st := range s.stores {
		if _, ok := st.byKey[k]; ok {
			return true
		}
	}
	return false
}

// PutHolders records which hosts have an address, as a single read returned it.
func (m *Mirror) PutHolders(at reservation.Store, subnetID uint32, a netip.Addr, holders []kea.Reservation) Changes {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.store(at)
	if st == nil {
		return Changes{}
	}
	for i := range holders {
		k := keyOf(&holders[i])
		if st.putDuringScan != nil && k.HW != "" {
			st.putDuringScan[k] = struct{}{}
		}
		delete(st.vanished, k)
	}
	return st.putHolders(addressKey{subnetID, a}, holders)
}

// SetUnconfirmed records that the outcome of a write is not known until the host is read again, and
// what the host was before it; nil if it was not there. Should it turn out to be gone, that is what
// a new one starts from.
func (m *Mirror) SetUnconfirmed(at reservation.Store, k Key, before *kea.Reservation) {
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.store(at)
	if st == nil {
		return
	}
	st.unconfirmed[k] = struct{}{}
	if st.putDuringScan != nil {
		st.putDuringScan[k] = struct{}{}
	}
	if before != nil {
		st.vanished[k] = before
	}
}

// Unconfirmed reports whether the outcome of a write to the host is not known on a server.
func (m *Mirror) Unconfirmed(name string, k Key) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return false
	}
	for _, st := range s.stores {
		if _, ok := st.unconfirmed[k]; ok {
			return true
		}
	}
	return false
}

// PutRewrite records what Kea made of a write, where it changed something.
func (m *Mirror) PutRewrite(at reservation.Store, k Key, r reservation.Rewrite) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st := m.store(at); st != nil {
		st.rewrites[k] = &r
	}
}

// PutRefusal records a change that Kea did not accept.
func (m *Mirror) PutRefusal(at reservation.Store, k Key, r reservation.Refusal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st := m.store(at); st != nil {
		st.refusals[k] = &r
	}
}

// PutLeases records all leases of a server, as pages returned them when it was asked.
func (m *Mirror) PutLeases(name string, all []kea.Lease, asked time.Time) Changes {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Changes
	s, ok := m.servers[name]
	if !ok || asked.Before(s.leases.asked) {
		return c // They have been asked for since.
	}
	next := newLeases(asked)
	next.add(all, asked)
	next.sort()
	next.takeNewer(s.leases)
	compareLeases(&c, s.leases, next)
	s.leases = next
	return c
}

// PutLeasesOf records the leases of a device, as Kea returned them when it was asked.
func (m *Mirror) PutLeasesOf(name string, hw kea.HWAddress, all []kea.Lease, asked time.Time) Changes {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Changes
	s, ok := m.servers[name]
	if !ok || asked.Before(s.leases.asked) || asked.Before(s.leases.askedFor[hw]) {
		return c // They have been asked for since.
	}
	before := slices.Clone(s.leases.byDevice[hw])
	s.leases.putDevice(hw, all, asked)
	same := slices.EqualFunc(before, s.leases.byDevice[hw], func(x, y kea.Lease) bool { return x.IPAddress == y.IPAddress && x.SubnetID == y.SubnetID })
	if !same {
		c.device(hw, "")
		for _, l := range slices.Concat(before, s.leases.byDevice[hw]) {
			c.address(l.IPAddress, "")
		}
	}
	return c
}

// KeepHost keeps a host as it is known, whatever the scan that runs has read of it.
func (m *Mirror) KeepHost(at reservation.Store, k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st := m.store(at); st != nil && st.putDuringScan != nil {
		st.putDuringScan[k] = struct{}{}
	}
}

// ForgetRefusals drops the changes that a server did not accept, and that a restart may have
// mended.
func (m *Mirror) ForgetRefusals(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.servers[name]
	if !ok {
		return
	}
	for _, st := range s.stores {
		maps.DeleteFunc(st.refusals, func(_ Key, r *reservation.Refusal) bool { return r.UntilRestart })
	}
}

// ForgetRefusal drops a change that a store did not accept, and that is no longer wanted.
func (m *Mirror) ForgetRefusal(at reservation.Store, k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st := m.store(at); st != nil {
		delete(st.refusals, k)
	}
}
