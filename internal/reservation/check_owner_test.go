// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideOwner(t *testing.T) {
	t.Parallel()
	const vm02Text = "belongs to KeaReservation ns/vm02"
	blocked := func(message string, servers ...string) plan {
		return plan{State: reservation.OwnedByAnother, Message: message, Address: "10.123.0.50", Servers: servers}
	}
	runDecide(t, map[string]decideCase{
		"Other": {
			reason: "A reservation marked as another resource's stays as it is.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(vm02))))},
			in:     in(ip(50)),
			want:   blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 "+vm02Text, "kea1 OwnedByAnother"),
		},
		"OtherCluster": {
			reason: "The resource of that name in another cluster is another owner, which is not named.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(reservation.Owner{Cluster: "c2", Resource: me.Resource}))))},
			in:     in(ip(50)),
			want: blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 belongs to a KeaReservation of another cluster",
				"kea1 OwnedByAnother"),
		},
		"Unreadable": {
			reason: "A mark that cannot be read is one of an unknown owner.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"crossplane": "?"} })))},
			in:     in(ip(50)),
			want: blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 belongs to an owner this provider does not know",
				"kea1 OwnedByAnother"),
		},
		"Adopted": {
			reason: "The annotation takes it over, with its fields.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(vm02))))},
			in:     in(ip(50), adopt),
			want: plan{
				State: reservation.Pending, Message: "the mark of ownership is missing or differs", Address: "10.123.0.50",
				Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
		"UnreadableAdopted": {
			reason: "So does it take over one with a mark that cannot be read.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"crossplane": "?"} })))},
			in:     in(ip(50), adopt),
			want: plan{
				State: reservation.Pending, Message: "the mark of ownership is missing or differs", Address: "10.123.0.50",
				Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
		"FormerCluster": {
			reason: "By a UID that the cluster had before, the reservation is the resource's own, whatever differs.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(51), ownedBy(reservation.Owner{Cluster: "c0", Resource: me.Resource}))))},
			in:     in(ip(50), formerly("c0")),
			want: plan{
				State: reservation.Pending, Message: "ip-address 10.123.0.51, wanted 10.123.0.50; the mark of ownership is missing or differs", Address: "10.123.0.50",
				Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
		"OtherOfFormerCluster": {
			reason: "It is not if another resource had it.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(reservation.Owner{Cluster: "c0", Resource: vm02.Resource}))))},
			in:     in(ip(50), formerly("c0")),
			want: blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 belongs to a KeaReservation of another cluster",
				"kea1 OwnedByAnother"),
		},
		"OtherThanFormerCluster": {
			reason: "Nor if a cluster had it that is not listed.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(reservation.Owner{Cluster: "c2", Resource: me.Resource}))))},
			in:     in(ip(50), formerly("c0")),
			want: blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 belongs to a KeaReservation of another cluster",
				"kea1 OwnedByAnother"),
		},
		"OnOneOfTwo": {
			reason: "If one server refuses, none is changed, and the message names the one.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", has(host(ip(50), ownedBy(vm02))))},
			in:     in(ip(50)),
			want:   blocked("on server kea2: the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 "+vm02Text, "kea1 Pending", "kea2 OwnedByAnother"),
		},
		"InCopy": {
			reason: "A copy in memory that is another's is not removed.",
			views: []reservation.View{
				view("database@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(ip(50), ownedBy(vm02)))),
			},
			in:   in(ip(50)),
			want: blocked("the reservation of 00:02:12:34:56:78 in 10.123.0.0/24 "+vm02Text, "kea1 OwnedByAnother"),
		},
	})
}
