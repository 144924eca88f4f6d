// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"net/netip"
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
	st.settle(k)
	old := st.byKey[k]
	if r == nil {
		st.remove(k)
		if cause == "" {
			m.noteVanished(at, old)
		}
		return changesOfMove(old, nil, cause)
	}
	now := m.newEntry(kea.HostOf(r))
	st.put(now)
	delete(st.vanished, k)
	return changesOfMove(old, now, cause)
}

// PutBack records that Kea has accepted a host as it was before it went with the server's memory, and
// reports whether it was that: if not, it has to be read. So has one that is gone again and has not been
// read meanwhile. It concerns no other device.
func (m *Mirror) PutBack(at reservation.Store, k Key, added kea.Reservation) bool {
	accepted := kea.HostOf(&added)
	m.mu.Lock()
	defer m.mu.Unlock()
	st := m.store(at)
	if st == nil {
		return false
	}
	was := st.vanished[k]
	if was == nil || st.withMemory[k] != was || !was.Same(&accepted) {
		return false
	}
	st.settle(k)
	st.put(&entry{Host: was.Host, resource: was.resource, unread: true})
	delete(st.vanished, k)
	return true
}

// changesOfMove returns what a change of one host concerns: the resources that wait for the address
// that it had, and those of the device if its owner has changed, or if the cause is not known. The
// next scan will not differ from what is known now.
func changesOfMove(old, now *entry, cause string) Changes {
	var c Changes
	if cause == "" && (old == nil) != (now == nil) || cause == "" && old != nil && !old.Same(&now.Host) {
		c.device(hwOf(old, now), "")
	}
	if old == nil {
		return c
	}
	if now == nil || now.IPAddress != old.IPAddress {
		c.address(old.IPAddress, cause)
	}
	before, _ := old.owner()
	after, _ := now.owner()
	if before != after {
		c.device(old.HWAddress, cause)
	}
	return c
}

func hwOf(old, now *entry) kea.HWAddress {
	if old != nil {
		return old.HWAddress
	}
	return now.HWAddress
}

// noteVanished remembers a reservation of this cluster that is in no store of its server any more,
// as what a new one starts from. It needs the lock.
func (m *Mirror) noteVanished(at reservation.Store, e *entry) {
	s := m.servers[at.Server]
	if e == nil || !e.ours() || s.held(e.key()) {
		return
	}
	if st, ok := s.stores[s.settings.Primary]; ok {
		st.vanished[e.key()] = e
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
	entries := make([]*entry, 0, len(holders))
	for i := range holders {
		e := m.newEntry(kea.HostOf(&holders[i]))
		entries = append(entries, e)
		k := e.key()
		if st.putDuringScan != nil && k.HW != "" {
			st.putDuringScan[k] = struct{}{}
		}
		delete(st.vanished, k)
	}
	return st.putHolders(addressKey{subnetID, a}, entries)
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
		st.vanished[k] = m.newEntry(kea.HostOf(before))
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

// PutLeases records all leases of a server. The listing must not be used after that.
func (m *Mirror) PutLeases(name string, all *LeaseListing) Changes {
	next, asked := all.leases, all.leases.asked
	next.sort()
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Changes
	s, ok := m.servers[name]
	if !ok || asked.Before(s.leases.asked) {
		return c // They have been asked for since.
	}
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
	if !ok || asked.Before(s.leases.asked) || asked.Before(s.leases.newer[hw].asked) {
		return c // They have been asked for since.
	}
	before := s.leases.device(hw)
	s.leases.putDevice(hw, all, asked)
	after := s.leases.device(hw)
	same := slices.EqualFunc(before, after, func(x, y kea.Lease) bool { return x.IPAddress == y.IPAddress && x.SubnetID == y.SubnetID })
	if !same {
		c.device(hw, "")
		for _, l := range slices.Concat(before, after) {
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
// mended. It returns the devices of these.
func (m *Mirror) ForgetRefusals(name string) []kea.HWAddress {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.servers[name]
	if !ok {
		return nil
	}
	var devices []kea.HWAddress
	for _, st := range s.stores {
		for k, r := range st.refusals {
			if r.UntilRestart {
				devices = append(devices, k.HW)
				delete(st.refusals, k)
			}
		}
	}
	return devices
}

// ForgetRefusal drops a change that a store did not accept, and that is no longer wanted.
func (m *Mirror) ForgetRefusal(at reservation.Store, k Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if st := m.store(at); st != nil {
		delete(st.refusals, k)
	}
}
