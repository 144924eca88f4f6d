// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// limit limits an intent to what the rules allow.
func limit(rules ...reservation.Rule) func(*reservation.Intent) {
	return func(i *reservation.Intent) { i.Grant = reservation.Grant{Limited: true, Rules: rules} }
}

func inside(take reservation.Takeover, prefixes ...string) reservation.Rule {
	r := reservation.Rule{Takeover: take}
	for _, p := range prefixes {
		r.Prefixes = append(r.Prefixes, netip.MustParsePrefix(p))
	}
	return r
}

func byID(id uint32) func(*reservation.Intent) {
	return func(i *reservation.Intent) { i.Subnet = reservation.SubnetRef{ID: id} }
}

func TestGrantAllows(t *testing.T) {
	t.Parallel()
	limited := func(rules ...reservation.Rule) reservation.Grant {
		return reservation.Grant{Limited: true, Rules: rules}
	}
	cases := map[string]struct {
		reason  string
		grant   reservation.Grant
		subnet  string
		take    reservation.Takeover
		allowed bool
	}{
		"Zero":       {reason: "Without limits everything is allowed.", subnet: "10.64.0.0/24", take: reservation.TakeAny, allowed: true},
		"NoRules":    {reason: "With limits nothing is that no rule allows.", grant: limited(), subnet: "10.64.0.0/24"},
		"AnySubnet":  {reason: "A rule without prefixes allows every subnet.", grant: limited(inside(reservation.TakeUnmarked)), subnet: "10.64.0.0/24", take: reservation.TakeUnmarked, allowed: true},
		"Same":       {reason: "A prefix is inside itself.", grant: limited(inside(reservation.TakeNothing, "10.64.0.0/24")), subnet: "10.64.0.0/24", allowed: true},
		"Inside":     {reason: "So is a part of it.", grant: limited(inside(reservation.TakeNothing, "10.64.0.0/16")), subnet: "10.64.255.0/24", allowed: true},
		"Larger":     {reason: "One that has it inside is not.", grant: limited(inside(reservation.TakeAny, "10.64.0.0/24")), subnet: "10.64.0.0/16"},
		"Beside":     {reason: "Nor is one beside it.", grant: limited(inside(reservation.TakeAny, "10.64.0.0/24")), subnet: "10.64.1.0/24"},
		"MostCounts": {reason: "Of several rules the one counts that allows most.", grant: limited(inside(reservation.TakeNothing), inside(reservation.TakeAny, "10.64.0.0/16"), inside(reservation.TakeUnmarked)), subnet: "10.64.0.0/24", take: reservation.TakeAny, allowed: true},
		"OfOthers":   {reason: "One that does not allow the subnet does not count.", grant: limited(inside(reservation.TakeNothing), inside(reservation.TakeAny, "10.65.0.0/16")), subnet: "10.64.0.0/24", allowed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			take, allowed := tc.grant.Allows(netip.MustParsePrefix(tc.subnet))
			if take != tc.take || allowed != tc.allowed {
				t.Errorf("%s\nAllows(%s): %v, %t, want %v, %t", tc.reason, tc.subnet, take, allowed, tc.take, tc.allowed)
			}
		})
	}
}

// TestDecideNotAllowed: what a resource may not use it learns nothing about, and nothing is done
// for it.
func TestDecideNotAllowed(t *testing.T) {
	t.Parallel()
	ours, theirs := inside(reservation.TakeAny, "10.123.0.0/16"), inside(reservation.TakeAny, "10.99.0.0/16")
	const byPrefix = "namespace ns may not use 10.123.0.0/24 of this provider configuration"
	const bySubnetID = "namespace ns may not use subnet-id 1 of this provider configuration, or the prefix of that subnet-id is not known: name the subnet by prefix"
	denied := func(message string) plan {
		return plan{State: reservation.NotAllowed, Message: message, Address: "none"}
	}
	add := plan{State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50", Steps: []string{"add memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"}}
	elsewhere := func(v *reservation.View) { v.Subnet.Prefix = netip.MustParsePrefix("10.124.0.0/24") }
	unlisted := func(v *reservation.View) {
		v.SubnetsKnown, v.Subnet, v.Subnets = false, kea.Subnet{ID: 1}, nil
	}
	all := []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), leased(lease(ip(51), noon)), heldBy(kea.Reservation{HWAddress: otherMAC, IPAddress: ip(50)}))}
	runDecide(t, map[string]decideCase{
		"OtherPrefix":  {reason: "A subnet that no rule has inside is not allowed.", views: all, in: in(ip(50), limit(theirs)), want: denied(byPrefix)},
		"NoRule":       {reason: "Nor is anything to a namespace without rules.", views: all, in: in(ip(50), limit()), want: denied(byPrefix)},
		"NoSubnet":     {reason: "Whether Kea has the subnet makes no difference.", views: []reservation.View{view("memory@kea1", noSubnet())}, in: in(ip(50), limit(theirs)), want: denied(byPrefix)},
		"NoServer":     {reason: "Nor does whether a server can be reached.", in: in(ip(50), limit(theirs)), want: denied(byPrefix)},
		"Allowed":      {reason: "What one rule of two allows is allowed.", views: []reservation.View{view("memory@kea1")}, in: in(ip(50), limit(theirs, ours)), want: add},
		"ByID":         {reason: "A subnet-id is judged by its prefix.", views: []reservation.View{view("memory@kea1")}, in: in(ip(50), limit(ours), byID(1)), want: add},
		"ByIDDenied":   {reason: "If that is not allowed, the subnet-id is not.", views: all, in: in(ip(50), limit(theirs), byID(1)), want: denied(bySubnetID)},
		"ByIDNowhere":  {reason: "If no server has it, the answer is the same.", views: []reservation.View{view("memory@kea1", noSubnet(subnet))}, in: in(ip(50), limit(theirs), byID(1)), want: denied(bySubnetID)},
		"ByIDUnlisted": {reason: "So it is if the prefix cannot be known.", views: []reservation.View{view("memory@kea1", unlisted)}, in: in(ip(50), limit(ours), byID(1)), want: denied(bySubnetID)},
		"ByIDNoRule":   {reason: "Where no prefix is allowed, naming it does not help.", views: all, in: in(ip(50), limit(), byID(1)), want: denied("namespace ns may not use subnet-id 1 of this provider configuration")},
		"ByIDOnOneOfTwo": {
			reason: "It must be allowed on every server that has it.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", elsewhere, func(v *reservation.View) { v.Away = true })},
			in:     in(ip(50), limit(inside(reservation.TakeAny, "10.123.0.0/24")), byID(1)), want: denied(bySubnetID),
		},
		"ByIDEverywhere": {
			reason: "Where every subnet is allowed, a subnet-id needs no prefix.", views: []reservation.View{view("memory@kea1", unlisted)},
			in: in(ip(50), limit(inside(reservation.TakeAny)), byID(1)), want: add,
		},
		"SubnetNotFound": {
			reason: "A message names only the subnets that may be used.",
			views:  []reservation.View{view("memory@kea1", noSubnet(kea.Subnet{ID: 7, Prefix: netip.MustParsePrefix("10.9.0.0/16")}, kea.Subnet{ID: 8, Prefix: netip.MustParsePrefix("10.123.8.0/24")}))},
			in:     in(ip(50), limit(ours)),
			want:   plan{State: reservation.SubnetNotFound, Message: "server kea1 has no 10.123.0.0/24; it has 10.123.8.0/24 (subnet-id 8)", Address: "10.123.0.50", Servers: []string{"kea1 SubnetNotFound"}},
		},
		"SubnetNotFoundNone": {
			reason: "That there are others is not said.", views: []reservation.View{view("memory@kea1", noSubnet(kea.Subnet{ID: 7, Prefix: netip.MustParsePrefix("10.9.0.0/16")}))},
			in:   in(ip(50), limit(ours)),
			want: plan{State: reservation.SubnetNotFound, Message: "server kea1 has no 10.123.0.0/24; it has none that may be used here", Address: "10.123.0.50", Servers: []string{"kea1 SubnetNotFound"}},
		},
	})
}

// TestObserveNotAllowed: an observation of what is not allowed has nothing of Kea.
func TestObserveNotAllowed(t *testing.T) {
	t.Parallel()
	views := []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), leased(lease(ip(50), noon)))}
	o := reservation.Observe(views, in(ip(50), limit()), me)
	want := reservation.Observation{Plan: reservation.Plan{State: reservation.NotAllowed, Message: "namespace ns may not use 10.123.0.0/24 of this provider configuration"}}
	if diff := cmp.Diff(want, o, equate(), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
		t.Errorf("Observe(...): -want, +got:\n%s", diff)
	}
}

func TestIntentDenied(t *testing.T) {
	t.Parallel()
	part, all := inside(reservation.TakeAny, "10.99.0.0/16"), inside(reservation.TakeAny)
	cases := map[string]struct {
		reason          string
		in              reservation.Intent
		denied, depends bool
	}{
		"Unlimited":  {reason: "Without limits nothing is denied.", in: in(none)},
		"Prefix":     {reason: "A prefix is judged as it is.", in: in(none, limit(part)), denied: true},
		"Allowed":    {reason: "So is one that is allowed.", in: in(none, limit(all))},
		"ID":         {reason: "Which prefix a subnet-id has is not known yet.", in: in(none, limit(part), byID(1)), depends: true},
		"IDNoRule":   {reason: "Without a rule it does not matter.", in: in(none, limit(), byID(1)), denied: true},
		"IDAnywhere": {reason: "Nor does it where every subnet is allowed.", in: in(none, limit(part, all), byID(1))},
		"IDFree":     {reason: "Nor without limits.", in: in(none, byID(1))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.in.Denied(); got != tc.denied {
				t.Errorf("%s\nDenied(): %t", tc.reason, got)
			}
			if got := tc.in.DependsOnPrefix(); got != tc.depends {
				t.Errorf("%s\nDependsOnPrefix(): %t", tc.reason, got)
			}
		})
	}
}
