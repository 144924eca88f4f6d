// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideConflict(t *testing.T) {
	t.Parallel()
	const (
		choose = ": choose another spec.forProvider.ipAddress, or remove that reservation"
		swap   = ": choose another spec.forProvider.ipAddress, or give that KeaReservation another one first; " +
			"to swap two addresses, give one of the two a free address, wait until both are Ready, and set it to its new one then"
	)
	holder := func(change ...func(*kea.Reservation)) func(*reservation.View) {
		r := host(ip(50), func(r *kea.Reservation) { r.HWAddress = otherMAC })
		for _, c := range change {
			c(r)
		}
		return heldBy(*r)
	}
	conflict := func(message string, steps []string, servers ...string) plan {
		return plan{State: reservation.AddressConflict, Message: message, Address: "10.123.0.50", Steps: steps, Servers: servers}
	}
	runDecide(t, map[string]decideCase{
		"New": {
			reason: "The address of another host is not overwritten.",
			views:  []reservation.View{view("memory@kea1", holder(func(r *kea.Reservation) { r.Hostname = "printer" }))},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79 (hostname printer)"+choose, nil, "kea1 AddressConflict"),
		},
		"Moved": {
			reason: "A reservation keeps its address while the new one is another's.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(me))), holder())},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 AddressConflict"),
		},
		"ClientID": {
			reason: "A host without a hardware address is named by the identifier that it has.",
			views:  []reservation.View{view("memory@kea1", heldBy(kea.Reservation{SubnetID: 1, ClientID: "01AABB", IPAddress: ip(50)}))},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for client-id 01AABB"+choose, nil, "kea1 AddressConflict"),
		},
		"NoIdentifier": {
			reason: "A host of a kind that is not known is another host all the same.",
			views:  []reservation.View{view("memory@kea1", heldBy(kea.Reservation{SubnetID: 1, IPAddress: ip(50)}))},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for another host"+choose, nil, "kea1 AddressConflict"),
		},
		"Global": {
			reason: "A global reservation is named as one.",
			views:  []reservation.View{view("memory@kea1", holder(func(r *kea.Reservation) { r.SubnetID = 0 }))},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79 as a global reservation"+choose, nil, "kea1 AddressConflict"),
		},
		"InCopy": {
			reason: "A host in memory has the address, though the server's reservations are in the database.",
			views:  []reservation.View{view("database@kea1"), view("memory@kea1", notPrimary, holder())},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 AddressConflict"),
		},
		"OtherAddress": {
			reason: "A host that has another of the addresses looked up is not in the way.",
			views:  []reservation.View{view("memory@kea1", heldBy(kea.Reservation{SubnetID: 1, HWAddress: otherMAC, IPAddress: ip(51)}))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps: []string{"add memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
		"OnOneOfTwo": {
			reason: "A conflict on one server blocks the change on all, and the message names the server.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", holder())},
			in:     in(ip(50)),
			want:   conflict("on server kea2: 10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 Pending", "kea2 AddressConflict"),
		},
		"Swap": {
			reason: "Two resources of this cluster that swap their addresses learn how from the message.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(me))), holder(ownedBy(vm02)))},
			in:     in(ip(50)),
			want: conflict("10.123.0.50 is reserved for 00:02:12:34:56:79, which belongs to KeaReservation ns/vm02"+swap,
				nil, "kea1 AddressConflict"),
		},
		"OtherCluster": {
			reason: "What another cluster has cannot be swapped from here.",
			views:  []reservation.View{view("memory@kea1", holder(ownedBy(reservation.Owner{Cluster: "c2", Resource: "ns/vm02"})))},
			in:     in(ip(50)),
			want: conflict("10.123.0.50 is reserved for 00:02:12:34:56:79, which belongs to a KeaReservation of another cluster"+choose,
				nil, "kea1 AddressConflict"),
		},
		"Vanished": {
			reason: "A reservation that has gone comes back with its former address meanwhile.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(51), ownedBy(me))), holder())},
			in:     in(ip(50)),
			want: conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, []string{"add memory@kea1 10.123.0.51"},
				"kea1 AddressConflict"),
		},
		"VanishedOnBoth": {
			reason: "It comes back on every server that has lost it, wherever the conflict is.",
			views: []reservation.View{
				view("memory@kea1", lost(host(ip(51), ownedBy(me))), holder()), view("memory@kea2", lost(host(ip(51), ownedBy(me)))),
			},
			in: in(ip(50)),
			want: conflict("on server kea1: 10.123.0.50 is reserved for 00:02:12:34:56:79"+choose,
				[]string{"add memory@kea1 10.123.0.51", "add memory@kea2 10.123.0.51"}, "kea1 AddressConflict", "kea2 Pending"),
		},
		"VanishedWithoutAddress": {
			reason: "One that had no address helps the device nothing.",
			views:  []reservation.View{view("memory@kea1", lost(host(none, ownedBy(me))), holder())},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 AddressConflict"),
		},
		"VanishedAndTaken": {
			reason: "It does not come back if its former address is another's by now.",
			views: []reservation.View{view("memory@kea1", lost(host(ip(51), ownedBy(me))), heldBy(
				kea.Reservation{SubnetID: 1, HWAddress: otherMAC, IPAddress: ip(50)},
				kea.Reservation{SubnetID: 1, HWAddress: "00:02:12:34:56:80", IPAddress: ip(51)},
			))},
			in:   in(ip(50)),
			want: conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 AddressConflict"),
		},
		"VanishedItself": {
			reason: "The address that it had and should have is another's by now.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(50), ownedBy(me))), holder())},
			in:     in(ip(50)),
			want:   conflict("10.123.0.50 is reserved for 00:02:12:34:56:79"+choose, nil, "kea1 AddressConflict"),
		},
	})
}
