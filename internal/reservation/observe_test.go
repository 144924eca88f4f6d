// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestObserve(t *testing.T) {
	t.Parallel()
	type seen struct {
		State       reservation.State
		Exists      bool
		Held        string
		SubnetID    uint32
		Lease       string
		Leases      int
		LeasesKnown bool
		Ignored     string
		Occupant    kea.HWAddress
	}
	inPool := func(v *reservation.View) {
		v.Policy = &kea.SubnetPolicy{ReservationsInSubnet: true, ReservationsOutOfPool: true, Pools: []kea.Pool{{First: ip(50), Last: ip(59)}}}
	}
	const ignored = "Kea ignores the reservation: reservations-out-of-pool is true for 10.123.0.0/24, and 10.123.0.50 is inside a pool: " +
		"set it to false in Kea's configuration, or choose an address outside the pools"
	cases := map[string]struct {
		reason string
		views  []reservation.View
		in     reservation.Intent
		want   seen
	}{
		"Nothing": {
			reason: "A server that has the subnet and no reservation.",
			views:  []reservation.View{view("memory@kea1")},
			in:     in(ip(50)),
			want:   seen{State: reservation.Pending, Held: "", SubnetID: 1, LeasesKnown: true},
		},
		"NoSubnet": {
			reason: "A server that lacks the subnet has nothing to say.",
			views:  []reservation.View{view("memory@kea1", noSubnet())},
			in:     in(ip(50)),
			want:   seen{State: reservation.SubnetNotFound},
		},
		"SecondServer": {
			reason: "What a server holds is found wherever it is.",
			views:  []reservation.View{view("memory@kea1", noSubnet()), view("memory@kea2", has(host(ip(50), ownedBy(me))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.Reserved, Exists: true, Held: "10.123.0.50", SubnetID: 1, LeasesKnown: true},
		},
		"Others": {
			reason: "Another's reservation is held, and does not exist for this intent.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(vm02))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.OwnedByAnother, Held: "10.123.0.51", SubnetID: 1, LeasesKnown: true},
		},
		"OthersOnOneOfTwo": {
			reason: "It exists if one server has one that can be this intent's.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(vm02)))), view("memory@kea2", has(host(ip(50))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.OwnedByAnother, Exists: true, Held: "10.123.0.51", SubnetID: 1, LeasesKnown: true},
		},
		"CopyInForce": {
			reason: "What is held is what Kea uses: a copy in memory before the one in the database.",
			views:  []reservation.View{view("database@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(ip(51))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.Pending, Exists: true, Held: "10.123.0.51", SubnetID: 1, LeasesKnown: true},
		},
		"CopyWithoutAddress": {
			reason: "A copy in memory without an address gives the device none, so the one in the database counts.",
			views:  []reservation.View{view("database@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(none)))},
			in:     in(ip(50)),
			want:   seen{State: reservation.Pending, Exists: true, Held: "10.123.0.50", SubnetID: 1, LeasesKnown: true},
		},
		"CopyInDatabase": {
			reason: "A copy in the database is not used beside one in memory.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("database@kea1", notPrimary, has(host(ip(51))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.Reserved, Exists: true, Held: "10.123.0.50", SubnetID: 1, LeasesKnown: true},
		},
		"FirstAway": {
			reason: "The subnet is that of the first server, down or not; what is held is looked for where it can be.",
			views: []reservation.View{
				view("memory@kea1", has(host(ip(50), ownedBy(me))), func(v *reservation.View) { v.Away = true }),
				view("memory@kea2", has(host(ip(51), ownedBy(me))), func(v *reservation.View) { v.Subnet.ID = 7 }),
			},
			in:   in(ip(51)),
			want: seen{State: reservation.Reserved, Exists: true, Held: "10.123.0.51", SubnetID: 1, LeasesKnown: true},
		},
		"Leases": {
			reason: "The newest lease is that of any server; all of them are listed.",
			views: []reservation.View{
				view("memory@kea1", leased(lease(ip(60), noon), lease(ip(61), noon.Add(-time.Minute)))), view("memory@kea2", leased(lease(ip(62), noon.Add(time.Minute)))),
			},
			in:   in(none),
			want: seen{State: reservation.Pending, SubnetID: 1, Lease: "10.123.0.62", Leases: 3, LeasesKnown: true},
		},
		"LeasesUnknown": {
			reason: "A server may not be able to list its leases.",
			views:  []reservation.View{view("memory@kea1", func(v *reservation.View) { v.LeasesKnown = false })},
			in:     in(ip(50)),
			want:   seen{State: reservation.Pending, SubnetID: 1},
		},
		"Ignored": {
			reason: "What is held is ignored by Kea.",
			views:  []reservation.View{view("memory@kea1", inPool, has(host(ip(50), ownedBy(me))))},
			in:     in(ip(50)),
			want:   seen{State: reservation.IgnoredByKea, Exists: true, Held: "10.123.0.50", SubnetID: 1, LeasesKnown: true, Ignored: ignored},
		},
		"IgnoredNow": {
			reason: "What is held is judged, not what is wanted instead.",
			views:  []reservation.View{view("memory@kea1", inPool, has(host(ip(50), ownedBy(me))))},
			in:     in(ip(49)),
			want:   seen{State: reservation.Pending, Exists: true, Held: "10.123.0.50", SubnetID: 1, LeasesKnown: true, Ignored: ignored},
		},
		"Occupied": {
			reason: "Another device has the address that is wanted.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", func(v *reservation.View) { v.Occupants = []kea.Lease{{IPAddress: ip(50), HWAddress: otherMAC}} })},
			in:     in(ip(50)),
			want:   seen{State: reservation.Pending, SubnetID: 1, LeasesKnown: true, Occupant: otherMAC},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := reservation.Observe(tc.views, tc.in, me)
			got := seen{State: o.State, Exists: o.Exists, SubnetID: o.Subnet.ID, Leases: len(o.Leases), LeasesKnown: o.LeasesKnown, Ignored: o.Ignored}
			if o.Held != nil {
				got.Held = text(o.Held.IPAddress)
			}
			if o.Lease != nil {
				got.Lease = text(o.Lease.IPAddress)
			}
			if o.Occupant != nil {
				got.Occupant = o.Occupant.HWAddress
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nObserve(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestAddress is about what address is reserved, and where it comes from.
func TestAddress(t *testing.T) {
	t.Parallel()
	type found struct {
		Address              string
		FromLease, NeedLease bool
		Candidates           []string
	}
	cases := map[string]struct {
		reason string
		views  []reservation.View
		in     reservation.Intent
		want   found
	}{
		"Given": {
			reason: "The address that is asked for comes first.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51))), leased(lease(ip(60), noon)))},
			in:     in(ip(50)),
			want:   found{Address: "10.123.0.50", Candidates: []string{"10.123.0.50", "10.123.0.51", "10.123.0.60"}},
		},
		"Reserved": {
			reason: "Then that of the reservation there is, on the first server that has one.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", has(host(ip(51))), leased(lease(ip(60), noon)))},
			in:     in(none),
			want:   found{Address: "10.123.0.51", Candidates: []string{"10.123.0.51", "10.123.0.60"}},
		},
		"BeforeVanished": {
			reason: "One that is there comes before one that was.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(52)))), view("memory@kea2", has(host(ip(51))))},
			in:     in(none),
			want:   found{Address: "10.123.0.51", Candidates: []string{"10.123.0.52", "10.123.0.51"}},
		},
		"Vanished": {
			reason: "One that was comes before a lease.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(52))), leased(lease(ip(60), noon)))},
			in:     in(none),
			want:   found{Address: "10.123.0.52", Candidates: []string{"10.123.0.52", "10.123.0.60"}},
		},
		"WithoutAddress": {
			reason: "A reservation without an address promises none.",
			views:  []reservation.View{view("memory@kea1", has(host(none)), leased(lease(ip(60), noon)))},
			in:     in(none),
			want:   found{Address: "10.123.0.60", FromLease: true, Candidates: []string{"10.123.0.60"}},
		},
		"InForce": {
			reason: "Of two in one server, that which Kea uses.",
			views:  []reservation.View{view("database@kea1", has(host(ip(50)))), view("memory@kea1", notPrimary, has(host(ip(51))))},
			in:     in(none),
			want:   found{Address: "10.123.0.51", Candidates: []string{"10.123.0.50", "10.123.0.51"}},
		},
		"Newest": {
			reason: "The newest lease over all servers; each address is a candidate once.",
			views: []reservation.View{
				view("memory@kea1", leased(lease(ip(60), noon))), view("memory@kea2", leased(lease(ip(61), noon.Add(time.Second)), lease(ip(60), noon))),
			},
			in:   in(none),
			want: found{Address: "10.123.0.61", FromLease: true, Candidates: []string{"10.123.0.60", "10.123.0.61"}},
		},
		"NewestFirst": {
			reason: "Also where it is on the first one.",
			views:  []reservation.View{view("memory@kea1", leased(lease(ip(60), noon))), view("memory@kea2", leased(lease(ip(61), noon.Add(-time.Second))))},
			in:     in(none),
			want:   found{Address: "10.123.0.60", FromLease: true, Candidates: []string{"10.123.0.60", "10.123.0.61"}},
		},
		"Waiting": {
			reason: "Without any, a lease is needed.",
			views:  []reservation.View{view("memory@kea1")},
			in:     in(none),
			want:   found{Address: "none", NeedLease: true},
		},
		"WaitingOnOne": {
			reason: "One server that can list its leases is enough to wait for one.",
			views:  []reservation.View{view("memory@kea1", func(v *reservation.View) { v.LeasesKnown = false }), view("memory@kea2")},
			in:     in(none),
			want:   found{Address: "none", NeedLease: true},
		},
		"CannotWait": {
			reason: "Where no server can, there is nothing to wait for.",
			views:  []reservation.View{view("memory@kea1", func(v *reservation.View) { v.LeasesKnown = false })},
			in:     in(none),
			want:   found{Address: "none"},
		},
		"NoSubnet": {
			reason: "Nor is there where no server has the subnet.",
			views:  []reservation.View{view("memory@kea1", noSubnet())},
			in:     in(none),
			want:   found{Address: "none"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := found{
				Address:   text(reservation.Address(tc.views, tc.in)),
				FromLease: reservation.AddressComesFromLease(tc.views, tc.in),
				NeedLease: reservation.NeedsLease(tc.views, tc.in),
			}
			for _, a := range reservation.Candidates(tc.views, tc.in) {
				got.Candidates = append(got.Candidates, text(a))
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
