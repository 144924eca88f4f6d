// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// addresses returns those of leases, in their order.
func addresses(all []kea.Lease) []string {
	var out []string
	for _, l := range all {
		out = append(out, l.IPAddress.String())
	}
	return out
}

// TestLeases is about which leases of a device a view has.
func TestLeases(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		leases []kea.Lease
		at     time.Duration
		want   []string
	}{
		"NewestFirst": {
			reason: "The newest lease comes first, in whatever order Kea lists them.",
			leases: []kea.Lease{lease(mac1, ip(1), noon.Add(-time.Minute)), lease(mac1, ip(2), noon), lease(mac2, ip(3), noon)},
			want:   []string{"10.1.0.2", "10.1.0.1"},
		},
		"SameAge":     {reason: "Of two of the same second, that of the lower address.", leases: []kea.Lease{lease(mac1, ip(2), noon), lease(mac1, ip(1), noon)}, want: []string{"10.1.0.1", "10.1.0.2"}},
		"OtherSubnet": {reason: "Those in another subnet are not in this view.", leases: []kea.Lease{lease(mac1, ip(1), noon, func(l *kea.Lease) { l.SubnetID = 2 })}},
		"Past": {
			reason: "Leases of the past are none.",
			leases: []kea.Lease{
				lease(mac1, ip(1), noon, state(kea.LeaseStateReleased)), lease(mac1, ip(2), noon, state(kea.LeaseStateExpiredReclaimed)),
				lease(mac1, ip(3), noon, state(kea.LeaseStateDeclined)), lease(mac1, ip(4), noon.Add(-2*time.Hour)),
			},
		},
		"EndsSince": {reason: "One that has ended since it was read is none.", leases: []kea.Lease{lease(mac1, ip(1), noon)}, at: time.Hour},
		"Infinite":  {reason: "One without an end stays.", leases: []kea.Lease{lease(mac1, ip(1), noon, func(l *kea.Lease) { l.ValidLifetime = kea.InfiniteLifetime })}, at: 1000 * time.Hour, want: []string{"10.1.0.1"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, leases: tc.leases}, inMemory)
			got := addresses(viewOf(t, m, mac1, noon.Add(tc.at)).Leases)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nViews(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// listing is a listing of leases with a page for each.
func listing(asked time.Time, all ...kea.Lease) *mirror.LeaseListing {
	l := mirror.NewLeaseListing(asked)
	for i := range all {
		l.Add(all[i : i+1])
	}
	return l
}

// TestPutLeases is about readings of leases that overtake each other. Each case begins with the
// lease .1, asked for at noon.
func TestPutLeases(t *testing.T) {
	t.Parallel()
	all := func(m *mirror.Mirror, after time.Duration, leases ...kea.Lease) mirror.Changes {
		return m.PutLeases("kea1", listing(noon.Add(after), leases...))
	}
	of := func(m *mirror.Mirror, after time.Duration, leases ...kea.Lease) mirror.Changes {
		return m.PutLeasesOf("kea1", mac1, leases, noon.Add(after))
	}
	first, second := lease(mac1, ip(1), noon), lease(mac1, ip(2), noon.Add(time.Second))
	both := woken([]kea.HWAddress{mac1}, ip(1), ip(2))
	cases := map[string]struct {
		reason string
		do     func(*mirror.Mirror) mirror.Changes
		want   changes
		leases []string
		age    time.Duration
	}{
		"Renewed": {
			reason: "A renewal concerns nothing.", age: 50 * time.Second, leases: []string{"10.1.0.1"},
			do: func(m *mirror.Mirror) mirror.Changes {
				return of(m, 10*time.Second, lease(mac1, ip(1), noon.Add(5*time.Second)))
			},
		},
		"AllRenewed": {
			reason: "Nor do renewals in pages.", age: 50 * time.Second, leases: []string{"10.1.0.1"},
			do: func(m *mirror.Mirror) mirror.Changes {
				return all(m, 10*time.Second, lease(mac1, ip(1), noon.Add(5*time.Second)))
			},
		},
		"Other": {
			reason: "Another lease concerns the device and both addresses.", age: 50 * time.Second, leases: []string{"10.1.0.2"}, want: both,
			do: func(m *mirror.Mirror) mirror.Changes { return of(m, 10*time.Second, second) },
		},
		"AllOther": {
			reason: "So it does in pages.", age: 50 * time.Second, leases: []string{"10.1.0.2"}, want: both,
			do: func(m *mirror.Mirror) mirror.Changes { return all(m, 10*time.Second, second) },
		},
		"None": {
			reason: "That a device has none is known as well.", age: 50 * time.Second, want: woken([]kea.HWAddress{mac1}, ip(1)),
			do: func(m *mirror.Mirror) mirror.Changes { return of(m, 10*time.Second) },
		},
		"AskedBefore": {
			reason: "An answer that was asked for before all leases were is older than these.", age: time.Minute, leases: []string{"10.1.0.1"},
			do: func(m *mirror.Mirror) mirror.Changes { return of(m, -time.Second, second) },
		},
		"Overtaken": {
			reason: "Of two answers about a device, the one that was asked for later counts.", age: 50 * time.Second, leases: []string{"10.1.0.2"},
			do: func(m *mirror.Mirror) mirror.Changes {
				of(m, 10*time.Second, second)
				return of(m, 5*time.Second, first)
			},
		},
		"PagesOvertaken": {
			reason: "An answer about a device counts if it was asked for after the pages were.", age: 50 * time.Second, leases: []string{"10.1.0.2"},
			do: func(m *mirror.Mirror) mirror.Changes {
				of(m, 10*time.Second, second)
				return all(m, 5*time.Second, first)
			},
		},
		"PagesByPages": {
			reason: "Of two readings of pages, the one that was asked for later counts.", age: 50 * time.Second, leases: []string{"10.1.0.2"},
			do: func(m *mirror.Mirror) mirror.Changes {
				all(m, 10*time.Second, second)
				return all(m, 5*time.Second, first)
			},
		},
		"ScanByPages": {
			reason: "So do those of a scan.", age: 50 * time.Second, leases: []string{"10.1.0.2"},
			do: func(m *mirror.Mirror) mirror.Changes {
				sc := m.BeginScan("kea1", noon)
				fill(sc, content{subnets: []kea.Subnet{subnet1}, leases: []kea.Lease{first}}, noon.Add(5*time.Second))
				all(m, 10*time.Second, second)
				return m.Commit(sc, inMemory, noon.Add(11*time.Second))
			},
		},
		"PagesAfter": {
			reason: "The pages count if they were asked for later.", age: 50 * time.Second, leases: []string{"10.1.0.1"}, want: both,
			do: func(m *mirror.Mirror) mirror.Changes {
				of(m, 5*time.Second, second)
				return all(m, 10*time.Second, first)
			},
		},
		"ScanOvertaken": {
			reason: "The same holds for the pages of a scan.", age: 50 * time.Second, leases: []string{"10.1.0.2"},
			do: func(m *mirror.Mirror) mirror.Changes {
				sc := m.BeginScan("kea1", noon)
				fill(sc, content{subnets: []kea.Subnet{subnet1}, leases: []kea.Lease{first}}, noon.Add(5*time.Second))
				of(m, 10*time.Second, second)
				return m.Commit(sc, inMemory, noon.Add(11*time.Second))
			},
		},
		"NoneOvertaken": {
			reason: "That the device has none is an answer as well.", age: 50 * time.Second,
			do: func(m *mirror.Mirror) mirror.Changes { of(m, 10*time.Second); return all(m, 5*time.Second, first) },
		},
		"OtherServer": {
			reason: "A server that was never scanned has no leases.", age: time.Minute, leases: []string{"10.1.0.1"},
			do: func(m *mirror.Mirror) mirror.Changes {
				c := m.PutLeases("kea2", listing(noon, second))
				c.Merge(m.PutLeasesOf("kea2", mac1, []kea.Lease{second}, noon))
				return c
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, leases: []kea.Lease{first}}, inMemory)
			checkChanges(t, tc.reason, tc.want, tc.do(m))
			if diff := cmp.Diff(tc.leases, addresses(viewOf(t, m, mac1, noon).Leases)); diff != "" {
				t.Errorf("%s\nViews(...): -want, +got:\n%s", tc.reason, diff)
			}
			if age := m.AgeOfLeases("kea1", mac1, noon.Add(time.Minute)); age != tc.age {
				t.Errorf("%s\nAgeOfLeases(...): %s, want %s", tc.reason, age, tc.age)
			}
		})
	}
	if age := mirror.New(cluster).AgeOfLeases("kea1", mac1, noon); age < 1000*time.Hour {
		t.Errorf("AgeOfLeases(...) of a server that was never scanned: %s, want a long time", age)
	}
}

// TestPutLeasesOfPassedOn: an address that another device has got since is that device's, though
// the first one is read later.
func TestPutLeasesOfPassedOn(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}, leases: []kea.Lease{lease(mac1, ip(9), noon)}}, inMemory)
	m.PutLeasesOf("kea1", mac2, []kea.Lease{lease(mac2, ip(9), noon.Add(time.Second))}, noon.Add(2*time.Second))
	m.PutLeasesOf("kea1", mac1, nil, noon.Add(3*time.Second))
	in := intent(mac1)
	in.Address = ip(9)
	views, _ := m.Views([]string{"kea1"}, in, noon.Add(4*time.Second))
	if o := views[0].Occupants; len(o) != 1 || o[0].HWAddress != mac2 {
		t.Errorf("Views(...): occupants %+v, want %s", o, mac2)
	}
}

// TestOccupants is about leases that other devices have of the address that is wanted.
func TestOccupants(t *testing.T) {
	t.Parallel()
	declined := lease("", ip(9), noon, state(kea.LeaseStateDeclined))
	cases := map[string]struct {
		reason string
		leases []kea.Lease
		at     time.Duration
		want   []string
	}{
		"Own":      {reason: "The device's own lease does not occupy it.", leases: []kea.Lease{lease(mac1, ip(9), noon)}},
		"Others":   {reason: "Another's does.", leases: []kea.Lease{lease(mac2, ip(9), noon)}, want: []string{"10.1.0.9"}},
		"Ended":    {reason: "Not once it has ended.", leases: []kea.Lease{lease(mac2, ip(9), noon)}, at: time.Hour},
		"Declined": {reason: "A declined address is occupied by whatever has it.", leases: []kea.Lease{declined}, at: 2 * time.Hour, want: []string{"10.1.0.9"}},
		"Released": {reason: "A released one is free.", leases: []kea.Lease{lease(mac2, ip(9), noon, state(kea.LeaseStateReleased))}},
		"Else":     {reason: "Other addresses do not matter.", leases: []kea.Lease{lease(mac2, ip(8), noon)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(content{subnets: []kea.Subnet{subnet1}, leases: tc.leases}, inMemory)
			in := intent(mac1)
			in.Address = ip(9)
			views, _ := m.Views([]string{"kea1"}, in, noon.Add(tc.at))
			if diff := cmp.Diff(tc.want, addresses(views[0].Occupants)); diff != "" {
				t.Errorf("%s\nViews(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
