// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"net/netip"
	"testing"
	"testing/synctest"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestPlaces: a group knows its subnets, and which resource the mark on a reservation names, once it has
// read a server.
func TestPlaces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.start()
		defer w.stop()
		here := reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.64.0.0/16")}
		there := reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.65.0.0/16")}
		const device = kea.HWAddress("02:00:00:01:00:01")
		check := func(reason string, has bool, mark string) {
			t.Helper()
			if got := w.group.HasSubnet(here); got != has {
				t.Errorf("%s: HasSubnet(%s): %t", reason, here, got)
			}
			if w.group.HasSubnet(there) {
				t.Errorf("%s: HasSubnet(%s): true", reason, there)
			}
			if got := w.group.MarkedBy(here, device); got != mark {
				t.Errorf("%s: MarkedBy(...): %q, want %q", reason, got, mark)
			}
		}
		check("empty", true, "")
		w.step("kea put memory 02:00:00:01:00:01 10.64.0.50")
		w.step("tick 31s")
		check("without a mark", true, "")
		w.step("want vm01 02:00:00:01:00:01 10.64.0.50")
		check("made by vm01", true, "ns/vm01")
	})
}
