// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideHonored(t *testing.T) {
	t.Parallel()
	held := host(ip(50), ownedBy(me))
	policy := func(change func(*kea.SubnetPolicy)) func(*reservation.View) {
		return func(v *reservation.View) {
			p := kea.SubnetPolicy{Prefix: subnet.Prefix, ReservationsInSubnet: true, Pools: []kea.Pool{{First: ip(50), Last: ip(99)}}}
			change(&p)
			v.Policy = &p
		}
	}
	identifiers := func(names ...string) func(*reservation.View) {
		return func(v *reservation.View) { v.Identifiers = names }
	}
	ignored := func(message string) plan {
		return plan{
			State: reservation.IgnoredByKea, Message: "Kea ignores the reservation: " + message, Address: "10.123.0.50", Servers: []string{"kea1 IgnoredByKea"},
		}
	}
	fine := plan{State: reservation.Reserved, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}}
	runDecide(t, map[string]decideCase{
		"Honored": {
			reason: "Kea's defaults honor a reservation inside a pool.",
			views:  []reservation.View{view("memory@kea1", has(held), policy(func(*kea.SubnetPolicy) {}), identifiers("duid", "hw-address"))},
			in:     in(ip(50)),
			want:   fine,
		},
		"Unknown": {
			reason: "What is not known is not judged.",
			views:  []reservation.View{view("memory@kea1", has(held))},
			in:     in(ip(50)),
			want:   fine,
		},
		"Identifiers": {
			reason: "Kea that does not look for hardware addresses ignores all of ours.",
			views:  []reservation.View{view("memory@kea1", has(held), identifiers("client-id"))},
			in:     in(ip(50)),
			want:   ignored("host-reservation-identifiers does not include hw-address: add it in Kea's configuration"),
		},
		"NotInSubnet": {
			reason: "A subnet whose reservations Kea does not look for.",
			views:  []reservation.View{view("memory@kea1", has(held), policy(func(p *kea.SubnetPolicy) { p.ReservationsInSubnet = false }))},
			in:     in(ip(50)),
			want:   ignored("reservations-in-subnet is false for 10.123.0.0/24: set it to true in Kea's configuration"),
		},
		"InPool": {
			reason: "Kea does not look for reservations of addresses in pools.",
			views:  []reservation.View{view("memory@kea1", has(held), policy(func(p *kea.SubnetPolicy) { p.ReservationsOutOfPool = true }))},
			in:     in(ip(50)),
			want: ignored("reservations-out-of-pool is true for 10.123.0.0/24, and 10.123.0.50 is inside a pool: " +
				"set it to false in Kea's configuration, or choose an address outside the pools"),
		},
		"OutOfPool": {
			reason: "It looks for those outside.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(49), ownedBy(me))), policy(func(p *kea.SubnetPolicy) { p.ReservationsOutOfPool = true }))},
			in:     in(ip(49)),
			want:   plan{State: reservation.Reserved, Address: "10.123.0.49", Servers: []string{"kea1 Reserved"}},
		},
		"OnOneOfTwo": {
			reason: "The server that ignores it is named.",
			views: []reservation.View{
				view("memory@kea1", has(held)), view("memory@kea2", has(held), policy(func(p *kea.SubnetPolicy) { p.ReservationsInSubnet = false })),
			},
			in: in(ip(50)),
			want: plan{
				State: reservation.IgnoredByKea, Address: "10.123.0.50", Servers: []string{"kea1 Reserved", "kea2 IgnoredByKea"},
				Message: "on server kea2: Kea ignores the reservation: reservations-in-subnet is false for 10.123.0.0/24: set it to true in Kea's configuration",
			},
		},
		"WrittenAllTheSame": {
			reason: "What Kea is configured to ignore is made: the configuration may change.",
			views:  []reservation.View{view("memory@kea1", identifiers("client-id"))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps: []string{"add memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
	})
}

func TestDecideOccupant(t *testing.T) {
	t.Parallel()
	occupied := func(l kea.Lease) func(*reservation.View) {
		return func(v *reservation.View) { v.Occupants = []kea.Lease{l} }
	}
	reserved := func(message string) plan {
		return plan{State: reservation.Reserved, Message: message, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}}
	}
	runDecide(t, map[string]decideCase{
		"Leased": {
			reason: "The note says which device has the address for now.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), occupied(kea.Lease{IPAddress: ip(50), HWAddress: otherMAC, CLTT: noon, ValidLifetime: time.Hour}))},
			in:     in(ip(50)),
			want:   reserved("10.123.0.50 is leased to 00:02:12:34:56:79: the device gets another address until that lease ends"),
		},
		"NoHardwareAddress": {
			reason: "A lease need not say whose it is.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), occupied(kea.Lease{IPAddress: ip(50)}))},
			in:     in(ip(50)),
			want:   reserved("10.123.0.50 is leased to another device: the device gets another address until that lease ends"),
		},
		"Declined": {
			reason: "A declined address is not offered for a while.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), occupied(kea.Lease{IPAddress: ip(50), State: kea.LeaseStateDeclined}))},
			in:     in(ip(50)),
			want:   reserved("10.123.0.50 was declined: a device found it in use by an unknown host; Kea offers it again when the declined lease ends"),
		},
		"OtherAddress": {
			reason: "A lease of another address looked up says nothing.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), occupied(kea.Lease{IPAddress: ip(51), HWAddress: otherMAC}))},
			in:     in(ip(50)),
			want:   reserved(""),
		},
	})
}
