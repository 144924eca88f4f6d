// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestEndedGroup: a caller that still has a group which has ended, as its provider configuration is
// another process's by now, changes nothing in Kea.
func TestEndedGroup(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		w.step("want a 02:00:00:00:00:01 10.64.0.10")
		w.tick(time.Second)
		in := w.resources["a"].intent
		ended := w.group
		w.stop()
		w.kea.ResetCommands()
		if err := ended.Release(t.Context(), in, false); err == nil {
			t.Error("Release: want an error")
		}
		in.Hostname = new("other")
		if _, err := ended.Apply(t.Context(), in); err == nil {
			t.Error("Apply: want an error")
		}
		if got := w.kea.Commands(); len(got) > 0 {
			t.Errorf("Kea was sent %v, want nothing", got)
		}
	})
}
