// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// scanAfterStart is scan for a Kea that has been started since the last one.
func scanAfterStart(m *mirror.Mirror, c content, at time.Time) {
	sc := m.BeginScan("kea1", at)
	sc.SetMemoryLost()
	fill(sc, c, at)
	m.Commit(sc, inMemory, at)
}

// TestPutBack adds a reservation that has gone, and asks whether Kea has to be read for it.
func TestPutBack(t *testing.T) {
	t.Parallel()
	had := host(mac1, ip(1), ownedBy(me), named("vm1"))
	full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{had}}
	gone := content{subnets: full.subnets}
	start := func(m *mirror.Mirror) { scanAfterStart(m, gone, noon.Add(time.Minute)) }
	startAgain := func(m *mirror.Mirror) { scanAfterStart(m, gone, noon.Add(5*time.Minute)) }
	putBack := func(m *mirror.Mirror) { m.PutBack(memory, key(mac1), had) }
	listed := func(m *mirror.Mirror) { scan(m, full, inMemory, noon.Add(2*time.Minute)) }
	goes := func(m *mirror.Mirror) { scan(m, gone, inMemory, noon.Add(3*time.Minute)) }
	cases := map[string]struct {
		reason string
		before []func(*mirror.Mirror)
		added  kea.Reservation
		want   bool
	}{
		"AsItWas": {
			reason: "What went when Kea was started, and is accepted as it was, is there.",
			before: []func(*mirror.Mirror){start}, added: had, want: true,
		},
		"Otherwise": {
			reason: "Kea may make something else of what it has not had like that.",
			before: []func(*mirror.Mirror){start}, added: host(mac1, ip(1), ownedBy(me), named("vm2")),
		},
		"OtherOwner": {
			reason: "The mark of ownership is a part of it.",
			before: []func(*mirror.Mirror){start}, added: host(mac1, ip(1), ownedBy(other), named("vm1")),
		},
		"OtherContext": {
			reason: "So is what others have in its user-context.",
			before: []func(*mirror.Mirror){start}, added: host(mac1, ip(1), named("vm1"), func(r *kea.Reservation) {
				ownedBy(me)(r)
				r.UserContext["site"] = "rack7"
			}),
		},
		"GoneWithoutStart": {
			reason: "Why a reservation has gone from a Kea that was not started is not known.",
			before: []func(*mirror.Mirror){goes}, added: had,
		},
		"GoneAgain": {
			reason: "What was put back, and is gone without another start, may be something that Kea does not keep.",
			before: []func(*mirror.Mirror){start, putBack, goes}, added: had,
		},
		"StartedAgain": {
			reason: "Each start costs Kea its memory.",
			before: []func(*mirror.Mirror){start, putBack, listed, startAgain}, added: had, want: true,
		},
		"StartedTwice": {
			reason: "So it is if Kea is started again before anything was put back.",
			before: []func(*mirror.Mirror){start, startAgain}, added: had, want: true,
		},
		"StartedAgainUnread": {
			reason: "What no page has shown since it was put back may be something that Kea does not keep.",
			before: []func(*mirror.Mirror){start, putBack, startAgain}, added: had,
		},
		"StartedAfterItWent": {
			reason: "What had gone before Kea was started did not go with its memory.",
			before: []func(*mirror.Mirror){goes, startAgain}, added: had,
		},
		"ReadAndGone": {
			reason: "What was read back after the start, and goes later, did not go with its memory.",
			before: []func(*mirror.Mirror){start, func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), &had, "ns/a") }, goes}, added: had,
		},
		"ListedAndGone": {
			reason: "So it is with what a scan has found after the start.",
			before: []func(*mirror.Mirror){start, listed, goes}, added: had,
		},
		"ScanFailed": {
			reason: "A scan that fails after the start is repeated.",
			before: []func(*mirror.Mirror){func(m *mirror.Mirror) {
				sc := m.BeginScan("kea1", noon.Add(time.Minute))
				sc.SetMemoryLost()
				m.Abandon(sc)
			}, start}, added: had, want: true,
		},
		"DatabaseGone": {
			reason: "What was in a database that Kea was started without was not in its memory.",
			before: []func(*mirror.Mirror){func(m *mirror.Mirror) {
				scan(m, content{subnets: full.subnets, database: full.memory}, inDatabase, noon.Add(time.Minute))
			}, startAgain}, added: had,
		},
		"ScannedAgain": {
			reason: "Putting many back takes longer than a scan.",
			before: []func(*mirror.Mirror){start, goes}, added: had, want: true,
		},
		"Forgotten": {
			reason: "Of a resource that is gone nothing is known.",
			before: []func(*mirror.Mirror){start, func(m *mirror.Mirror) { m.Forget(intent(mac1), me) }}, added: had,
		},
		"ReadMeanwhile": {
			reason: "What has been read since says more.",
			before: []func(*mirror.Mirror){start, func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), new(host(mac1, ip(1))), "") }}, added: had,
		},
		"NeverThere": {
			reason: "A new reservation has not been there.",
			before: []func(*mirror.Mirror){start}, added: host(mac2, ip(2), ownedBy(other)),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(full, inMemory)
			for _, do := range tc.before {
				do(m)
			}
			k := key(tc.added.HWAddress)
			m.SetUnconfirmed(memory, k, nil)
			ok := m.PutBack(memory, k, tc.added)
			if ok != tc.want || m.Unconfirmed("kea1", k) == tc.want {
				t.Errorf("%s\nPutBack(...): %t, unconfirmed after it: %t; want %t, %t", tc.reason, ok, m.Unconfirmed("kea1", k), tc.want, !tc.want)
			}
			v := viewOf(t, m, mac1, noon)
			if tc.want && (v.Host == nil || v.Host.Hostname != "vm1" || v.Vanished != nil) {
				t.Errorf("%s\nViews(...): %+v, want the host, and none that vanished", tc.reason, v)
			}
		})
	}
}

// TestPutBackWhileScanned: a scan that has read the place of a host before it was put back says nothing
// about it.
func TestPutBackWhileScanned(t *testing.T) {
	t.Parallel()
	had := host(mac1, ip(1), ownedBy(me))
	full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{had}}
	gone := content{subnets: full.subnets}
	m := scanned(full, inMemory)
	scanAfterStart(m, gone, noon.Add(time.Minute))
	sc := m.BeginScan("kea1", noon.Add(2*time.Minute))
	fill(sc, gone, noon.Add(2*time.Minute))
	if !m.PutBack(memory, key(mac1), had) {
		t.Fatal("PutBack(...): false, want true")
	}
	m.Commit(sc, inMemory, noon.Add(2*time.Minute))
	if !m.Holds(memory, key(mac1)) {
		t.Error("the host is gone after the scan, want it there")
	}
}
