// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestVanished follows a reservation that has gone.
func TestVanished(t *testing.T) {
	t.Parallel()
	full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me), named("theirs"))}}
	gone := content{subnets: full.subnets}
	cases := map[string]struct {
		reason string
		then   func(*mirror.Mirror)
		want   string
	}{
		"Remembered": {
			reason: "It is remembered over later scans.",
			then:   func(m *mirror.Mirror) { scan(m, gone, inMemory, noon.Add(2*time.Minute)) },
			want:   "theirs",
		},
		"Back": {
			reason: "Once it is back it is not, and its next loss is one of what it was then.",
			then: func(m *mirror.Mirror) {
				scan(m, content{subnets: full.subnets, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me), named("new"))}}, inMemory, noon.Add(2*time.Minute))
				scan(m, gone, inMemory, noon.Add(3*time.Minute))
			},
			want: "new",
		},
		"BackUnmarked": {
			reason: "What comes back without a mark is not missed when it goes again.",
			then: func(m *mirror.Mirror) {
				scan(m, content{subnets: full.subnets, memory: []kea.Reservation{host(mac1, ip(1))}}, inMemory, noon.Add(2*time.Minute))
				scan(m, gone, inMemory, noon.Add(3*time.Minute))
			},
		},
		"PutBack": {
			reason: "So it is after the provider has put it back, and its mark was removed before it went again.",
			then: func(m *mirror.Mirror) {
				m.PutHost(memory, key(mac1), new(host(mac1, ip(1))), "ns/a")
				scan(m, gone, inMemory, noon.Add(3*time.Minute))
			},
		},
		"FoundByAddress": {
			reason: "So it is after it was found by its address.",
			then: func(m *mirror.Mirror) {
				m.PutHolders(memory, 1, ip(1), []kea.Reservation{host(mac1, ip(1))})
				scan(m, gone, inMemory, noon.Add(3*time.Minute))
			},
		},
		"Removed": {
			reason: "What the provider removes after that stays remembered until its resource is gone.",
			then:   func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), nil, "ns/a") },
			want:   "theirs",
		},
		"Forgotten": {
			reason: "A resource that is gone wants nothing back.",
			then:   func(m *mirror.Mirror) { m.Forget(intent(mac1), me) },
		},
		"OtherForgotten": {
			reason: "That of another device is not forgotten with it.",
			then:   func(m *mirror.Mirror) { m.Forget(intent(mac2), me) },
			want:   "theirs",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(full, inMemory)
			scan(m, gone, inMemory, noon.Add(time.Minute))
			tc.then(m)
			got := ""
			if v := viewOf(t, m, mac1, noon); v.Vanished != nil {
				got = v.Vanished.Hostname
			}
			if got != tc.want {
				t.Errorf("%s\nViews(...): vanished %q, want %q", tc.reason, got, tc.want)
			}
		})
	}
}

// TestVanishedInDatabase: what has gone from one place and is in no other is remembered for the
// place that reservations are written to.
func TestVanishedInDatabase(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}}, inDatabase)
	m.PutHost(memory, key(mac1), nil, "")
	views, _ := m.Views([]string{"kea1"}, intent(mac1), noon)
	if len(views) != 2 || views[0].Vanished == nil || views[1].Vanished != nil {
		t.Errorf("Views(...): %+v, want it vanished in the first, which is the database", views)
	}
}
