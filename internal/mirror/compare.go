// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"github.com/vitistack/provider-kea/internal/reservation"
)

// compareHosts adds what differs between a store as it was before and as it is now, and remembers
// the reservations of this cluster that have gone. Kea may write one host differently when it is read by
// itself, so hosts of other bytes are parsed before they are taken for changed. It needs the lock.
func (m *Mirror) compareHosts(c *Changes, before *store, at reservation.Store) {
	now := newHosts(0)
	room := m.roomForVanished(at)
	if st := m.store(at); st != nil {
		now = st.hosts
	}
	for k, o := range before.byKey {
		n, ok := now.byKey[k]
		switch {
		case !ok:
			c.host(&o.Host)
			if room -= o.Memory(); room >= 0 {
				m.noteVanished(at, o)
			}
		case o != n && !o.Same(&n.Host):
			c.host(&o.Host)
			c.host(&n.Host)
		}
	}
	for k, n := range now.byKey {
		if _, ok := before.byKey[k]; !ok {
			c.host(&n.Host)
		}
	}
	compareAddresses(c, before.hosts, now)
}

// compareAddresses adds the addresses that another number of hosts has, where that does not follow from
// the hosts in byKey.
func compareAddresses(c *Changes, before, now *hosts) {
	if !before.irregular() && !now.irregular() {
		return
	}
	for _, pair := range [][2]*hosts{{before, now}, {now, before}} {
		for k := range pair[0].byAddress.first {
			if pair[0].byAddress.count(k) != pair[1].byAddress.count(k) {
				c.address(k.address, "")
			}
		}
	}
}
