// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/reservation"
)

// A decided case is what Decide is asked for most: about a reservation that is as it should be, and
// about one that is to be made.
type decided struct {
	name  string
	views []reservation.View
	in    reservation.Intent
	want  reservation.State
	// most is how many allocations it may take, a little above what it took when this was written.
	most float64
}

func decidedCases() []decided {
	leased := func(v *reservation.View) { v.Leases = append(v.Leases, lease(ip(50), noon)) }
	held := has(host(ip(50), ownedBy(me)))
	return []decided{
		{"Reserved", []reservation.View{view("memory@kea1", held, leased)}, in(ip(50)), reservation.Reserved, 32},
		{"ReservedOnPair", []reservation.View{view("memory@kea1", held, leased), view("memory@kea2", held, leased)}, in(ip(50)), reservation.Reserved, 58},
		{"New", []reservation.View{view("memory@kea1", leased)}, in(none), reservation.Pending, 26},
	}
}

// BenchmarkDecide is what one decision costs. Observing a machine that is pinned takes one, pinning
// it a few.
func BenchmarkDecide(b *testing.B) {
	for _, tc := range decidedCases() {
		b.Run(tc.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if p := reservation.Decide(tc.views, tc.in, me); p.State != tc.want {
					b.Fatalf("Decide(...): %s %q, want %s", p.State, p.Message, tc.want)
				}
			}
		})
	}
}

// TestDecideAllocations: a decision allocates for the servers that there are, and not for what they
// have.
func TestDecideAllocations(t *testing.T) {
	for _, tc := range decidedCases() {
		views := tc.views
		for i := range views {
			for n := range 200 {
				views[i].Subnets = append(views[i].Subnets, subnet)
				views[i].Leases = append(views[i].Leases, lease(ip(50), noon.Add(-time.Duration(n)*time.Minute)))
				views[i].Identifiers = append(views[i].Identifiers, fmt.Sprintf("identifier%d", n))
			}
			views[i].Identifiers = append(views[i].Identifiers, "hw-address")
		}
		if got := testing.AllocsPerRun(100, func() { reservation.Decide(views, tc.in, me) }); got > tc.most {
			t.Errorf("%s: Decide(...) allocates %.0f times, want %.0f at most", tc.name, got, tc.most)
		}
	}
}
