// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestOtherUser(t *testing.T) {
	here := at("10.0.0.0/24")
	scoped := at("10.0.0.0/24")
	scoped.config = connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "kea"}
	otherScope := at("10.0.0.0/24")
	otherScope.config = scoped.config.In("other")
	otherKea := at("10.0.0.0/24")
	otherKea.config = clusterConfig("other")

	me := nc("me", []string{mac1}, made("ns", 10))
	older := nc("older", []string{mac1}, made("other", 5))
	oldest := nc("oldest", []string{mac2, mac1}, made("ns", 0))
	younger := nc("younger", []string{mac1}, made("other", 20))
	const waiting = mac1 + " belongs to NetworkConfiguration other/older, which is older: waiting until it is free"

	wants := func(nc *vitistack.NetworkConfiguration, p *place) rival {
		return rival{nc: nc, claim: claim{ours: true, place: p}}
	}
	cases := map[string]struct {
		reason  string
		at      *place
		rivals  []rival
		sameMAC []*v1alpha1.KeaReservation
		want    string
	}{
		"NoRival": {reason: "An address that no other NetworkConfiguration names is free"},
		"Older":   {reason: "The older one has it", rivals: []rival{wants(older, here)}, want: waiting},
		"Younger": {reason: "The younger one waits", rivals: []rival{wants(younger, here)}},
		"Oldest": {
			reason: "The oldest is named, who is before all others",
			rivals: []rival{wants(older, here), wants(oldest, here)},
			want:   mac1 + " belongs to NetworkConfiguration ns/oldest, which is older: waiting until it is free",
		},
		"SameSecond": {
			reason: "The name decides between two of the same age",
			rivals: []rival{wants(nc("first", []string{mac1}, made("ns", 10)), here), wants(nc("second", []string{mac1}, made("ns", 10)), here)},
			want:   mac1 + " belongs to NetworkConfiguration ns/first, which is older: waiting until it is free",
		},
		"OtherSubnet":  {reason: "Another subnet has room for it", rivals: []rival{wants(older, at("10.1.0.0/24"))}},
		"OtherKea":     {reason: "Another Kea has room for it", rivals: []rival{wants(older, otherKea)}},
		"OtherScope":   {reason: "A ProviderConfig of the same name in another namespace is another one", at: scoped, rivals: []rival{wants(older, otherScope)}},
		"SameScope":    {reason: "A ProviderConfig is the same one in a namespace", at: scoped, rivals: []rival{wants(oldest, scoped)}, want: mac1 + " belongs to NetworkConfiguration ns/oldest, which is older: waiting until it is free"},
		"NotOurs":      {reason: "One that is not ours makes no reservation", rivals: []rival{{nc: older}}},
		"Homeless":     {reason: "One whose place is not known makes no reservation yet", rivals: []rival{{nc: older, claim: claim{ours: true, waiting: "waiting"}}}},
		"Deleted":      {reason: "One that is being deleted makes no reservation any more", rivals: []rival{wants(nc("older", []string{mac1}, made("other", 5), deleted), here)}},
		"GivenUp":      {reason: "One that no longer names it does not want it", rivals: []rival{wants(nc("older", []string{mac2}, made("other", 5)), here)}},
		"OwnChild":     {reason: "Its own reservation is not in the way", sameMAC: []*v1alpha1.KeaReservation{kr(me, here, mac1)}},
		"ChildOfOther": {reason: "A reservation that is still there is in the way, even a younger one's", sameMAC: []*v1alpha1.KeaReservation{kr(younger, here, mac1, going)}, want: mac1 + " still has KeaReservation other/younger-020000000001 of NetworkConfiguration younger: waiting until that is gone"},
		"ChildElse":    {reason: "A reservation in another subnet is not in the way", sameMAC: []*v1alpha1.KeaReservation{kr(younger, at("10.1.0.0/24"), mac1)}},
		"Uncontrolled": {reason: "A user's own reservation is between it and Kea", sameMAC: []*v1alpha1.KeaReservation{kr(younger, here, mac1, orphaned)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.at == nil {
				tc.at = here
			}
			got, held := otherUser(me, tc.at, mac1, &situation{nc: me, rivals: tc.rivals, sameMAC: tc.sameMAC})
			if got != tc.want || held != (tc.want != "") {
				t.Errorf("\n%s\nholderOf(...): want %q, got %q, %t", tc.reason, tc.want, got, held)
			}
		})
	}
}
