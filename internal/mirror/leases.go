// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"net/netip"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// leases are the leases of one server that matter: those that were active when they were read, and
// declined ones, which keep an address from being given to anyone (contract suite: a lease4 listing
// has reclaimed and released ones too).
type leases struct {
	// byDevice are the active leases of a device, the newest first.
	byDevice map[kea.HWAddress][]kea.Lease
	// byAddress is the active or declined lease of an address.
	byAddress map[netip.Addr]kea.Lease
	// asked is when Kea was asked for all of them, and askedFor when for those of a device since.
	asked    time.Time
	askedFor map[kea.HWAddress]time.Time
	// memory is about how many bytes the leases took that were added.
	memory int
}

func newLeases(asked time.Time) *leases {
	return &leases{
		byDevice: map[kea.HWAddress][]kea.Lease{}, byAddress: map[netip.Addr]kea.Lease{},
		asked: asked, askedFor: map[kea.HWAddress]time.Time{},
	}
}

// add adds leases of any state, as a page has them.
func (l *leases) add(all []kea.Lease, now time.Time) {
	for _, lease := range all {
		switch {
		case lease.Active(now):
			l.byDevice[lease.HWAddress] = append(l.byDevice[lease.HWAddress], lease)
			l.byAddress[lease.IPAddress] = lease
			l.memory += 2 * lease.Memory()
		case lease.State == kea.LeaseStateDeclined:
			l.byAddress[lease.IPAddress] = lease
			l.memory += lease.Memory()
		}
	}
}

// sort puts the newest lease of each device first.
func (l *leases) sort() {
	for _, list := range l.byDevice {
		newestFirst(list)
	}
}

func newestFirst(list []kea.Lease) {
	slices.SortStableFunc(list, func(a, b kea.Lease) int {
		if c := b.CLTT.Compare(a.CLTT); c != 0 {
			return c
		}
		return a.IPAddress.Compare(b.IPAddress)
	})
}

// putDevice replaces the leases of a device by those, of any state, that a read of it returned.
func (l *leases) putDevice(hw kea.HWAddress, all []kea.Lease, asked time.Time) {
	l.askedFor[hw] = asked
	for _, old := range l.byDevice[hw] {
		if l.byAddress[old.IPAddress].HWAddress == hw {
			delete(l.byAddress, old.IPAddress)
		}
	}
	delete(l.byDevice, hw)
	l.add(all, asked)
	newestFirst(l.byDevice[hw])
}

// age returns how long ago Kea was asked for a device's leases.
func (l *leases) age(hw kea.HWAddress, now time.Time) time.Duration {
	if asked, ok := l.askedFor[hw]; ok {
		return now.Sub(asked)
	}
	return now.Sub(l.asked)
}

// takeNewer takes over what an older reading was told of devices after Kea was asked for all
// leases.
func (l *leases) takeNewer(older *leases) {
	for hw, asked := range older.askedFor {
		if asked.After(l.asked) {
			l.putDevice(hw, older.byDevice[hw], asked)
		}
	}
}

// of returns a device's active leases in a subnet, the newest first. One outside the prefix is from
// a time when another subnet had this subnet-id.
func (l *leases) of(hw kea.HWAddress, subnet kea.Subnet, now time.Time) []kea.Lease {
	var out []kea.Lease
	for _, lease := range l.byDevice[hw] {
		inside := !subnet.Prefix.IsValid() || subnet.Prefix.Contains(lease.IPAddress)
		if lease.SubnetID == subnet.ID && inside && lease.Active(now) {
			out = append(out, lease)
		}
	}
	return out
}

// compareLeases adds the devices that have got or lost a lease, and the addresses that have got or
// lost a holder. A renewal is neither: an idle fleet that renews its leases changes nothing.
func compareLeases(c *Changes, older, newer *leases) {
	for a, o := range older.byAddress {
		n, ok := newer.byAddress[a]
		if ok && n.HWAddress == o.HWAddress && n.SubnetID == o.SubnetID && n.State == o.State {
			continue
		}
		c.device(o.HWAddress, "")
		c.address(a, "")
		if ok {
			c.device(n.HWAddress, "")
		}
	}
	for a, n := range newer.byAddress {
		if _, ok := older.byAddress[a]; !ok {
			c.device(n.HWAddress, "")
			c.address(a, "")
		}
	}
}
