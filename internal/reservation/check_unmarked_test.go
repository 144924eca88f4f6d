// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestDecideTakeover is about reservations that are there already, and whose they are.
func TestDecideTakeover(t *testing.T) {
	t.Parallel()
	wasReserved := func(i *reservation.Intent) { i.WasReserved = true }
	lateInitialized := func(i *reservation.Intent) { i.LateInitialized = true }
	spare := func(i *reservation.Intent) { i.Spare = []string{vm02.Resource} }
	never, unmarked := limit(inside(reservation.TakeNothing)), limit(inside(reservation.TakeUnmarked))
	one := func(r *kea.Reservation) []reservation.View { return []reservation.View{view("memory@kea1", has(r))} }
	blocked := func(state reservation.State, message string) plan {
		return plan{State: state, Message: message, Address: "10.123.0.50", Servers: []string{"kea1 " + string(state)}}
	}
	update := func(message string) plan {
		return plan{State: reservation.Pending, Message: message, Address: "10.123.0.50", Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"}}
	}
	const (
		mark     = "the mark of ownership is missing or differs"
		moved    = "ip-address 10.123.0.51, wanted 10.123.0.50; " + mark
		other    = "the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 belongs to KeaReservation ns/vm02"
		there    = "Kea has a reservation of 00:02:12:34:56:78 in 10.123.0.0/24"
		differs  = there + " that belongs to no resource, with the address 10.123.0.51, not 10.123.0.50"
		promised = there + " with the address 10.123.0.51, which came before 10.123.0.50 was reserved"
		ignored  = ": the annotation kea.crossplane.io/adopt is ignored"
		noTaker  = ", and this namespace may take over no reservation that exists already"
	)
	runDecide(t, map[string]decideCase{
		"AddressDiffers":        {reason: "An unmarked reservation is not moved.", views: one(host(ip(51))), in: in(ip(50)), want: blocked(reservation.AddressDiffers, differs)},
		"AddressDiffersAllowed": {reason: "Nor is it where unmarked ones may be adopted.", views: one(host(ip(51))), in: in(ip(50), unmarked), want: blocked(reservation.AddressDiffers, differs)},
		"AddressAdopted":        {reason: "The annotation has it moved.", views: one(host(ip(51))), in: in(ip(50), adopt), want: update(moved)},
		"AddressAdoptedAllowed": {reason: "So does it where unmarked ones may be adopted.", views: one(host(ip(51))), in: in(ip(50), adopt, unmarked), want: update(moved)},
		"SameAddress":           {reason: "One with the address that is wanted is adopted.", views: one(host(ip(50))), in: in(ip(50), unmarked), want: update(mark)},
		"NoAddress":             {reason: "One without an address gets it.", views: one(host(none)), in: in(ip(50)), want: update("ip-address none, wanted 10.123.0.50; " + mark)},
		"Drift":                 {reason: "What the resource held before has drifted, and is restored.", views: one(host(ip(51))), in: in(ip(50), wasReserved), want: update(moved)},
		"OwnMark":               {reason: "So has what has its mark.", views: one(host(ip(51), ownedBy(me))), in: in(ip(50)), want: update("ip-address 10.123.0.51, wanted 10.123.0.50")},
		"OwnMarkOnOther": {
			reason: "One server with its mark shows that the resource holds it.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea2", has(host(ip(51))))}, in: in(ip(50)),
			want: plan{State: reservation.Pending, Message: moved, Address: "10.123.0.50", Steps: []string{"update memory@kea2 10.123.0.50"}, Servers: []string{"kea1 Reserved", "kea2 Pending"}},
		},
		"OnOneOfTwo": {
			reason: "A reservation that is not moved keeps the other server unchanged, too.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", has(host(ip(51))))}, in: in(ip(50)),
			want: plan{State: reservation.AddressDiffers, Message: "on server kea2: " + differs, Address: "10.123.0.50", Servers: []string{"kea1 Pending", "kea2 AddressDiffers"}},
		},
		"LateAdopt": {
			reason: "An address from a lease gives way to that of a reservation, whatever may be moved.", views: one(host(ip(51))), in: in(ip(50), adopt, lateInitialized),
			want: blocked(reservation.AddressDiffers, promised),
		},
		"LateOwnMark": {reason: "So does it to one with the own mark.", views: one(host(ip(51), ownedBy(me))), in: in(ip(50), lateInitialized), want: blocked(reservation.AddressDiffers, promised)},
		"LateOthers": {
			reason: "One that is taken over keeps its address, too.", views: one(host(ip(51), ownedBy(vm02))), in: in(ip(50), adopt, lateInitialized),
			want: blocked(reservation.AddressDiffers, promised),
		},
		"LateSame":      {reason: "One with the address of the lease is adopted.", views: one(host(ip(50))), in: in(ip(50), lateInitialized), want: update(mark)},
		"LateNoAddress": {reason: "One without an address gets that of the lease.", views: one(host(none)), in: in(ip(50), lateInitialized), want: update("ip-address none, wanted 10.123.0.50; " + mark)},
		"LatePair": {
			reason: "What is filled in is the address on the first server: that on the second one has drifted, and is restored.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea2", has(host(ip(51))))}, in: in(ip(50), lateInitialized),
			want: plan{State: reservation.Pending, Message: moved, Address: "10.123.0.50", Steps: []string{"update memory@kea2 10.123.0.50"}, Servers: []string{"kea1 Reserved", "kea2 Pending"}},
		},
		"LateVanished": {
			reason: "One that has just gone counts as well.", views: []reservation.View{view("memory@kea1", lost(host(ip(51), ownedBy(me))))}, in: in(ip(50), lateInitialized),
			want: blocked(reservation.AddressDiffers, promised),
		},
		"Copy": {
			reason: "So does one in another store of the server.",
			views:  []reservation.View{view("memory@kea1"), view("database@kea1", notPrimary, has(host(ip(51))))}, in: in(ip(50)), want: blocked(reservation.AddressDiffers, differs),
		},
		"NeverUnmarked":      {reason: "Where nothing may be taken over, an unmarked one stays, whatever its address.", views: one(host(ip(50))), in: in(ip(50), never, adopt), want: blocked(reservation.AdoptionNotAllowed, there+" already"+noTaker+ignored)},
		"NeverUnmarkedDrift": {reason: "One that the resource held is its own.", views: one(host(ip(50))), in: in(ip(50), never, wasReserved), want: update(mark)},
		"NeverOthers":        {reason: "Another's stays with or without the annotation.", views: one(host(ip(50), ownedBy(vm02))), in: in(ip(50), never, adopt), want: blocked(reservation.AdoptionNotAllowed, other+noTaker+ignored)},
		"NeverWithout":       {reason: "Without the annotation the message does not speak of it.", views: one(host(ip(50))), in: in(ip(50), never), want: blocked(reservation.AdoptionNotAllowed, there+" already"+noTaker)},
		"NeverOwn":           {reason: "Its own mark is none to take over.", views: one(host(ip(51), ownedBy(me))), in: in(ip(50), never), want: update("ip-address 10.123.0.51, wanted 10.123.0.50")},
		"UnmarkedOthers":     {reason: "Where unmarked ones may be adopted, another's stays.", views: one(host(ip(50), ownedBy(vm02))), in: in(ip(50), unmarked), want: blocked(reservation.KeptByAnother, other)},
		"UnmarkedOthersAdopt": {
			reason: "The annotation is ignored, and the message says so.", views: one(host(ip(50), ownedBy(vm02))), in: in(ip(50), unmarked, adopt),
			want: blocked(reservation.KeptByAnother, other+", and this namespace may not take over what belongs to another: the annotation kea.crossplane.io/adopt is ignored"),
		},
		"AnyOthers":      {reason: "Where all may be taken over, the annotation decides.", views: one(host(ip(50), ownedBy(vm02))), in: in(ip(50), limit(inside(reservation.TakeAny))), want: blocked(reservation.OwnedByAnother, other)},
		"AnyOthersAdopt": {reason: "With it another's is taken over, and moved.", views: one(host(ip(51), ownedBy(vm02))), in: in(ip(50), limit(inside(reservation.TakeAny)), adopt), want: update(moved)},
		"Spared":         {reason: "What belongs to a resource with the first right to it is not taken.", views: one(host(ip(50), ownedBy(vm02))), in: in(ip(50), adopt, spare), want: blocked(reservation.OwnedByAnother, other)},
		"SparedCluster": {
			reason: "That of another cluster's resource of the same name is another one.", views: one(host(ip(50), ownedBy(reservation.Owner{Cluster: "c2", Resource: vm02.Resource}))),
			in: in(ip(50), adopt, spare), want: update(mark),
		},
		"VanishedOthers": {
			reason: "What was another's, and may not be taken over, is not restored as the resource's.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(51), ownedBy(vm02))))}, in: in(none, adopt, unmarked),
			want: plan{State: reservation.AwaitingLease, Message: "00:02:12:34:56:78 has no active lease in 10.123.0.0/24", Address: "none", Servers: []string{"kea1 AwaitingLease"}},
		},
		"VanishedUnmarked": {
			reason: "Nor is an unmarked one that was not moved, while the wanted address is another's.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(51))), heldBy(kea.Reservation{SubnetID: 1, HWAddress: otherMAC, IPAddress: ip(50)}))}, in: in(ip(50)),
			want: blocked(reservation.AddressConflict, "10.123.0.50 is reserved for 00:02:12:34:56:79: choose another spec.forProvider.ipAddress, or remove that reservation"),
		},
	})
}
