// SPDX-License-Identifier: Apache-2.0

package group

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
)

const (
	mac     = kea.HWAddress("00:02:12:34:56:78")
	cluster = "c1"
)

var (
	ip50 = netip.MustParseAddr("10.123.0.50")
	ip51 = netip.MustParseAddr("10.123.0.51")
)

// equateReservations compares addresses by value, and nothing by how it is empty.
func equateReservations() cmp.Options {
	return cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}
}

// marked is a user-context with our mark in it.
func marked(resource string, manages ...any) map[string]any {
	m := map[string]any{"cluster": cluster, "resource": resource}
	if len(manages) > 0 {
		m["manages"] = manages
	}
	return map[string]any{"crossplane": m}
}

func TestDesired(t *testing.T) {
	dns := kea.OptionData{Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.2", CSVFormat: new(true), AlwaysSend: new(false)}
	routers := kea.OptionData{Name: "routers", Code: 3, Space: "dhcp4", Data: "10.123.0.1", CSVFormat: new(true), AlwaysSend: new(false)}
	cases := map[string]struct {
		reason string
		base   kea.Reservation
		in     Intent
		want   kea.Reservation
	}{
		"New": {
			reason: "A reservation that Kea does not have gets identifier, address and mark, and nothing else.",
			in:     Intent{HWAddress: mac, Resource: "ns/a"},
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: marked("ns/a")},
		},
		"UnmanagedSurvives": {
			reason: "Fields, options, user-context and members that nobody here manages stay as somebody else set them.",
			base: kea.Reservation{
				SubnetID: 1, HWAddress: mac, Hostname: "theirs", OptionData: []kea.OptionData{routers}, ClientClasses: []string{"gold"},
				UserContext: map[string]any{"note": "keep"}, Extra: map[string]json.RawMessage{"new-member": json.RawMessage(`1`)},
			},
			in: Intent{HWAddress: mac, Resource: "ns/a"},
			want: kea.Reservation{
				SubnetID: 1, HWAddress: mac, IPAddress: ip50, Hostname: "theirs", OptionData: []kea.OptionData{routers}, ClientClasses: []string{"gold"},
				UserContext: map[string]any{"note": "keep", "crossplane": map[string]any{"cluster": cluster, "resource": "ns/a"}},
				Extra:       map[string]json.RawMessage{"new-member": json.RawMessage(`1`)},
			},
		},
		"OptionsMerge": {
			reason: "A wanted option replaces Kea's of the same name or code; others stay; what Kea filled in is kept.",
			base:   kea.Reservation{OptionData: []kea.OptionData{routers, dns}},
			in:     Intent{HWAddress: mac, Resource: "ns/a", OptionData: []kea.OptionData{{Code: 6, Data: "10.0.0.9"}}},
			want: kea.Reservation{
				SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: marked("ns/a", "option-data/dhcp4/6"),
				OptionData: []kea.OptionData{routers, {Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.9", CSVFormat: new(true), AlwaysSend: new(false)}},
			},
		},
		"LetGo": {
			reason: "A field that was managed and is no longer wanted goes back to Kea's default; one that was never managed stays.",
			base: kea.Reservation{
				Hostname: "ours", BootFileName: "theirs", OptionData: []kea.OptionData{routers, dns}, ClientClasses: []string{"gold"},
				UserContext: marked("ns/a", "hostname", "client-classes", "option-data/dhcp4/domain-name-servers"),
			},
			in: Intent{HWAddress: mac, Resource: "ns/a"},
			want: kea.Reservation{
				SubnetID: 1, HWAddress: mac, IPAddress: ip50, BootFileName: "theirs", OptionData: []kea.OptionData{routers}, UserContext: marked("ns/a"),
			},
		},
		"EmptyListClears": {
			reason: "An empty list of classes is wanted, other than none.",
			base:   kea.Reservation{ClientClasses: []string{"gold"}},
			in:     Intent{HWAddress: mac, Resource: "ns/a", ClientClasses: []string{}, Hostname: new("")},
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: marked("ns/a", "client-classes", "hostname")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.base.Clone()
			got := desired(tc.base, 1, ip50, tc.in, cluster)
			if diff := cmp.Diff(tc.want, got, equateReservations()); diff != "" {
				t.Errorf("%s\ndesired(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(before, tc.base, equateReservations()); diff != "" {
				t.Errorf("desired(...) changed what it was given, which the snapshot shares: -before, +after:\n%s", diff)
			}
			if d := difference(got, desired(got, 1, ip50, tc.in, cluster)); d != "" {
				t.Errorf("what is wanted differs from itself: %s", d)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	cases := map[string]struct {
		reason     string
		have, want kea.Reservation
		diff       string
	}{
		"Blanks": {
			reason: "Kea writes blanks after commas; that is no difference.",
			have:   kea.Reservation{OptionData: []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2, 10.0.0.3"}}},
			want:   kea.Reservation{OptionData: []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2,10.0.0.3"}}},
		},
		"Address": {
			reason: "A difference names the field and both values, for people.",
			have:   kea.Reservation{IPAddress: ip50},
			want:   kea.Reservation{IPAddress: ip51},
			diff:   "ip-address: 10.123.0.50 -> 10.123.0.51",
		},
		"Mark": {
			reason: "A reservation without our mark is to be marked.",
			want:   kea.Reservation{UserContext: marked("ns/a")},
			diff:   "user-context: the mark of ownership",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.diff, difference(tc.have, tc.want)); diff != "" {
				t.Errorf("%s\ndifference(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMarkOf(t *testing.T) {
	cases := map[string]struct {
		reason      string
		userContext map[string]any
		want        mark
		ok          bool
	}{
		"None":       {reason: "A reservation without user-context is nobody's."},
		"Others":     {reason: "What others keep in user-context is no mark.", userContext: map[string]any{"note": "x"}},
		"Ours":       {reason: "The mark is read with the fields it manages.", userContext: marked("ns/a", "hostname"), want: mark{cluster, "ns/a", []string{"hostname"}}, ok: true},
		"Unreadable": {reason: "A mark that cannot be read is somebody's: better untouched than stolen.", userContext: map[string]any{"crossplane": "?"}, ok: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, ok := markOf(&kea.Reservation{UserContext: tc.userContext})
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(mark{})); diff != "" || ok != tc.ok {
				t.Errorf("%s\nmarkOf(...): %t, -want, +got:\n%s", tc.reason, ok, diff)
			}
		})
	}
}
