// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"reflect"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Scan is one reading of all that a server holds. It belongs to one goroutine until it is
// committed, and is not visible before.
type Scan struct {
	mirror *Mirror
	server string
	began  time.Time

	subnets []kea.Subnet
	// ids are those of the subnets.
	ids    map[uint32]struct{}
	hosts  map[kea.Target]*hosts
	leases *leases
	// listed counts the hosts that were added, repeated ones included.
	listed int
	// memoryLost is set if Kea has been started or reloaded since the last scan.
	memoryLost bool
}

// BeginScan begins a reading of a server. From now on single reads of its hosts are remembered,
// until Commit or Abandon.
func (m *Mirror) BeginScan(name string, now time.Time) *Scan {
	m.mu.Lock()
	defer m.mu.Unlock()
	room := map[kea.Target]int{}
	if s, ok := m.servers[name]; ok {
		for place, st := range s.stores {
			st.putDuringScan = map[Key]struct{}{}
			room[place] = st.count
		}
	}
	return &Scan{
		mirror: m, server: name, began: now, leases: newLeases(now),
		hosts: map[kea.Target]*hosts{kea.TargetMemory: newHosts(room[kea.TargetMemory]), kea.TargetDatabase: newHosts(room[kea.TargetDatabase])},
	}
}

// Abandon ends a scan that failed. What was known before stays.
func (m *Mirror) Abandon(scan *Scan) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.servers[scan.server]; ok {
		for _, st := range s.stores {
			st.putDuringScan = nil
		}
	}
}

// SetMemoryLost says that Kea has been started or reloaded since the last scan, which costs it the
// reservations in memory that its configuration file does not have.
func (s *Scan) SetMemoryLost() { s.memoryLost = true }

// SetSubnets sets the subnets that the server lists.
func (s *Scan) SetSubnets(subnets []kea.Subnet) {
	s.subnets, s.ids = subnets, make(map[uint32]struct{}, len(subnets))
	for _, sub := range subnets {
		s.ids[sub.ID] = struct{}{}
	}
}

// AddHosts adds a page of hosts of a place. Those that are as they were are not kept twice.
func (s *Scan) AddHosts(place kea.Target, page []kea.Host) {
	for i, e := range s.mirror.unchanged(reservation.Store{Server: s.server, Place: place}, page) {
		if e == nil {
			e = s.mirror.newEntry(page[i])
		}
		s.hosts[place].put(e)
	}
	s.listed += len(page)
}

// unchanged returns the entries of the hosts of a page that are known as they are, byte by byte; nil for
// the others.
func (m *Mirror) unchanged(at reservation.Store, page []kea.Host) []*entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	out := make([]*entry, len(page))
	st := m.store(at)
	if st == nil {
		return out
	}
	for i := range page {
		if e := st.byKey[Key{page[i].SubnetID, page[i].HWAddress}]; e != nil && e.Host == page[i] && !e.unread {
			out[i] = e
		}
	}
	return out
}

// CopyHosts adds to a scan the hosts that are known of a store: the place of that name of the scan's
// server is the same store.
func (m *Mirror) CopyHosts(scan *Scan, of reservation.Store) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if st := m.store(of); st != nil {
		scan.hosts[of.Place] = st.clone()
		scan.listed += st.count
	}
}

// Count returns how many hosts of a place have been added.
func (s *Scan) Count(place kea.Target) int { return s.hosts[place].count }

// Lists reports whether a host of a place has been added.
func (s *Scan) Lists(place kea.Target, k Key) bool { return s.hosts[place].byKey[k] != nil }

// BeginLeases says that the server is asked for its leases now, and returns what collects them.
func (s *Scan) BeginLeases(now time.Time) *LeaseListing {
	l := NewLeaseListing(now)
	s.leases = l.leases
	return l
}

// Doubtful returns the hosts of this cluster's resources that a scan lacks although they were known
// before, for each place. A listing can be incomplete, so each is to be read by itself before
// Commit. Hosts of subnets that the scan lacks are not among them.
func (m *Mirror) Doubtful(scan *Scan) map[kea.Target][]Key {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[scan.server]
	if !ok {
		return nil
	}
	out := map[kea.Target][]Key{}
	for place, st := range s.stores {
		for k, e := range st.byKey {
			_, listed := scan.hosts[place].byKey[k]
			_, read := st.putDuringScan[k]
			if !e.ours() || listed || read || (s.settings.SubnetsKnown && !scan.has(k.SubnetID)) {
				continue
			}
			out[place] = append(out[place], k)
		}
	}
	return out
}

func (s *Scan) has(subnetID uint32) bool {
	_, ok := s.ids[subnetID]
	return ok
}

// Commit makes a scan what is known of its server, and returns what differs from what was known
// before: nothing for the first scan.
func (m *Mirror) Commit(scan *Scan, settings Settings, now time.Time) Changes {
	scan.leases.sort()
	m.mu.Lock()
	defer m.mu.Unlock()
	last, ok := m.servers[scan.server]
	if !ok {
		m.servers[scan.server] = firstServer(scan, settings)
		return Changes{}
	}
	var c Changes
	next := &server{
		settings: settings, subnets: last.subnets, missing: last.missing, details: last.details,
		stores: map[kea.Target]*store{}, leases: scan.leases, scanned: scan.began,
		most: max(last.most, scan.Memory()), had: last.memory(),
	}
	next.updateMissing(&c, scan.subnets, now)
	next.index = last.index
	if !slices.Equal(last.subnets, next.subnets) {
		next.index = indexOf(next.subnets)
	}
	compareSettings(&c, last, next)
	c.Servers = last.settings.Primary != settings.Primary
	switch {
	case !settings.LeasesKnown:
	case last.leases.asked.After(next.leases.asked):
		next.leases = last.leases // All of them have been asked for since.
	default:
		next.leases.takeNewer(last.leases)
		compareLeases(&c, last.leases, next.leases)
	}
	for _, place := range settings.places() {
		next.stores[place] = mergeStore(last.stores[place], scan.hosts[place], next)
	}
	comparePolicies(&c, last, next)
	m.servers[scan.server] = next
	for place, before := range last.stores {
		m.compareHosts(&c, before, reservation.Store{Server: scan.server, Place: place})
	}
	for place, st := range next.stores {
		if _, ok := last.stores[place]; !ok {
			m.compareHosts(&c, newStore(), reservation.Store{Server: scan.server, Place: place})
		}
		maps.DeleteFunc(st.vanished, func(k Key, _ *entry) bool { return next.held(k) })
	}
	next.stores[kea.TargetMemory].noteWithMemory(last.stores[kea.TargetMemory], scan.memoryLost)
	return c
}

func firstServer(scan *Scan, settings Settings) *server {
	s := &server{
		settings: settings, subnets: scan.subnets, index: indexOf(scan.subnets), missing: map[kea.Subnet]time.Time{}, details: map[uint32]*kea.SubnetDetail{},
		stores: map[kea.Target]*store{}, leases: scan.leases, scanned: scan.began, most: scan.Memory(),
	}
	for _, place := range settings.places() {
		s.stores[place] = newStore()
		s.stores[place].hosts = scan.hosts[place]
	}
	return s
}

// compareSettings adds what a change of the settings concerns: all subnets of the server, as far as
// they are known, whether listed now or before.
func compareSettings(c *Changes, before, now *server) {
	if sameSettings(before.settings, now.settings) {
		return
	}
	if !before.settings.SubnetsKnown || !now.settings.SubnetsKnown {
		c.Everything = true
		return
	}
	for _, sub := range slices.Concat(before.subnets, now.subnets) {
		c.subnet(sub)
	}
	for sub := range now.missing {
		c.subnet(sub)
	}
}

// sameSettings reports whether two settings differ in nothing that concerns every subnet.
func sameSettings(a, b Settings) bool {
	return a.Primary == b.Primary && a.Database == b.Database && a.SubnetsKnown == b.SubnetsKnown && a.LeasesKnown == b.LeasesKnown &&
		slices.Equal(a.Identifiers, b.Identifiers)
}

// comparePolicies adds the subnets of which the policy has changed. That of a subnet that is
// missing for a short time is not known.
func comparePolicies(c *Changes, before, now *server) {
	for id, p := range now.settings.Policies {
		if last, ok := before.settings.Policies[id]; !ok || !reflect.DeepEqual(last, p) {
			c.subnet(kea.Subnet{ID: id, Prefix: p.Prefix})
		}
	}
	missing := now.missingIDs()
	for id, p := range before.settings.Policies {
		if _, ok := now.settings.Policies[id]; !ok && !missing[id] {
			c.subnet(kea.Subnet{ID: id, Prefix: p.Prefix})
		}
	}
}

// mergeStore returns a store with the hosts of a scan, and with what was remembered of the last
// one. Hosts that were read by themselves while the scan ran stay as that read returned them, and
// so do the hosts of subnets that are missing for a short time, as long as they do not take more
// than twice the memory that a scan has ever taken: a server could list other subnets each time.
func mergeStore(last *store, scanned *hosts, s *server) *store {
	if last == nil {
		last = newStore()
	}
	next := *last
	next.hosts = scanned
	for k := range last.putDuringScan {
		scanned.remove(k)
		if e := last.byKey[k]; e != nil {
			scanned.put(e)
		}
	}
	if missing := s.missingIDs(); len(missing) > 0 {
		for k, e := range last.byKey {
			if _, listed := scanned.byKey[k]; !listed && missing[k.SubnetID] && scanned.memory < 2*max(s.most, leastRoom) {
				scanned.put(e)
			}
		}
	}
	// Writes that began before the scan have been settled by it; of those since then, the single
	// reads say more.
	maps.DeleteFunc(next.unconfirmed, func(k Key, _ struct{}) bool { _, again := last.putDuringScan[k]; return !again })
	next.putDuringScan = nil
	return &next
}
