// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Mirror is what is known about the servers of one group. Its methods may be called by several
// goroutines at once, and do not block on anything but each other.
type Mirror struct {
	// cluster is the UID in the marks of this cluster's resources.
	cluster string

	mu      sync.RWMutex
	servers map[string]*server
}

// server is what is known about one server that has been scanned at least once.
type server struct {
	settings Settings
	subnets  []kea.Subnet
	// index finds them.
	index subnetIndex
	// missing are subnets that the server listed before and does not list now, and since when.
	missing map[kea.Subnet]time.Time
	// details are what Kea gives the devices of a subnet, for the subnets that were asked for; nil
	// where that could not be read.
	details map[uint32]*kea.SubnetDetail
	stores  map[kea.Target]*store
	leases  *leases
	scanned time.Time
	// most is how many bytes the largest scan took, and had what the hosts took before the last
	// one.
	most, had int
}

// Settings are what is known of a server beside its content. They change together with it, in
// Commit.
type Settings struct {
	// Primary is where the server's reservations are written.
	Primary kea.Target
	// Database reports whether the server has a hosts-database, written to or not.
	Database bool
	// SubnetsKnown and LeasesKnown are false where the server lacks the hook library to list them.
	SubnetsKnown, LeasesKnown bool
	// Policies of the subnets, and Identifiers by which Kea looks for reservations; nil if not
	// known.
	Policies    map[uint32]kea.SubnetPolicy
	Identifiers []string
}

// places returns where the server keeps hosts.
func (s Settings) places() []kea.Target {
	if s.Database {
		return []kea.Target{kea.TargetMemory, kea.TargetDatabase}
	}
	return []kea.Target{kea.TargetMemory}
}

// New returns an empty mirror for the resources of a cluster.
func New(cluster string) *Mirror {
	return &Mirror{cluster: cluster, servers: map[string]*server{}}
}

// Scanned returns when the last scan of a server began; the zero time if it has never been scanned.
func (m *Mirror) Scanned(name string) time.Time {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s, ok := m.servers[name]; ok {
		return s.scanned
	}
	return time.Time{}
}

// Settings returns the settings that the last scan of a server was committed with.
func (m *Mirror) Settings(name string) Settings {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if s, ok := m.servers[name]; ok {
		return s.settings
	}
	return Settings{}
}

// Missing returns the subnets that a server listed before and does not list now, and that are not
// yet taken for removed.
func (m *Mirror) Missing(name string) []kea.Subnet {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return nil
	}
	return slices.SortedFunc(maps.Keys(s.missing), func(a, b kea.Subnet) int { return a.Prefix.Compare(b.Prefix) })
}

// LostAllSubnets reports whether a server lists none of the subnets that it listed a short while
// ago.
func (m *Mirror) LostAllSubnets(name string) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	return ok && len(s.subnets) == 0 && len(s.missing) > 0
}

// AgeOfLeases returns how long ago a server was asked for a device's leases.
func (m *Mirror) AgeOfLeases(name string, hw kea.HWAddress, now time.Time) time.Duration {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return now.Sub(time.Time{})
	}
	return s.leases.age(hw, now)
}

// Reservations returns how many host reservations a server has, in memory and in its database.
func (m *Mirror) Reservations(name string) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	if s, ok := m.servers[name]; ok {
		for _, st := range s.stores {
			n += st.count
		}
	}
	return n
}

// Owned returns how many of a server's reservations are marked as this cluster's.
func (m *Mirror) Owned(name string) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	n := 0
	if s, ok := m.servers[name]; ok {
		for _, st := range s.stores {
			n += st.ours
		}
	}
	return n
}

// OwnedDevices returns the devices that any server has a reservation of which is marked as this
// cluster's, in order. It walks over all hosts: it is for a server that is to be caught up.
func (m *Mirror) OwnedDevices() []kea.HWAddress {
	devices := map[kea.HWAddress]struct{}{}
	for _, e := range m.owned() {
		devices[e.HWAddress] = struct{}{}
	}
	return slices.Sorted(maps.Keys(devices))
}

// Drop forgets a server.
func (m *Mirror) Drop(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.servers, name)
}

// Forget drops what is remembered of a device for an intent that its owner no longer has. A
// reservation that has vanished, and that is marked as another owner's, is that one's to restore.
func (m *Mirror) Forget(in reservation.Intent, owner reservation.Owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.servers {
		sub, found := s.resolve(in.Subnet)
		if !found {
			continue
		}
		for _, st := range s.stores {
			k := Key{sub.ID, in.HWAddress}
			if other, marked := st.vanished[k].owner(); !marked || other == owner {
				st.forget(k)
			}
		}
	}
}

// store returns a store; nil if the server does not have it. It needs the lock.
func (m *Mirror) store(at reservation.Store) *store {
	s, ok := m.servers[at.Server]
	if !ok {
		return nil
	}
	return s.stores[at.Place]
}
