// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestOwnerOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		host   *kea.Reservation
		want   reservation.Owner
		marked bool
	}{
		"NoHost":   {reason: "No reservation has no mark."},
		"None":     {reason: "A reservation without user-context has no mark.", host: host(ip(50))},
		"Others":   {reason: "What others keep in user-context is no mark.", host: host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"note": "x"} })},
		"Ours":     {reason: "A mark names cluster and resource.", host: host(ip(50), ownedBy(me, "hostname")), want: me, marked: true},
		"NoObject": {reason: "A mark that is not an object is one of an unknown owner.", host: host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"crossplane": "?"} }), marked: true},
		"Null":     {reason: "So is one that is null.", host: host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"crossplane": nil} }), marked: true},
		"OtherTypes": {reason: "So is one with numbers for names.", host: host(ip(50), func(r *kea.Reservation) {
			r.UserContext = map[string]any{"crossplane": map[string]any{"cluster": 1, "resource": 2}}
		}), marked: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := reservation.OwnerOf(tc.host)
			if diff := cmp.Diff(tc.want, got); diff != "" || ok != tc.marked {
				t.Errorf("%s\nOwnerOf(...): %t, want %t; -want, +got:\n%s", tc.reason, ok, tc.marked, diff)
			}
		})
	}
}

func TestRemains(t *testing.T) {
	t.Parallel()
	at := func(name string, r *kea.Reservation) reservation.Copy {
		return reservation.Copy{Store: store(name), Host: *r}
	}
	all := []reservation.Copy{
		at("memory@kea1", host(ip(50))),
		at("database@kea1", host(ip(50), ownedBy(me))),
		at("memory@kea2", host(ip(50), ownedBy(vm02))),
		at("memory@kea3", host(ip(50), ownedBy(reservation.Owner{Cluster: "c0", Resource: me.Resource}))),
		at("database@kea2", host(ip(50), func(r *kea.Reservation) { r.UserContext = map[string]any{"crossplane": "?"} })),
	}
	cases := map[string]struct {
		reason      string
		grant       reservation.Grant
		wasReserved bool
		want        []string
	}{
		"Marked":      {reason: "What has the owner's mark is left, and nothing else.", want: []string{"database@kea1"}},
		"WasReserved": {reason: "Where the owner held the reservation unmarked, that is left too.", wasReserved: true, want: []string{"memory@kea1", "database@kea1"}},
		"Formerly":    {reason: "What is marked by a UID that the cluster had before is left too.", grant: reservation.Grant{FormerClusters: []string{"c0"}}, want: []string{"database@kea1", "memory@kea3"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, c := range reservation.Remains(all, me, tc.grant, tc.wasReserved) {
				got = append(got, c.Store.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nRemains(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
