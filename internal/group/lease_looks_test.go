// SPDX-License-Identifier: Apache-2.0

package group

import (
	"strconv"
	"testing"
	"time"
)

// TestLeaseLooks: leases are looked for once a second, and less often where that takes much of Kea's
// time or nothing happens.
func TestLeaseLooks(t *testing.T) {
	subnets := func(n int) map[uint32]string {
		out := map[uint32]string{}
		for i := range n {
			out[uint32(i+1)] = strconv.Itoa(i)
		}
		return out
	}
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const never = 0
	cases := map[string]struct {
		reason   string
		looks    leaseLooks
		interval time.Duration
		want     time.Duration
	}{
		"NothingWaits":  {"There is nothing to look for.", leaseLooks{moved: now}, 30 * time.Second, never},
		"Waits":         {"A device that has begun to wait gets its lease soon.", leaseLooks{changed: subnets(1), moved: now}, 30 * time.Second, time.Second},
		"Silent":        {"Kea does not say when leases change: each look is a lookup of each device.", leaseLooks{changed: map[uint32]string{1: "x", 2: ""}, moved: now}, 30 * time.Second, never},
		"Interval":      {"Who asks for fewer snapshots asks for fewer looks.", leaseLooks{changed: subnets(1), moved: now}, 5 * time.Minute, 10 * time.Second},
		"ShortInterval": {"As a tick, a look is never sooner than 200 ms.", leaseLooks{changed: subnets(1), moved: now}, 3 * time.Second, minGap},
		"FourSubnets":   {"A few statistics cost Kea little.", leaseLooks{changed: subnets(4), moved: now}, 30 * time.Second, time.Second},
		"ManySubnets":   {"Four commands a second are enough.", leaseLooks{changed: subnets(10), moved: now}, 30 * time.Second, 2500 * time.Millisecond},
		"TooMany":       {"With so many the next heartbeat is sooner.", leaseLooks{changed: subnets(20), moved: now}, 30 * time.Second, never},
		"Idle":          {"A device that has waited for minutes may wait for days.", leaseLooks{changed: subnets(1), moved: now.Add(-2 * time.Minute)}, 30 * time.Second, 2 * time.Second},
		"IdleForLong":   {"It is looked for at heartbeats.", leaseLooks{changed: subnets(1), moved: now.Add(-time.Hour)}, 30 * time.Second, never},
		"Expensive":     {"Reading the leases of a large fleet takes a quarter of the time at most.", leaseLooks{changed: subnets(1), moved: now, took: 600 * time.Millisecond}, 30 * time.Second, 2400 * time.Millisecond},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, sooner := tc.looks.gap(tc.interval, now)
			if sooner != (tc.want != never) || sooner && got != tc.want {
				t.Errorf("%s\ngap(...): got %s, %t, want %s", tc.reason, got, sooner, tc.want)
			}
		})
	}
}
