// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestDecide(t *testing.T) {
	type gone struct {
		name string
		read bool // and not a user's doing
	}
	type want struct {
		ours       bool
		apply      []string
		pin        []string
		remove     []gone
		blocked    map[kea.HWAddress]blocker
		recreating map[kea.HWAddress]string
		stuck      map[kea.HWAddress]string
	}
	here, there := at("10.0.0.0/24"), at("10.1.0.0/24")
	alias := at("10.0.0.0/24")
	alias.config = clusterConfig("alias")
	networks := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	static := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0, allocation("static", ""))}
	both := nc("vm", []string{mac1, mac2, mac1})
	one := nc("vm", []string{mac1})
	first, second := kr(both, here, mac1), kr(both, here, mac2)
	outdated := kr(both, here, mac1, unlabelled)
	leaving := kr(both, here, mac1, going)
	leftover := kr(both, here, "02:00:00:00:00:99")
	foreign := kr(nc("vm", nil, func(nc *vitistack.NetworkConfiguration) { nc.UID = "another" }), here, mac1)
	forged := kr(one, here, mac1, func(r *v1alpha1.KeaReservation) { r.Namespace = "other" })
	younger := nc("younger", []string{mac1}, made("other", 5))
	youngerWants := []rival{{nc: younger, claim: claim{ours: true, place: here}}}
	youngerHolds := []otherChild{{kr(younger, here, mac1, holding), younger}}
	duplicate := blocker{message: mac1 + " belongs to NetworkConfiguration other/younger, which has it reserved: waiting until it is free"}

	old := kr(one, there, mac1, holding)
	next := func(o ...krOption) *v1alpha1.KeaReservation {
		return kr(one, here, mac1, append(o, moved(one, here))...)
	}
	refused := unready(v1alpha1.ReasonOwnedByAnother, "it is marked as another's")
	pinned := func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.0.0.5" }
	aliased := kr(one, alias, mac1, holding)
	alone := func(rs ...*v1alpha1.KeaReservation) situation {
		return situation{nc: one, networks: networks, named: named(rs...), owned: rs}
	}
	const isMarked, noMark = "ns/vm-020000000001", ""

	cases := map[string]struct {
		reason string
		s      situation
		works  error
		owner  string
		want   want
	}{
		"New": {
			reason: "Each device gets a reservation, and each only one",
			s:      situation{nc: both, networks: networks},
			works:  errors.New("what is created first is not asked about"),
			want:   want{ours: true, apply: []string{first.Name, second.Name}},
		},
		"Done": {
			reason: "What is as wanted is left alone",
			s:      situation{nc: both, networks: networks, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, second}},
			want:   want{ours: true},
		},
		"Outdated": {
			reason: "Only what differs is applied",
			s:      situation{nc: both, networks: networks, named: named(outdated, second), owned: []*v1alpha1.KeaReservation{outdated, second}},
			want:   want{ours: true, apply: []string{first.Name}},
		},
		"OutdatedMoved": {
			reason: "One that was moved keeps its name", s: alone(next(unlabelled)),
			want: want{ours: true, apply: []string{next().Name}},
		},
		"Leftover": {
			reason: "A device that is gone from the spec loses its reservation",
			s:      situation{nc: both, networks: networks, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, second, leftover}},
			want:   want{ours: true, remove: []gone{{leftover.Name, false}}},
		},
		"LostByCRD": {
			reason: "A device that is gone without an edit was removed by no user",
			s: situation{
				nc: nc("vm", nil, saying(reported1(addressed("10.0.0.5"))), func(nc *vitistack.NetworkConfiguration) {
					nc.Status.Conditions = []metav1.Condition{{Type: "Ready"}}
				}),
				networks: networks, owned: []*v1alpha1.KeaReservation{kr(one, here, mac1, holding)},
			},
			want: want{ours: true, remove: []gone{{first.Name, true}}},
		},
		"Move": {
			reason: "The reservation of before stays while another one is made beside it", s: alone(old),
			want: want{ours: true, apply: []string{next().Name}},
		},
		"MoveCannot": {
			reason: "A place that does not work changes nothing", s: alone(old), works: errors.New("no server has it"),
			want: want{ours: true, stuck: map[kea.HWAddress]string{
				mac1: "cannot move to 10.0.0.0/24 with ClusterProviderConfig default: no server has it; the reservation in 10.1.0.0/24 with ClusterProviderConfig default stays",
			}},
		},
		"MoveMade":      {reason: "It is not over before the new one is served", s: alone(old, next()), want: want{ours: true}},
		"MoveUnsynced":  {reason: "Nor is it while Kea cannot be reached", s: alone(old, next(waiting, unsynced)), want: want{ours: true}},
		"MoveAwaits":    {reason: "One that waits for its lease is served", s: alone(old, next(waiting)), want: want{ours: true, remove: []gone{{old.Name, true}}}},
		"MoveReserved":  {reason: "So is one that has its address", s: alone(old, next(holding)), want: want{ours: true, remove: []gone{{old.Name, true}}}},
		"MoveBack":      {reason: "The one of before is still there", s: alone(next(), kr(one, here, mac1, holding), kr(one, there, mac1, moved(one, there))), want: want{ours: true, remove: []gone{{next().Name, false}, {kr(one, there, mac1, moved(one, there)).Name, false}}}},
		"MoveByEdit":    {reason: "A user who names another network means it", s: situation{nc: nc("vm", []string{mac1}, inNetwork("net")), networks: networks, owned: []*v1alpha1.KeaReservation{kr(one, there, mac1, holding, unlabelled), next(holding)}}, want: want{ours: true, remove: []gone{{old.Name, false}}}},
		"MoveWhileGone": {reason: "One that goes anyway is not waited for", s: alone(kr(one, there, mac1, holding, going)), works: errors.New("not asked"), want: want{ours: true, apply: []string{next().Name}}},
		"HandOver": {
			reason: "Where both places are one, the new one gets the address of the old one first",
			s:      alone(aliased, next(refused)), owner: isMarked, want: want{ours: true, pin: []string{next().Name + " 10.0.0.5"}},
		},
		"HandOverPinned": {
			reason: "The old one goes then", s: alone(aliased, next(refused, pinned)), owner: isMarked,
			want: want{ours: true, remove: []gone{{aliased.Name, true}}},
		},
		"OwnedByThird": {
			reason: "A reservation that is someone else's is no reason to give up ours", s: alone(aliased, next(refused)), owner: noMark,
			want: want{ours: true},
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
		"ForgedInOtherNamespace": {
			reason: "An owner is in the same namespace",
			s:      situation{nc: one, networks: networks, orphans: []*v1alpha1.KeaReservation{forged}},
			want:   want{ours: true, apply: []string{first.Name}},
		},
		"Orphan": {
			reason: "What was made for it is taken over",
			s:      situation{nc: one, networks: networks, orphans: []*v1alpha1.KeaReservation{next(orphaned)}},
			want:   want{ours: true, apply: []string{next().Name}},
		},
		"OrphanElsewhere": {
			reason: "An orphan in another place is not ours to delete",
			s:      situation{nc: one, networks: networks, named: named(kr(one, there, mac1, orphaned)), orphans: []*v1alpha1.KeaReservation{kr(one, there, mac1, orphaned)}},
			want: want{ours: true, blocked: map[kea.HWAddress]blocker{mac1: {
				kind:    blockedByForeign,
				message: "KeaReservation vm-020000000001 is not controlled by this NetworkConfiguration: delete it, so that it can be made here",
			}}},
		},
		"OlderWants": {
			reason: "An older NetworkConfiguration that names a running machine's address takes nothing",
			s: situation{
				nc: younger, networks: []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}, named: named(youngerHolds[0].KeaReservation),
				owned:  []*v1alpha1.KeaReservation{youngerHolds[0].KeaReservation},
				rivals: []rival{{nc: one, claim: claim{ours: true, place: here}}},
			},
			want: want{ours: true},
		},
		"Duplicate": {
			reason: "A reservation that waits goes in favour of one that Kea has; the others do not",
			s:      situation{nc: both, networks: networks, rivals: youngerWants, others: youngerHolds, named: named(first), owned: []*v1alpha1.KeaReservation{first}},
			want: want{
				ours: true, apply: []string{second.Name}, remove: []gone{{first.Name, false}},
				blocked: map[kea.HWAddress]blocker{mac1: duplicate},
			},
		},
		"DuplicateInNewPlace": {
			reason: "A move to a place where another one has the address changes nothing",
			s:      situation{nc: one, networks: networks, rivals: youngerWants, others: youngerHolds, named: named(old), owned: []*v1alpha1.KeaReservation{old}},
			want:   want{ours: true, blocked: map[kea.HWAddress]blocker{mac1: duplicate}},
		},
		"Homeless": {
			reason: "While the network is not known, reservations of devices that are still there stay",
			s:      situation{nc: both, named: named(first, second), owned: []*v1alpha1.KeaReservation{first, leftover}},
			want:   want{ours: true, remove: []gone{{leftover.Name, false}}},
		},
		"NotOurs": {
			reason: "What a user gives to another provider keeps no reservation",
			s: situation{
				nc: nc("vm", []string{mac1}, provider("other")), networks: networks,
				named: named(first), owned: []*v1alpha1.KeaReservation{first, leaving},
			},
			want: want{remove: []gone{{first.Name, false}}},
		},
		"NotOursByNetwork": {
			reason: "Nor does what another object gives away, but that was read: what Kea has counts",
			s:      situation{nc: one, networks: static, owned: []*v1alpha1.KeaReservation{kr(one, here, mac1, holding), kr(one, here, mac2)}},
			want:   want{remove: []gone{{first.Name, true}, {second.Name, false}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			tc.s.cannotMove, tc.s.markedBy = tc.works, map[kea.HWAddress]string{mac1: tc.owner}
			p := policy{config: clusterConfig("default")}.decide(&tc.s)
			got := want{ours: p.claim.ours, blocked: p.blocked, recreating: p.recreating, stuck: p.stuck}
			for _, a := range p.apply {
				got.apply = append(got.apply, a.name)
			}
			for _, take := range p.pin {
				got.pin = append(got.pin, take.reservation.Name+" "+take.address)
			}
			for _, r := range p.remove {
				got.remove = append(got.remove, gone{r.Name, r.read})
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{}, blocker{}, gone{}), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("\n%s\ndecide(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func unsynced(r *v1alpha1.KeaReservation) {
	r.SetConditions(xpv2.ReconcileError(errors.New("dial tcp: connection refused")))
}

// TestArrivesWhileRead: a KeaReservation that the cache gets, or gets with its owner, after those that
// the NetworkConfiguration controls were read is there: no second one is created, and nothing is
// blocked.
func TestArrivesWhileRead(t *testing.T) {
	here, there := at("10.0.0.0/24"), at("10.1.0.0/24")
	vm := nc("vm", []string{mac1})
	have, adopted := kr(vm, here, mac1), kr(vm, here, mac1, orphaned)
	cases := map[string]struct {
		reason string
		named  map[string]*v1alpha1.KeaReservation
		have   *v1alpha1.KeaReservation
		apply  int
	}{
		"Created":      {"It came before its name was looked up.", named(have), have, 0},
		"CreatedLater": {"It came after its name was looked up.", nil, have, 0},
		"Adopted":      {"It was adopted after its name was looked up.", named(adopted), have, 0},
		"Moved":        {"It has another name.", nil, kr(vm, here, mac1, moved(vm, here)), 0},
		"Elsewhere":    {"It is in another place, which it leaves once there is one here.", named(kr(vm, there, mac1)), kr(vm, there, mac1), 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &situation{nc: vm, networks: []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}, named: tc.named}
			for range 2 {
				if !s.addOwn(tc.have) || len(s.owned) != 1 {
					t.Fatalf("%s\n%d are owned, want 1", tc.reason, len(s.owned))
				}
			}
			got := policy{config: clusterConfig("default")}.decide(s)
			if len(got.apply) != tc.apply || len(got.remove)+len(got.blocked) > 0 {
				t.Errorf("%s\ndecide(): apply %+v, remove %+v, blocked %+v", tc.reason, got.apply, got.remove, got.blocked)
			}
		})
	}
}
