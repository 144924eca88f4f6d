// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestDecidePrecedence starts from a view with every trouble at once, and mends one after the
// other.
func TestDecidePrecedence(t *testing.T) {
	t.Parallel()
	v := view("memory@kea1", noSubnet(),
		has(host(none, ownedBy(vm02), withOptions(opaque()))),
		heldBy(kea.Reservation{SubnetID: 1, HWAddress: otherMAC, IPAddress: ip(50)}),
		func(v *reservation.View) { v.Identifiers = []string{"client-id"} },
	)
	i := in(none, limit())
	steps := []struct {
		want   reservation.State
		reason string
		mend   func()
	}{
		{reservation.NotAllowed, "What may not be used is not looked at.", func() { i.Grant = reservation.Grant{} }},
		{reservation.SubnetNotFound, "Without the subnet nothing else is known.", func() { v.SubnetFound, v.Subnet = true, subnet }},
		{reservation.OwnedByAnother, "Another's reservation comes before all that we want of it.", func() { i.Adopt = true }},
		{reservation.AwaitingLease, "Without an address none can be judged.", func() { i.Address = ip(255) }},
		{reservation.AddressNotInSubnet, "An address that no host can have comes before who has it.", func() { i.Address = ip(50) }},
		{reservation.AddressConflict, "A conflict comes before what would have to be written.", func() { v.Holders = nil }},
		{reservation.OpaqueOption, "An option that would be erased comes before what Kea says to the write.", func() {
			v.Host = host(none, ownedBy(vm02))
			v.Refusal = &reservation.Refusal{Want: *host(ip(50), ownedBy(me)), Message: "no"}
		}},
		{reservation.Refused, "A refused change is not pending.", func() { v.Refusal = nil }},
		{reservation.Pending, "What Kea ignores is made first.", func() { v.Host = host(ip(50), ownedBy(me)) }},
		{reservation.IgnoredByKea, "What Kea holds and ignores is not Reserved.", func() { v.Identifiers = nil }},
		{reservation.Reserved, "Nothing is left.", func() {}},
	}
	for _, step := range steps {
		p := reservation.Decide([]reservation.View{v}, i, me)
		if p.State != step.want {
			t.Fatalf("%s\nDecide(...): %s %q, want %s", step.reason, p.State, p.Message, step.want)
		}
		step.mend()
	}
}

// TestDecideTogether puts each trouble on one of two servers: the other one, which has none, gets
// no step either.
func TestDecideTogether(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		trouble func(*reservation.View)
		change  func(*reservation.Intent)
		want    reservation.State
	}{
		"OwnedByAnother": {reason: "Another owner.", trouble: has(host(ip(50), ownedBy(vm02))), want: reservation.OwnedByAnother},
		"AddressNotInSubnet": {
			reason: "The subnet-id is that of another prefix there.", want: reservation.AddressNotInSubnet,
			trouble: func(v *reservation.View) {
				v.Subnet.Prefix = netip.MustParsePrefix("10.124.0.0/24")
			},
		},
		"AddressConflict": {reason: "Another host has the address.", trouble: heldBy(kea.Reservation{HWAddress: otherMAC, IPAddress: ip(50)}), want: reservation.AddressConflict},
		"OpaqueOption":    {reason: "An option would be erased.", trouble: has(host(ip(51), ownedBy(me), withOptions(opaque()))), want: reservation.OpaqueOption},
		"Refused": {
			reason: "Kea has refused it.", want: reservation.Refused,
			trouble: func(v *reservation.View) {
				v.Refusal = &reservation.Refusal{Want: *host(ip(50), ownedBy(me)), Message: "no"}
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			for _, views := range [][]reservation.View{
				{view("memory@kea1", tc.trouble), view("memory@kea2")},
				{view("memory@kea1"), view("memory@kea2", tc.trouble)},
				{view("database@kea1"), view("memory@kea1", notPrimary), view("database@kea2", tc.trouble), view("memory@kea2", notPrimary)},
			} {
				p := reservation.Decide(views, in(ip(50)), me)
				if p.State != tc.want || len(p.Steps) != 0 {
					t.Errorf("%s\nDecide(...): %v, want %s and no steps", tc.reason, planOf(p), tc.want)
				}
			}
		})
	}
}

func TestPlanDifference(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason        string
		have          *kea.Reservation
		change        func(*reservation.Intent)
		address       byte
		want, ofField string
	}{
		"None":     {reason: "What is as wanted differs in nothing.", have: host(ip(50), ownedBy(me)), address: 50},
		"Missing":  {reason: "What is not there differs in nothing that can be named.", address: 50},
		"Address":  {reason: "Both values are named.", have: host(ip(51), ownedBy(me)), address: 50, want: "ip-address 10.123.0.51, wanted 10.123.0.50", ofField: "ip-address 10.123.0.51, wanted 10.123.0.50"},
		"Mark":     {reason: "The mark is named if it is all.", have: host(ip(50)), address: 50, want: "the mark of ownership is missing or differs"},
		"Hostname": {reason: "It is left out beside a field.", have: host(ip(50), func(r *kea.Reservation) { r.Hostname = "a" }), address: 50, change: hostname("b"), want: "hostname a, wanted b", ofField: "hostname a, wanted b"},
		"NoValue":  {reason: "A field without a value has none.", have: host(none, ownedBy(me, "hostname"), func(r *kea.Reservation) { r.Hostname = "a" }), address: 50, change: hostname(""), want: "ip-address none, wanted 10.123.0.50; hostname a, wanted none", ofField: "ip-address none, wanted 10.123.0.50; hostname a, wanted none"},
		"Classes": {
			reason: "Classes are named all.", address: 50, have: host(ip(50), ownedBy(me, "client-classes"), func(r *kea.Reservation) { r.ClientClasses = []string{"a", "b"} }),
			change: func(i *reservation.Intent) { i.ClientClasses = []string{"b"} },
			want:   "client-classes a,b, wanted b", ofField: "client-classes a,b, wanted b",
		},
		"Boot": {
			reason: "Every text field is one.", address: 50, have: host(ip(50), ownedBy(me, "boot-file-name", "next-server", "server-hostname")),
			change: func(i *reservation.Intent) {
				i.NextServer, i.ServerHostname, i.BootFileName = new("10.0.0.7"), new("s"), new("f")
			},
			want:    "next-server none, wanted 10.0.0.7; server-hostname none, wanted s; boot-file-name none, wanted f",
			ofField: "next-server none, wanted 10.0.0.7; server-hostname none, wanted s; boot-file-name none, wanted f",
		},
		"Option": {
			reason: "Of options only those that differ are named.", address: 50,
			have: host(ip(50), ownedBy(me, "option-data/dhcp4/6"), withOptions(keaRouters, keaDNS)), change: options(kea.OptionData{Code: 6, Data: "10.0.0.9", AlwaysSend: new(true)}),
			want:    "option 6 (domain-name-servers) 10.0.0.2,10.0.0.3, wanted 10.0.0.9 (always-send)",
			ofField: "option 6 (domain-name-servers) 10.0.0.2,10.0.0.3, wanted 10.0.0.9 (always-send)",
		},
		"OptionAdded": {
			reason: "One that is missing, by what the spec says of it.", address: 50,
			have:    host(ip(50), ownedBy(me, "option-data/vendor-4491/2"), withOptions(keaRouters)),
			change:  options(kea.OptionData{Code: 2, Space: "vendor-4491", Data: "10.0.0.9", NeverSend: new(true), ClientClasses: []string{"gold", "vip"}}),
			want:    "option 2 of space vendor-4491 none, wanted 10.0.0.9 (never-send) for gold,vip",
			ofField: "option 2 of space vendor-4491 none, wanted 10.0.0.9 (never-send) for gold,vip",
		},
		"OptionNoLongerWanted": {
			reason: "One that goes.", address: 50, have: host(ip(50), ownedBy(me, "option-data/dhcp4/6"), withOptions(keaRouters, keaDNS)),
			want:    "option 6 (domain-name-servers) 10.0.0.2,10.0.0.3, wanted none",
			ofField: "option 6 (domain-name-servers) 10.0.0.2,10.0.0.3, wanted none",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			i := in(ip(tc.address))
			if tc.change != nil {
				tc.change(&i)
			}
			p := reservation.Decide([]reservation.View{view("memory@kea1", has(tc.have))}, i, me)
			if diff := cmp.Diff(tc.want, p.Difference()); diff != "" {
				t.Errorf("%s\nDifference(): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.ofField, p.FieldDifference()); diff != "" {
				t.Errorf("%s\nFieldDifference(): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestPlanDifferenceOfTwo is about the first server that differs in what can be written.
func TestPlanDifferenceOfTwo(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]*kea.Reservation{
		"AsWanted": host(ip(50), ownedBy(me)), "OpaqueUnmarked": host(ip(50), withOptions(opaque())),
	} {
		p := reservation.Decide([]reservation.View{
			view("memory@kea1", has(first)), view("memory@kea2", has(host(ip(51), ownedBy(me)))),
		}, in(ip(50)), me)
		if got, want := p.Difference(), "ip-address 10.123.0.51, wanted 10.123.0.50"; got != want {
			t.Errorf("Difference(), %s: %q, want %q", name, got, want)
		}
		if len(p.Servers) != 2 || !p.Servers[0].Exists || !p.Servers[1].Exists {
			t.Errorf("Decide(...), %s: servers %+v, want two where the reservation exists", name, p.Servers)
		}
	}
}

// TestDecideSubnetIDs is about two servers where the prefix has different subnet-ids.
func TestDecideSubnetIDs(t *testing.T) {
	t.Parallel()
	p := reservation.Decide([]reservation.View{
		view("memory@kea1"), view("memory@kea2", func(v *reservation.View) { v.Subnet.ID = 20 }),
	}, in(ip(50)), me)
	var ids []uint32
	for _, s := range p.Steps {
		ids = append(ids, s.Want.SubnetID)
	}
	if diff := cmp.Diff([]uint32{1, 20}, ids); diff != "" {
		t.Errorf("Decide(...): subnet-ids of the steps: -want, +got:\n%s", diff)
	}
	if i := slices.IndexFunc(p.Servers, func(s reservation.ServerPlan) bool { return s.Name == "kea2" }); i < 0 || p.Servers[i].SubnetID != 20 {
		t.Errorf("Decide(...): servers %+v, want subnet-id 20 on kea2", p.Servers)
	}
}
