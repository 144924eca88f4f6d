// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// TestInitial: a server is as it was found until it begins to serve or ceases to; one that was added
// later never is.
func TestInitial(t *testing.T) {
	type seen struct {
		state   group.Health
		initial bool
	}
	down := func(w *world) { w.kea.Fail(keatest.Fault{Kind: keatest.Refuse}) }
	up := func(w *world) { w.kea.ClearFaults() }
	unreadable := func(w *world) {
		w.kea.ClearFaults()
		w.kea.Fail(keatest.Fault{Command: "reservation-get-page", Kind: keatest.Reject})
	}
	cases := map[string]struct {
		reason string
		before func(*world)
		steps  []func(*world)
		want   []seen
	}{
		"Up":   {"It serves from the beginning.", up, []func(*world){down, up}, []seen{{group.Up, true}, {group.Down, false}, {group.Up, false}}},
		"Down": {"It does not serve at the beginning.", down, []func(*world){unreadable, up}, []seen{{group.Down, true}, {group.Down, true}, {group.Up, false}}},
		"Added": {"Another one with its name was there before.", up, []func(*world){func(w *world) {
			w.config.Servers[0].Kea.URL = "http://other:8000"
			w.reconfigure()
		}}, []seen{{group.Up, true}, {group.Up, false}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.startKeas()
				tc.before(w)
				w.start()
				defer w.stop()
				for i, want := range tc.want {
					if i > 0 {
						tc.steps[i-1](w)
					}
					w.tick(10 * time.Minute)
					f := w.group.Servers()[0]
					if got := (seen{f.State, f.Initial}); got != want {
						t.Errorf("%s\nafter %d steps: %+v, want %+v", tc.reason, i, got, want)
					}
				}
			})
		})
	}
}
