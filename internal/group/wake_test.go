// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"maps"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestHealthWakes: a server that goes and comes back wakes the devices that could not be served
// meanwhile, and no others.
func TestHealthWakes(t *testing.T) {
	const reserved = 20
	for name, tc := range map[string]struct {
		reason string
		config string
		fault  string
	}{
		"Unreachable": {"A server that cannot be reached.", "servers=1", "kea fail any Refuse"},
		"Hanging":     {"One that hangs.", "servers=1", "kea fail any Hang"},
		"OneOfTwo":    {"One of two, the other of which serves meanwhile.", "servers=2", "kea2 fail any Refuse"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				var woken mirror.Changes
				notify := w.config.Notify
				w.config.Notify = func(c mirror.Changes) {
					notify(c)
					w.mu.Lock()
					defer w.mu.Unlock()
					woken.Merge(c)
				}
				w.step("config " + tc.config)
				w.start()
				defer w.stop()
				for i := range reserved {
					hw, ip := machine(i)
					w.step("want m" + strconv.Itoa(i) + " " + string(hw) + " " + ip)
				}
				w.tick(w.config.Interval)
				w.mu.Lock()
				woken = mirror.Changes{}
				w.mu.Unlock()
				w.step(tc.fault)
				w.tick(w.config.Interval)
				hw, ip := machine(reserved)
				w.step("want late " + string(hw) + " " + ip)
				w.tick(w.config.Interval)
				for _, k := range w.keas {
					k.ClearFaults()
				}
				w.tick(2 * w.config.Interval)
				if state := w.resources["late"].state; state != "Reserved "+ip {
					t.Errorf("%s The resource that came meanwhile is %q", tc.reason, state)
				}
				w.mu.Lock()
				defer w.mu.Unlock()
				if diff := cmp.Diff([]kea.HWAddress{hw}, slices.Sorted(maps.Keys(woken.HWAddresses))); diff != "" || woken.Everything || len(woken.Subnets) > 0 {
					t.Errorf("%s It woke, -want, +got:\n%s\neverything: %t, subnets: %v", tc.reason, diff, woken.Everything, woken.Subnets)
				}
			})
		})
	}
}

// TestTrackAway: a caller learns which servers are away, and its device is woken when one comes
// back.
func TestTrackAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		woken := map[kea.HWAddress]bool{}
		notify := w.config.Notify
		w.config.Notify = func(c mirror.Changes) {
			notify(c)
			w.mu.Lock()
			defer w.mu.Unlock()
			for hw := range c.HWAddresses {
				woken[hw] = true
			}
		}
		w.step("config servers=2")
		w.start()
		defer w.stop()
		check := func(when string, wantSome, wantAll bool) {
			t.Helper()
			hw, _ := machine(0)
			if some, all := w.group.TrackAway(hw); some != wantSome || all != wantAll {
				t.Errorf("%s: TrackAway(...): some %t, all %t, want %t, %t", when, some, all, wantSome, wantAll)
			}
		}
		check("both serve", false, false)
		w.step("kea2 fail any Refuse")
		w.tick(w.config.Interval)
		check("one serves", true, false)
		w.step("kea fail any Refuse")
		w.tick(w.config.Interval)
		check("none serves", true, true)
		for _, k := range w.keas {
			k.ClearFaults()
		}
		w.tick(2 * w.config.Interval)
		check("both serve again", false, false)
		w.mu.Lock()
		defer w.mu.Unlock()
		if hw, _ := machine(0); !woken[hw] {
			t.Errorf("%s was not woken, but %v", hw, woken)
		}
	})
}
