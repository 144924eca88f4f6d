// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestCommit is about what the difference between two scans concerns.
func TestCommit(t *testing.T) {
	t.Parallel()
	subnets := []kea.Subnet{subnet1}
	both := []kea.HWAddress{mac1, mac2}
	cases := map[string]struct {
		reason        string
		before, after content
		settings      func(*mirror.Settings)
		want          changes
	}{
		"Idle": {
			reason: "Two scans that say the same concern nothing, though a lease was renewed.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}, leases: []kea.Lease{lease(mac1, ip(1), noon.Add(time.Minute))}},
		},
		"OtherOrder": {
			reason: "The order of a listing does not matter.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1)), host(mac2, ip(2))}, leases: []kea.Lease{lease(mac1, ip(1), noon), lease(mac2, ip(2), noon)}},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac2, ip(2)), host(mac1, ip(1))}, leases: []kea.Lease{lease(mac2, ip(2), noon), lease(mac1, ip(1), noon)}},
		},
		"Added": {
			reason: "A new host concerns its device and its address.",
			before: content{subnets: subnets},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1))}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"Gone": {
			reason: "One that is gone as well; others do not hear of it.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1)), host(mac2, ip(2))}},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac2, ip(2))}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"Moved": {
			reason: "Another address concerns the device, and both addresses.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1))}},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(2))}},
			want:   woken([]kea.HWAddress{mac1}, ip(1), ip(2)),
		},
		"Field": {
			reason: "Another field concerns the device.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1))}},
			after:  content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), named("a"))}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"WithoutAddress": {
			reason: "A host without an address has none that could concern anything.",
			before: content{subnets: subnets},
			after:  content{subnets: subnets, memory: []kea.Reservation{{SubnetID: 1, HWAddress: mac1}}},
			want:   woken([]kea.HWAddress{mac1}),
		},
		"OtherIdentifier": {
			reason: "A host without a hardware address concerns what waits for its address.",
			before: content{subnets: subnets, memory: []kea.Reservation{{SubnetID: 1, ClientID: "01AA", IPAddress: ip(1)}}},
			after:  content{subnets: subnets},
			want:   woken(nil, ip(1)),
		},
		"LeaseAdded": {
			reason: "A new lease concerns its device and its address.",
			before: content{subnets: subnets},
			after:  content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"LeaseGone": {
			reason: "So does one that is gone.",
			before: content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			after:  content{subnets: subnets},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"LeaseOver": {
			reason: "So does one whose time is over, though Kea still lists it.",
			before: content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			after:  content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon, func(l *kea.Lease) { l.ValidLifetime = time.Second })}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"LeasePassedOn": {
			reason: "An address that another device leases now concerns both.",
			before: content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			after:  content{subnets: subnets, leases: []kea.Lease{lease(mac2, ip(1), noon)}},
			want:   woken(both, ip(1)),
		},
		"LeaseDeclined": {
			reason: "A declined lease is no longer its device's, and occupies the address.",
			before: content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}},
			after:  content{subnets: subnets, leases: []kea.Lease{lease("", ip(1), noon, state(kea.LeaseStateDeclined))}},
			want:   woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"LeaseReclaimed": {
			reason: "Leases of the past concern nothing.",
			before: content{subnets: subnets},
			after: content{subnets: subnets, leases: []kea.Lease{
				lease(mac1, ip(1), noon, state(kea.LeaseStateExpiredReclaimed)), lease(mac2, ip(2), noon, state(kea.LeaseStateReleased)),
			}},
		},
		"SubnetAdded": {
			reason: "A new subnet concerns what names it.",
			before: content{subnets: subnets},
			after:  content{subnets: []kea.Subnet{subnet1, subnet2}},
			want:   changes{Subnets: []string{"2:10.2.0.0/24"}},
		},
		"SubnetMissing": {
			reason: "One that is missing concerns nothing at first, and its hosts stay.",
			before: content{subnets: []kea.Subnet{subnet1, subnet2}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}},
			after:  content{subnets: []kea.Subnet{subnet2}},
		},
		"Policies": {
			reason: "What Kea is configured to ignore concerns the subnet.",
			before: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1))}}, after: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1))}},
			settings: func(s *mirror.Settings) {
				s.Policies = map[uint32]kea.SubnetPolicy{1: {Prefix: subnet1.Prefix, ReservationsInSubnet: true}}
			},
			want: changes{Subnets: []string{"1:10.1.0.0/24"}},
		},
		"LeasesUnknown": {
			reason: "So does a hook library that is no longer there: the leases of before say nothing then.",
			before: content{subnets: subnets, leases: []kea.Lease{lease(mac1, ip(1), noon)}}, after: content{subnets: subnets},
			settings: func(s *mirror.Settings) { s.LeasesKnown = false },
			want:     changes{Subnets: []string{"1:10.1.0.0/24"}},
		},
		"SubnetsUnknown": {
			reason: "Without the hook library to list subnets, everything is concerned: any subnet-id may be there.",
			before: content{subnets: subnets}, after: content{},
			settings: func(s *mirror.Settings) { s.SubnetsKnown = false },
			want:     changes{Everything: true},
		},
		"Primary": {
			reason: "Where reservations are written is reported of the server, too.",
			before: content{subnets: subnets}, after: content{subnets: subnets},
			settings: func(s *mirror.Settings) { s.Primary, s.Database = kea.TargetDatabase, true },
			want:     changes{Subnets: []string{"1:10.1.0.0/24"}, Servers: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := mirror.New(cluster)
			settings := inMemory
			if first := scan(m, tc.before, settings, noon); !first.Empty() {
				t.Errorf("Commit(...) of the first scan: %+v, want no changes", first)
			}
			if tc.settings != nil {
				tc.settings(&settings)
			}
			checkChanges(t, tc.reason, tc.want, scan(m, tc.after, settings, noon.Add(30*time.Second)))
			if again := scan(m, tc.after, settings, noon.Add(40*time.Second)); !again.Empty() {
				t.Errorf("Commit(...) of the same scan again: %+v, want no changes", again)
			}
			if diff := cmp.Diff(settings, m.Settings("kea1"), equate()); diff != "" {
				t.Errorf("Settings(...): -want, +got:\n%s", diff)
			}
		})
	}
}

// TestCommitPlaces is about a server whose hosts are in two places, each compared on its own.
func TestCommitPlaces(t *testing.T) {
	t.Parallel()
	subnets := []kea.Subnet{subnet1}
	before := content{
		subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))},
		database: []kea.Reservation{host(mac1, ip(1), ownedBy(me)), host(mac2, ip(2), ownedBy(me))},
	}
	cases := map[string]struct {
		reason   string
		after    content
		settings mirror.Settings
		want     changes
		vanished map[kea.HWAddress]bool
	}{
		"GoneInOne": {
			reason: "A host that is left in the other place has not vanished.", settings: inDatabase,
			after:    content{subnets: subnets, database: before.database},
			want:     woken([]kea.HWAddress{mac1}, ip(1)),
			vanished: map[kea.HWAddress]bool{mac1: false, mac2: false},
		},
		"GoneInBoth": {
			reason: "One that is in neither has.", settings: inDatabase,
			after:    content{subnets: subnets},
			want:     woken([]kea.HWAddress{mac1, mac2}, ip(1), ip(2)),
			vanished: map[kea.HWAddress]bool{mac1: true, mac2: true},
		},
		"NoDatabase": {
			reason: "Where the database is no longer there, its hosts have gone with it.", settings: inMemory,
			after:    content{subnets: subnets, memory: before.memory},
			want:     changes{Subnets: []string{"1:10.1.0.0/24"}, Servers: true, Devices: woken([]kea.HWAddress{mac1, mac2}).Devices, Addresses: woken(nil, ip(1), ip(2)).Addresses},
			vanished: map[kea.HWAddress]bool{mac1: false, mac2: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(before, inDatabase)
			checkChanges(t, tc.reason, tc.want, scan(m, tc.after, tc.settings, noon.Add(time.Minute)))
			for hw, want := range tc.vanished {
				if v := viewOf(t, m, hw, noon); (v.Vanished != nil) != want {
					t.Errorf("%s\nViews(...) of %s: vanished: %+v, want one: %t", tc.reason, hw, v.Vanished, want)
				}
			}
		})
	}
}

// TestCommitSingleReads is about reads of single hosts while a scan runs, which may have read them
// before.
func TestCommitSingleReads(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		listed []kea.Reservation
		put    func(*mirror.Mirror)
		want   string
		next   changes
	}{
		"Added": {
			reason: "A host that was added meanwhile is known, though the scan lacks it.",
			put:    func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), new(host(mac1, ip(9))), "ns/a") },
			want:   "10.1.0.9",
		},
		"Updated": {
			reason: "One that was updated is as it was read by itself.",
			listed: []kea.Reservation{host(mac1, ip(1))},
			put:    func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), new(host(mac1, ip(9))), "ns/a") },
			want:   "10.1.0.9",
		},
		"Removed": {
			reason: "One that was removed is not there, though the scan has it.",
			listed: []kea.Reservation{host(mac1, ip(1))},
			put:    func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), nil, "ns/a") },
			want:   "none",
		},
		"HolderFound": {
			reason: "A host that was found by its address is as it was found.",
			listed: []kea.Reservation{host(mac1, ip(1))},
			put: func(m *mirror.Mirror) {
				m.PutHolders(memory, 1, ip(9), []kea.Reservation{host(mac1, ip(9))})
			},
			want: "10.1.0.9",
		},
		"Unconfirmed": {
			reason: "Of a host whose write is under way, the scan may have read either: what was known stays.",
			listed: nil,
			put:    func(m *mirror.Mirror) { m.SetUnconfirmed(memory, key(mac1), new(host(mac1, ip(1)))) },
			want:   "10.1.0.1",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1))}}, inMemory)
			sc := m.BeginScan("kea1", noon.Add(time.Minute))
			fill(sc, content{subnets: []kea.Subnet{subnet1}, memory: tc.listed}, noon.Add(time.Minute))
			tc.put(m)
			checkChanges(t, tc.reason, changes{}, m.Commit(sc, inMemory, noon.Add(time.Minute)))
			got := "none"
			if v := viewOf(t, m, mac1, noon); v.Host != nil {
				got = v.Host.IPAddress.String()
			}
			if got != tc.want {
				t.Errorf("%s\nViews(...): %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// TestAbandon: what a scan that failed has read is not known, and single reads go on.
func TestAbandon(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1))}}, inMemory)
	sc := m.BeginScan("kea1", noon.Add(time.Minute))
	fill(sc, content{}, noon.Add(time.Minute))
	m.PutHost(memory, key(mac2), new(host(mac2, ip(2))), "ns/a")
	m.Abandon(sc)
	for hw, want := range map[kea.HWAddress]string{mac1: "10.1.0.1", mac2: "10.1.0.2"} {
		if v := viewOf(t, m, hw, noon); v.Host == nil || v.Host.IPAddress.String() != want {
			t.Errorf("Views(...) of %s: %+v, want %s", hw, v.Host, want)
		}
	}
	if got := m.Scanned("kea1"); !got.Equal(noon) {
		t.Errorf("Scanned(...): %s, want that of the scan before, %s", got, noon)
	}
	// A read before the next scan counts less than that scan.
	checkChanges(t, "The next scan is compared with all that was known.", woken([]kea.HWAddress{mac2}, ip(2)),
		scan(m, content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1))}}, inMemory, noon.Add(2*time.Minute)))
}
