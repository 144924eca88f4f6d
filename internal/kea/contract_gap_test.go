// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Rows of kea-dhcp6 in a database that both use: Kea counts them in a page and leaves them out, so
// that limit of them in a row read like the end.
func contractPageGaps(t *testing.T, st stand) {
	if st.target == kea.TargetMemory {
		return
	}
	s := st.start(t, setup{})
	var want []kea.Reservation
	add := func(subnetID uint32) {
		t.Helper()
		r := hostIn(subnetID, kea.HWAddress(fmt.Sprintf("00:00:00:00:01:%02x", len(want))), "")
		s.mustAdd(t, s.target, r)
		want = append(want, r)
	}
	check := func(what string) {
		t.Helper()
		if diff := cmp.Diff(want, s.all(t), compare); diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
	page := func(args string, result int) {
		t.Helper()
		wantResult(t, "reservation-get-page "+args, s.raw(t, "reservation-get-page", args), result)
	}
	s.addDHCPv6Hosts(1500) // ids 1 … 1500
	check("nothing but rows of kea-dhcp6")
	add(subnetA)
	add(subnetB)
	page(`{"limit": 1000}`, 3)
	page(`{"limit": 1000, "source-index": 1, "from": 0}`, 3)
	page(`{"limit": 1000, "source-index": 1, "from": 500}`, 3)
	page(`{"limit": 1001, "source-index": 1, "from": 500}`, 0)
	page(`{"limit": 1, "source-index": 1, "from": 0, "subnet-id": 1}`, 0)
	page(`{"limit": 1, "source-index": 1, "from": 1501, "subnet-id": 1}`, 3)
	page(`{"limit": 1, "source-index": 1, "from": 0, "subnet-id": 0}`, 3)
	check("rows before the first host")
	s.addDHCPv6Hosts(1500)
	check("rows at the end")
	add(subnetB)
	add(subnetA)
	check("rows between hosts")
	wantClass(t, "the delete", s.DeleteReservation(t.Context(), s.target, subnetB, want[2].HWAddress), "ok")
	want = append(want[:2], want[3])
	check("the first host behind a gap is gone")
	wantClass(t, "the delete", s.DeleteReservation(t.Context(), s.target, subnetB, want[1].HWAddress), "ok")
	wantClass(t, "the delete", s.DeleteReservation(t.Context(), s.target, subnetA, want[0].HWAddress), "ok")
	want = want[2:]
	check("the hosts before a gap are gone")
	s.mustAdd(t, kea.TargetMemory, host("00:00:00:00:02:00", ""))
	want = append([]kea.Reservation{host("00:00:00:00:02:00", "")}, want...)
	check("a host in memory")
}
