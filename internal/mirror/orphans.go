// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"maps"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Orphans returns how many devices have a reservation, on any server and in any store, that is marked
// as that of a resource of this cluster which does not exist. A device counts once for each resource.
// The function is called with the "namespace/name" of a resource and the device, perhaps several times
// for one, and not with the lock: it may take its time. Its first error is returned.
func (m *Mirror) Orphans(exists func(resource string, hw kea.HWAddress) (bool, error)) (int, error) {
	type orphan struct {
		resource string
		hw       kea.HWAddress
	}
	orphans := map[orphan]struct{}{}
	for _, e := range m.owned() {
		ok, err := exists(e.resource, e.HWAddress)
		if err != nil {
			return 0, err
		}
		if !ok {
			orphans[orphan{e.resource, e.HWAddress}] = struct{}{}
		}
	}
	return len(orphans), nil
}

// owned returns the hosts of all stores that are marked as this cluster's.
func (m *Mirror) owned() []*entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []*entry
	for _, s := range m.servers {
		for _, st := range s.stores {
			for _, e := range st.byKey {
				if e.ours() {
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// ForgetVanished drops the reservations that have gone from Kea and whose resource does not exist: none
// will put them back, and their address must not be preferred to a newer lease of the device should
// the resource be created again later. The function is that of Orphans.
func (m *Mirror) ForgetVanished(exists func(resource string, hw kea.HWAddress) (bool, error)) error {
	for _, e := range m.allVanished() {
		ok, err := exists(e.resource, e.HWAddress)
		if err != nil {
			return err
		}
		if !ok {
			m.dropVanished(e)
		}
	}
	return nil
}

func (m *Mirror) allVanished() []*entry {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []*entry
	for _, s := range m.servers {
		for _, st := range s.stores {
			out = slices.AppendSeq(out, maps.Values(st.vanished))
		}
	}
	return out
}

// dropVanished drops a reservation that has gone, unless it has been replaced meanwhile.
func (m *Mirror) dropVanished(e *entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.servers {
		for _, st := range s.stores {
			if st.vanished[e.key()] == e {
				delete(st.vanished, e.key())
			}
		}
	}
}
