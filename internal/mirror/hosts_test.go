// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

func TestPutHost(t *testing.T) {
	t.Parallel()
	const cause = "ns/writer"
	caused := func(devices []kea.HWAddress, addresses ...netip.Addr) changes {
		c := woken(devices, addresses...)
		for hw := range c.Devices {
			c.Devices[hw] = cause
		}
		for a := range c.Addresses {
			c.Addresses[a] = cause
		}
		return c
	}
	mine := func(change ...func(*kea.Reservation)) *kea.Reservation {
		return new(host(mac1, ip(1), append([]func(*kea.Reservation){ownedBy(me)}, change...)...))
	}
	cases := map[string]struct {
		reason   string
		known    *kea.Reservation
		read     *kea.Reservation
		cause    string
		want     changes
		vanished bool
	}{
		"Same":         {reason: "A read that confirms what is known concerns nothing.", known: mine(), read: mine()},
		"Found":        {reason: "A host that was not known concerns none but the reader.", read: mine(), cause: cause},
		"Field":        {reason: "So does another field of it.", known: mine(), read: mine(named("a")), cause: cause},
		"Moved":        {reason: "An address that is free now concerns those that wait for it.", known: mine(), read: new(host(mac1, ip(2), ownedBy(me))), cause: cause, want: caused(nil, ip(1))},
		"TakenOver":    {reason: "Another owner concerns those that share the device.", known: mine(), read: new(host(mac1, ip(1), ownedBy(other))), cause: cause, want: caused([]kea.HWAddress{mac1})},
		"Adopted":      {reason: "The first owner as well.", known: new(host(mac1, ip(1))), read: mine(), cause: cause, want: caused([]kea.HWAddress{mac1})},
		"Removed":      {reason: "A host that was removed concerns both, and has not vanished.", known: mine(), cause: cause, want: caused([]kea.HWAddress{mac1}, ip(1))},
		"Gone":         {reason: "One that is gone without a cause has vanished.", known: mine(), want: woken([]kea.HWAddress{mac1}, ip(1)), vanished: true},
		"GoneUnmarked": {reason: "One without a mark is not missed.", known: new(host(mac1, ip(1))), want: woken([]kea.HWAddress{mac1}, ip(1))},
		"GoneAbroad":   {reason: "Nor is one of another cluster.", known: new(host(mac1, ip(1), ownedBy(abroad))), want: woken([]kea.HWAddress{mac1}, ip(1))},
		"NeverThere":   {reason: "One that was not there is not missed.", want: changes{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := content{subnets: []kea.Subnet{subnet1}}
			if tc.known != nil {
				c.memory = []kea.Reservation{*tc.known}
			}
			m := scanned(c, inMemory)
			checkChanges(t, tc.reason, tc.want, m.PutHost(memory, key(mac1), tc.read, tc.cause))
			v := viewOf(t, m, mac1, noon)
			if diff := cmp.Diff(tc.read, v.Host, equate()); diff != "" {
				t.Errorf("%s\nViews(...): -want, +got:\n%s", tc.reason, diff)
			}
			if (v.Vanished != nil) != tc.vanished {
				t.Errorf("%s\nViews(...): vanished: %+v, want one: %t", tc.reason, v.Vanished, tc.vanished)
			}
			after := content{subnets: c.subnets}
			if tc.read != nil {
				after.memory = []kea.Reservation{*tc.read}
			}
			if next := scan(m, after, inMemory, noon.Add(time.Minute)); !next.Empty() {
				t.Errorf("%s\nCommit(...): %+v, want no changes, as the read has reported them", tc.reason, next)
			}
		})
	}
	if got := mirror.New(cluster).PutHost(memory, key(mac1), mine(), ""); !got.Empty() {
		t.Errorf("PutHost(...) before the first scan: %+v, want no changes", got)
	}
}

func TestPutHolders(t *testing.T) {
	t.Parallel()
	client := kea.Reservation{SubnetID: 1, ClientID: "01AA", IPAddress: ip(1)}
	cases := map[string]struct {
		reason  string
		known   []kea.Reservation
		found   []kea.Reservation
		want    changes
		holders []string
		next    content
		later   changes
	}{
		"Same": {
			reason: "A read that confirms what is known concerns nothing.",
			known:  []kea.Reservation{host(mac1, ip(1))}, found: []kea.Reservation{host(mac1, ip(1))}, holders: []string{string(mac1)},
			next: content{memory: []kea.Reservation{host(mac1, ip(1))}},
		},
		"Found": {
			reason: "A host that was not known concerns its device, and those that wait for the address.",
			found:  []kea.Reservation{host(mac1, ip(1))}, holders: []string{string(mac1)}, want: woken([]kea.HWAddress{mac1}, ip(1)),
			next: content{memory: []kea.Reservation{host(mac1, ip(1))}},
		},
		"Moved": {
			reason: "One that has moved here leaves its former address.",
			known:  []kea.Reservation{host(mac1, ip(2))}, found: []kea.Reservation{host(mac1, ip(1))}, holders: []string{string(mac1)},
			want: woken([]kea.HWAddress{mac1}, ip(1), ip(2)), next: content{memory: []kea.Reservation{host(mac1, ip(1))}},
		},
		"MovedAway": {
			reason: "The next scan says where one that is not here any more is.",
			known:  []kea.Reservation{host(mac1, ip(1))},
			next:   content{memory: []kea.Reservation{host(mac1, ip(2))}}, later: woken([]kea.HWAddress{mac1}, ip(1), ip(2)),
		},
		"Gone": {
			reason: "Also where it is gone.",
			known:  []kea.Reservation{host(mac1, ip(1))}, later: woken([]kea.HWAddress{mac1}, ip(1)),
		},
		"Two": {
			reason: "Kea can have two hosts with one address (ip-reservations-unique false).",
			known:  []kea.Reservation{host(mac1, ip(1))}, found: []kea.Reservation{host(mac1, ip(1)), client}, holders: []string{string(mac1), "01AA"},
			want: woken(nil, ip(1)), next: content{memory: []kea.Reservation{host(mac1, ip(1)), client}},
		},
		"OtherIdentifierGone": {
			reason: "A host without a hardware address that is gone concerns those that wait for the address.",
			known:  []kea.Reservation{client}, want: woken(nil, ip(1)),
		},
		"OtherIdentifierSame": {
			reason: "One that is there still does not.",
			known:  []kea.Reservation{client}, found: []kea.Reservation{client}, holders: []string{"01AA"},
			next: content{memory: []kea.Reservation{client}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: tc.known}, inMemory)
			checkChanges(t, tc.reason, tc.want, m.PutHolders(memory, 1, ip(1), tc.found))
			asks := intent(mac3)
			asks.Address = ip(1)
			views, _ := m.Views([]string{"kea1"}, asks, noon)
			var holders []string
			for _, r := range views[0].Holders {
				holders = append(holders, string(r.HWAddress)+r.ClientID)
			}
			if diff := cmp.Diff(tc.holders, holders); diff != "" {
				t.Errorf("%s\nViews(...): holders: -want, +got:\n%s", tc.reason, diff)
			}
			tc.next.subnets = []kea.Subnet{subnet1}
			checkChanges(t, tc.reason, tc.later, scan(m, tc.next, inMemory, noon.Add(time.Minute)))
		})
	}
	if got := mirror.New(cluster).PutHolders(memory, 1, ip(1), []kea.Reservation{client}); !got.Empty() {
		t.Errorf("PutHolders(...) before the first scan: %+v, want no changes", got)
	}
}

// TestHoldersLeft: the others of several hosts with one address still have it when one of them has
// gone.
func TestHoldersLeft(t *testing.T) {
	t.Parallel()
	all := []kea.HWAddress{mac1, mac2, "00:00:00:00:00:04"}
	for n := 1; n <= len(all); n++ {
		for gone := range n {
			t.Run(fmt.Sprintf("%dOf%d", gone+1, n), func(t *testing.T) {
				var known []kea.Reservation
				var want []kea.HWAddress
				for i, hw := range all[:n] {
					known = append(known, host(hw, ip(1)))
					if i != gone {
						want = append(want, hw)
					}
				}
				m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: known}, inMemory)
				m.PutHost(memory, key(all[gone]), nil, "")
				asks := intent(mac3)
				asks.Address = ip(1)
				views, _ := m.Views([]string{"kea1"}, asks, noon)
				var got []kea.HWAddress
				for _, r := range views[0].Holders {
					got = append(got, r.HWAddress)
				}
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("Views(...): holders: -want, +got:\n%s", diff)
				}
			})
		}
	}
}

// TestWitness is about another host that shows that a store is there.
func TestWitness(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}, database: []kea.Reservation{host(mac1, ip(1))}}, inDatabase)
	if k, ok := m.Witness(database, key(mac2)); !ok || k != key(mac1) {
		t.Errorf("Witness(...): %v, %t, want %v", k, ok, key(mac1))
	}
	if k, ok := m.Witness(database, key(mac1)); ok {
		t.Errorf("Witness(...): %v, want none beside the host itself", k)
	}
	if k, ok := m.Witness(memory, key(mac2)); ok {
		t.Errorf("Witness(...): %v, want none in memory", k)
	}
	sc := m.BeginScan("kea1", noon)
	fill(sc, content{database: []kea.Reservation{host(mac2, ip(2)), {SubnetID: 1, ClientID: "01AA"}}}, noon)
	if inDB, inMem := sc.Count(kea.TargetDatabase), sc.Count(kea.TargetMemory); inDB != 2 || inMem != 0 {
		t.Errorf("Count(...): %d in the database and %d in memory, want 2 and 0", inDB, inMem)
	}
}
