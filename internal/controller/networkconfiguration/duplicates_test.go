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
	const (
		olderText    = mac1 + " belongs to NetworkConfiguration other/older, which is older: waiting until it is free"
		oldestText   = mac1 + " belongs to NetworkConfiguration ns/oldest, which is older: waiting until it is free"
		reservedText = mac1 + " belongs to NetworkConfiguration other/younger, which has it reserved: waiting until it is free"
		madeText     = mac1 + " belongs to NetworkConfiguration other/younger, which has a KeaReservation for it: waiting until it is free"
		stillText    = mac1 + " still has KeaReservation other/younger-020000000001 of NetworkConfiguration younger: waiting until that is gone"
	)

	wants := func(nc *vitistack.NetworkConfiguration, p *place) rival {
		return rival{nc: nc, claim: claim{ours: true, place: p}}
	}
	of := func(nc *vitistack.NetworkConfiguration, p *place, o ...krOption) []otherChild {
		return []otherChild{{kr(nc, p, mac1, o...), nc}}
	}
	withYounger := []rival{wants(younger, here)}
	waits, holds := kr(me, here, mac1), kr(me, here, mac1, holding)
	refused := unready(v1alpha1.ReasonOwnedByAnother, "it is marked as another's")
	cases := map[string]struct {
		reason string
		at     *place
		rivals []rival
		others []otherChild
		keeper *v1alpha1.KeaReservation
		want   string
		yield  bool
	}{
		"NoRival": {reason: "An address that no other NetworkConfiguration names is free"},
		"Older":   {reason: "Of two that have nothing, the older one has it", rivals: []rival{wants(older, here)}, want: olderText},
		"Younger": {reason: "The younger one waits", rivals: withYounger},
		"Oldest":  {reason: "The oldest is named, who is before all others", rivals: []rival{wants(older, here), wants(oldest, here)}, want: oldestText},
		"SameSecond": {
			reason: "The name decides between two of the same age",
			rivals: []rival{wants(nc("first", []string{mac1}, made("ns", 10)), here), wants(nc("second", []string{mac1}, made("ns", 10)), here)},
			want:   mac1 + " belongs to NetworkConfiguration ns/first, which is older: waiting until it is free",
		},
		"OtherSubnet": {reason: "Another subnet has room for it", rivals: []rival{wants(older, at("10.1.0.0/24"))}},
		"OtherKea":    {reason: "Another Kea has room for it", rivals: []rival{wants(older, otherKea)}},
		"OtherScope":  {reason: "A ProviderConfig of the same name in another namespace is another one", at: scoped, rivals: []rival{wants(older, otherScope)}},
		"SameScope":   {reason: "A ProviderConfig is the same one in a namespace", at: scoped, rivals: []rival{wants(oldest, scoped)}, want: oldestText},
		"NotOurs":     {reason: "One that is not ours makes no reservation", rivals: []rival{{nc: older}}},
		"Homeless":    {reason: "One whose place is not known makes no reservation yet", rivals: []rival{{nc: older, claim: claim{ours: true, waiting: "waiting"}}}},
		"Deleted":     {reason: "One that is being deleted makes no reservation any more", rivals: []rival{wants(nc("older", []string{mac1}, made("other", 5), deleted), here)}},
		"GivenUp":     {reason: "One that no longer names it does not want it", rivals: []rival{wants(nc("older", []string{mac2}, made("other", 5)), here)}},

		"HeldHere": {
			reason: "Who holds it keeps it, whatever an older one wants", keeper: holds, rivals: []rival{wants(older, here)},
		},
		"HeldOnBothSides": {
			reason: "A status can be old, or written by a tenant: no reservation is removed for it", keeper: holds,
			rivals: withYounger, others: of(younger, here, holding),
		},
		"HeldByYounger": {
			reason: "The older one waits for a younger one that holds it", rivals: withYounger, others: of(younger, here, holding), want: reservedText,
		},
		"HeldByYoungerWhileWaiting": {
			reason: "A reservation that waits goes in favour of one that is in Kea",
			keeper: waits, rivals: withYounger, others: of(younger, here, holding), want: reservedText, yield: true,
		},
		"HeldByOneThatDoesNotWantIt": {
			reason: "A rival that is being deleted, or is not the provider's, replaces nothing",
			keeper: waits, others: of(younger, here, holding), want: stillText,
		},
		"HeldElsewhere": {
			reason: "Nor does one that wants it in another place",
			keeper: waits, rivals: []rival{wants(younger, at("10.1.0.0/24"))}, others: of(younger, here, holding), want: stillText,
		},
		"RefusedByKea": {
			reason: "Kea has it for the other one", keeper: kr(me, here, mac1, refused),
			rivals: withYounger, others: of(younger, here, holding), want: reservedText, yield: true,
		},
		"MadeByYounger": {
			reason: "A reservation that was made and waits is not overtaken either", rivals: withYounger, others: of(younger, here), want: madeText,
		},
		"MadeByBoth": {
			reason: "Of two that wait, the first that Kea has a lease for gets it", keeper: waits, rivals: []rival{wants(older, here)}, others: of(older, here),
		},
		"MadeBeforeOlderCame": {
			reason: "An older one takes nothing that has been made", keeper: waits, rivals: []rival{wants(older, here)},
		},
		"ChildOfOther": {reason: "A reservation that is still there is in the way, even a younger one's", others: of(younger, here, going), want: stillText},
		"ChildElse":    {reason: "A reservation in another subnet is not in the way", others: of(younger, at("10.1.0.0/24"), holding)},
		"OtherDevice":  {reason: "One for another device is not in the way", others: []otherChild{{kr(younger, here, mac2, holding), younger}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.at == nil {
				tc.at = here
			}
			b, yield := otherUser(&situation{nc: me, rivals: tc.rivals, others: tc.others}, mac1, tc.at, tc.keeper)
			got := ""
			if b != nil {
				got = b.message
			}
			if got != tc.want || yield != tc.yield {
				t.Errorf("\n%s\notherUser(...): want %q, %t, got %q, %t", tc.reason, tc.want, tc.yield, got, yield)
			}
		})
	}
}
