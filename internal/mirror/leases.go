// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"cmp"
	"iter"
	"net/netip"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// leases are the leases of one server that matter: those that were active when they were read, and
// declined ones, which keep an address from being given to anyone (contract suite: a lease4 listing
// has reclaimed and released ones too).
type leases struct {
	// asked is when Kea was asked for all of them. entries are what it answered, by address once they
	// are sorted, with the texts of some of them by address.
	asked   time.Time
	entries []leaseEntry
	texts   map[uint32]leaseTexts
	// byDevice has the place of one entry of each device in entries, and others that of the next one
	// of the same device, plus one.
	byDevice map[uint64]uint32
	others   map[uint32]uint32

	// newer are the devices that Kea was asked about since: what it answered stands in place of their
	// entries. byAddress are the leases, declined ones included, that these answers had.
	newer     map[kea.HWAddress]answer
	byAddress map[netip.Addr]kea.Lease
	// memory is about how many bytes the leases took that were added.
	memory int
}

// answer is what Kea answered to a question about a device: its active leases, the newest first.
type answer struct {
	asked  time.Time
	leases []kea.Lease
}

func newLeases(asked time.Time) *leases {
	return &leases{
		texts: map[uint32]leaseTexts{}, asked: asked,
		newer: map[kea.HWAddress]answer{}, byAddress: map[netip.Addr]kea.Lease{},
	}
}

// A LeaseListing collects the leases of a server page by page. It is used by one goroutine.
type LeaseListing struct{ leases *leases }

// NewLeaseListing begins a listing of a server that is asked for its leases now.
func NewLeaseListing(now time.Time) *LeaseListing { return &LeaseListing{newLeases(now)} }

// Add adds a page of leases of any state. It does not retain the page.
func (l *LeaseListing) Add(page []kea.Lease) { l.leases.add(page, l.leases.asked) }

// Memory returns about how many bytes the listing takes.
func (l *LeaseListing) Memory() int { return l.leases.memory }

// matters reports whether a lease is kept.
func matters(l *kea.Lease, now time.Time) bool {
	return l.IPAddress.Is4() && (l.State == kea.LeaseStateDeclined || l.Active(now))
}

// add adds leases of any state, as a page has them.
func (l *leases) add(all []kea.Lease, now time.Time) {
	for i := range all {
		if !matters(&all[i], now) {
			continue
		}
		e, texts := entryOf(&all[i])
		delete(l.texts, e.address)
		if texts != nil {
			l.texts[e.address] = *texts
			l.memory += textsEntryMemory + len(texts.hw) + len(texts.client)
		}
		l.entries = append(l.entries, e)
		l.memory += entryMemory
	}
}

// sort brings the entries into order, once all have been added. Kea lists them so. Of several of one
// address, the last one counts.
func (l *leases) sort() {
	byAddress := func(a, b leaseEntry) int { return cmp.Compare(a.address, b.address) }
	if !slices.IsSortedFunc(l.entries, byAddress) {
		slices.SortStableFunc(l.entries, byAddress)
	}
	kept := l.entries[:0]
	for i, e := range l.entries {
		if i+1 < len(l.entries) && l.entries[i+1].address == e.address {
			continue
		}
		kept = append(kept, e)
	}
	l.entries = kept
	l.byDevice, l.others = make(map[uint64]uint32, len(kept)), map[uint32]uint32{}
	for i := range kept {
		if kept[i].state != kea.LeaseStateDefault {
			continue
		}
		device := kept[i].device
		if first, ok := l.byDevice[device]; ok {
			l.others[uint32(i)] = first + 1
		}
		l.byDevice[device] = uint32(i)
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

// maxLeasesOf bounds how many leases of a device are looked at: a device has one or a few, and a server
// could list any number.
const maxLeasesOf = 1000

// listed returns the active leases of a device that the pages had, in any order.
func (l *leases) listed(hw kea.HWAddress) []kea.Lease {
	device, _ := deviceOf(hw)
	at, ok := l.byDevice[device]
	var out []kea.Lease
	for ok && len(out) < maxLeasesOf {
		if lease := l.entries[at].lease(l.texts); lease.HWAddress == hw {
			out = append(out, lease)
		}
		next := l.others[at]
		at, ok = next-1, next > 0
	}
	return out
}

// device returns the leases of a device that were active when they were read, the newest first.
func (l *leases) device(hw kea.HWAddress) []kea.Lease {
	if a, ok := l.newer[hw]; ok {
		return a.leases
	}
	out := l.listed(hw)
	newestFirst(out)
	return out
}

// at returns the active or declined lease of an address.
func (l *leases) at(a netip.Addr) (kea.Lease, bool) {
	if lease, ok := l.byAddress[a]; ok {
		return lease, true
	}
	n := number(a)
	i, ok := slices.BinarySearchFunc(l.entries, n, func(e leaseEntry, n uint32) int { return cmp.Compare(e.address, n) })
	if !ok {
		return kea.Lease{}, false
	}
	lease := l.entries[i].lease(l.texts)
	if _, replaced := l.newer[lease.HWAddress]; replaced && lease.State == kea.LeaseStateDefault {
		return kea.Lease{}, false
	}
	return lease, true
}

// putDevice replaces the leases of a device by those, of any state, that a read of it returned.
func (l *leases) putDevice(hw kea.HWAddress, all []kea.Lease, asked time.Time) {
	for _, old := range l.newer[hw].leases {
		if l.byAddress[old.IPAddress].HWAddress == hw {
			delete(l.byAddress, old.IPAddress)
		}
	}
	a := answer{asked: asked}
	for i := range all {
		if !matters(&all[i], asked) {
			continue
		}
		l.byAddress[all[i].IPAddress] = all[i]
		if all[i].State == kea.LeaseStateDefault && all[i].HWAddress == hw {
			a.leases = append(a.leases, all[i])
		}
	}
	newestFirst(a.leases)
	l.newer[hw] = a
}

// age returns how long ago Kea was asked for a device's leases.
func (l *leases) age(hw kea.HWAddress, now time.Time) time.Duration {
	if a, ok := l.newer[hw]; ok {
		return now.Sub(a.asked)
	}
	return now.Sub(l.asked)
}

// takeNewer takes over what an older reading was told of devices after Kea was asked for all
// leases.
func (l *leases) takeNewer(older *leases) {
	for hw, a := range older.newer {
		if a.asked.After(l.asked) {
			l.putDevice(hw, a.leases, a.asked)
		}
	}
}

// of returns a device's active leases in a subnet, the newest first. One outside the prefix is from
// a time when another subnet had this subnet-id.
func (l *leases) of(hw kea.HWAddress, subnet kea.Subnet, now time.Time) []kea.Lease {
	var out []kea.Lease
	for _, lease := range l.device(hw) {
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
	for a := range differing(older, newer) {
		o, had := older.at(a)
		n, has := newer.at(a)
		if had && has && n.HWAddress == o.HWAddress && n.SubnetID == o.SubnetID && n.State == o.State || !had && !has {
			continue
		}
		c.address(a, "")
		if had {
			c.device(o.HWAddress, "")
		}
		if has {
			c.device(n.HWAddress, "")
		}
	}
}

// differing returns the addresses whose leases may differ: where the pages do, and those of the
// devices that were asked about between them.
func differing(older, newer *leases) map[netip.Addr]struct{} {
	out := map[netip.Addr]struct{}{}
	for a := range differingEntries(older.entries, newer.entries) {
		out[addressOf(a)] = struct{}{}
	}
	for _, l := range []*leases{older, newer} {
		for a := range l.byAddress {
			out[a] = struct{}{}
		}
		for hw := range l.newer {
			for _, lease := range slices.Concat(older.listed(hw), newer.listed(hw)) {
				out[lease.IPAddress] = struct{}{}
			}
		}
	}
	return out
}

// differingEntries returns an iterator over the addresses at which two lists, each by address, differ.
func differingEntries(older, newer []leaseEntry) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for len(older) > 0 || len(newer) > 0 {
			var a uint32
			same := false
			switch {
			case len(newer) == 0 || len(older) > 0 && older[0].address < newer[0].address:
				a, older = older[0].address, older[1:]
			case len(older) == 0 || newer[0].address < older[0].address:
				a, newer = newer[0].address, newer[1:]
			default:
				a, same = older[0].address, older[0].sameHolder(&newer[0])
				older, newer = older[1:], newer[1:]
			}
			if !same && !yield(a) {
				return
			}
		}
	}
}
