// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestDecide(t *testing.T) {
	type want struct {
		ours       bool
		apply      []kea.HWAddress
		remove     []string
		blocked    map[kea.HWAddress]blocker
		recreating map[kea.HWAddress]string
	}
	here, there := at("10.0.0.0/24"), at("10.1.0.0/24")
	networks := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	both := nc("vm", []string{mac1, mac2, mac1})
	first, second := kr(both, here, mac1), kr(both, here, mac2)
	outdated := kr(both, here, mac1, unlabelled)
	moved := kr(both, there, mac1)
	leaving := kr(both, here, mac1, going)
	leftover := kr(both, here, "02:00:00:00:00:99")
	foreign := kr(nc("vm", nil, func(nc *vitistack.NetworkConfiguration) { nc.UID = "another" }), here, mac1)
	duplicate := blocker{message: mac1 + " belongs to NetworkConfiguration other/older, which is older: waiting until it is free"}
	rivals := []rival{{nc: nc("older", []string{mac1}, made("other", -5)), claim: claim{ours: true, place: here}}}

	cases := map[string]struct {
		reason string
		s      situation
		want   want
	}{
		"New": {
			reason: "Each device gets a reservation, and each only one",
			s:      situation{nc: both, networks: networks},
			want:   want{ours: true, apply: []kea.HWAddress{mac1, mac2}},
		},
		"Done": {
			reason: "What is as wanted is left alone",
			s:      situation{nc: both, networks: networks, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, second}},
			want:   want{ours: true},
		},
		"Outdated": {
			reason: "Only what differs is applied",
			s:      situation{nc: both, networks: networks, named: named(outdated, second), owned: []*v1alpha1.KeaReservation{outdated, second}},
			want:   want{ours: true, apply: []kea.HWAddress{mac1}},
		},
		"Leftover": {
			reason: "A device that is gone from the spec loses its reservation",
			s:      situation{nc: both, networks: networks, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, second, leftover}},
			want:   want{ours: true, remove: []string{leftover.Name}},
		},
		"Moved": {
			reason: "A reservation in another subnet is deleted, to be recreated when it is gone",
			s:      situation{nc: both, networks: networks, named: named(moved, second), owned: []*v1alpha1.KeaReservation{moved, second}},
			want: want{
				ours: true, remove: []string{moved.Name},
				recreating: map[kea.HWAddress]string{mac1: "KeaReservation vm-020000000001 is being recreated in 10.0.0.0/24 with ClusterProviderConfig default"},
			},
		},
		"Leaving": {
			reason: "What is being deleted is neither deleted again nor applied",
			s:      situation{nc: both, networks: networks, named: named(leaving, second), owned: []*v1alpha1.KeaReservation{leaving, second}},
			want: want{
				ours:       true,
				recreating: map[kea.HWAddress]string{mac1: "KeaReservation vm-020000000001 is being deleted, and is recreated after that"},
			},
		},
		"Foreign": {
			reason: "A reservation with another controller is not touched",
			s:      situation{nc: both, networks: networks, named: named(foreign, second), owned: []*v1alpha1.KeaReservation{second}},
			want: want{ours: true, blocked: map[kea.HWAddress]blocker{mac1: {
				kind:    blockedByForeign,
				message: "KeaReservation vm-020000000001 is not controlled by this NetworkConfiguration: delete it, so that it can be made here",
			}}},
		},
		"Duplicate": {
			reason: "A device that another NetworkConfiguration has loses its reservation here; the others do not",
			s:      situation{nc: both, networks: networks, rivals: rivals, named: named(first), owned: []*v1alpha1.KeaReservation{first}},
			want: want{
				ours: true, apply: []kea.HWAddress{mac2}, remove: []string{first.Name},
				blocked: map[kea.HWAddress]blocker{mac1: duplicate},
			},
		},
		"Homeless": {
			reason: "While the network is not known, reservations of devices that are still there stay",
			s:      situation{nc: both, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, leftover}},
			want:   want{ours: true, remove: []string{leftover.Name}},
		},
		"NotOurs": {
			reason: "What is not ours, or no longer, keeps no reservation",
			s: situation{
				nc: nc("vm", []string{mac1}, provider("other")), networks: networks,
				named: named(first), owned: []*v1alpha1.KeaReservation{first, leaving},
			},
			want: want{remove: []string{first.Name}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := policy{config: clusterConfig("default")}.decide(&tc.s)
			got := want{ours: p.claim.ours, apply: p.apply, blocked: p.blocked, recreating: p.recreating}
			for _, r := range p.remove {
				got.remove = append(got.remove, r.Name)
			}
			if tc.want.blocked == nil {
				tc.want.blocked = map[kea.HWAddress]blocker{}
			}
			if tc.want.recreating == nil {
				tc.want.recreating = map[kea.HWAddress]string{}
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{}, blocker{})); diff != "" {
				t.Errorf("\n%s\ndecide(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
