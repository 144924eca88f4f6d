// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestDecideFields is about the reservation that the one step of a plan writes.
func TestDecideFields(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		have   *kea.Reservation
		change func(*reservation.Intent)
		want   kea.Reservation
	}{
		"New": {
			reason: "A new reservation has identifier, address and mark, and nothing else.",
			change: func(*reservation.Intent) {},
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip(50), UserContext: marked(me)},
		},
		"All": {
			reason: "Every field of the spec is written, and named in the mark in order.",
			change: func(i *reservation.Intent) {
				i.Hostname, i.NextServer, i.ServerHostname, i.BootFileName = new("a"), new("10.0.0.7"), new("boot"), new("x.efi")
				i.ClientClasses, i.OptionData = []string{"gold"}, []kea.OptionData{{Code: 6, Data: "10.0.0.9"}}
			},
			want: kea.Reservation{
				SubnetID: 1, HWAddress: mac, IPAddress: ip(50), Hostname: "a", NextServer: "10.0.0.7", ServerHostname: "boot", BootFileName: "x.efi",
				ClientClasses: []string{"gold"}, OptionData: []kea.OptionData{{Code: 6, Data: "10.0.0.9"}},
				UserContext: marked(me, "boot-file-name", "client-classes", "hostname", "next-server", "option-data/dhcp4/6", "server-hostname"),
			},
		},
		"OthersSurvive": {
			reason: "What the spec does not set stays, in the mark as well.",
			have: &kea.Reservation{
				SubnetID: 1, HWAddress: mac, DUID: "01:02", Hostname: "a", BootFileName: "caf\xe9", ClientClasses: []string{"gold"}, OptionData: []kea.OptionData{keaDNS},
				UserContext: map[string]any{"note": "keep", "crossplane": map[string]any{"cluster": me.Cluster, "resource": me.Resource, "since": "2024"}},
				Extra:       map[string]json.RawMessage{"new-member": json.RawMessage(`1`)},
			},
			change: func(*reservation.Intent) {},
			want: kea.Reservation{
				SubnetID: 1, HWAddress: mac, DUID: "01:02", IPAddress: ip(50), Hostname: "a", BootFileName: "caf\xe9", ClientClasses: []string{"gold"},
				OptionData:  []kea.OptionData{keaDNS},
				UserContext: map[string]any{"note": "keep", "crossplane": map[string]any{"cluster": me.Cluster, "resource": me.Resource, "since": "2024"}},
				Extra:       map[string]json.RawMessage{"new-member": json.RawMessage(`1`)},
			},
		},
		"NoLongerWanted": {
			reason: "A field that was managed and no longer is gets Kea's default; one that was not managed stays.",
			have: &kea.Reservation{
				SubnetID: 1, HWAddress: mac, Hostname: "ours", BootFileName: "theirs", ClientClasses: []string{"gold"},
				UserContext: marked(me, "hostname", "client-classes"),
			},
			change: func(*reservation.Intent) {},
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip(50), BootFileName: "theirs", UserContext: marked(me)},
		},
		"Emptied": {
			reason: "A value that is empty is wanted, other than one that is not set.",
			have:   &kea.Reservation{SubnetID: 1, HWAddress: mac, Hostname: "a", ClientClasses: []string{"gold"}},
			change: func(i *reservation.Intent) { i.Hostname, i.ClientClasses = new(""), []string{} },
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip(50), UserContext: marked(me, "client-classes", "hostname")},
		},
		"TakenOver": {
			reason: "What the former owner managed and this one does not is reset.",
			have:   &kea.Reservation{SubnetID: 1, HWAddress: mac, Hostname: "theirs", NextServer: "10.0.0.7", UserContext: marked(vm02, "hostname")},
			change: adopt,
			want:   kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip(50), NextServer: "10.0.0.7", UserContext: marked(me)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := view("memory@kea1", has(tc.have))
			var before kea.Reservation
			if tc.have != nil {
				before = tc.have.Clone()
			}
			step := onlyStep(t, reservation.Decide([]reservation.View{v}, in(ip(50), tc.change), me))
			if diff := cmp.Diff(tc.want, step.Want, equate()); diff != "" {
				t.Errorf("%s\nDecide(...): -want, +got:\n%s", tc.reason, diff)
			}
			if tc.have == nil {
				return
			}
			if diff := cmp.Diff(before, *tc.have, equate()); diff != "" {
				t.Errorf("Decide(...) changed what it was given: -before, +after:\n%s", diff)
			}
			if diff := cmp.Diff(&before, step.Old, equate()); diff != "" {
				t.Errorf("Decide(...): the step has not what there was: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestDecideVanished is about what a lost reservation is restored from.
func TestDecideVanished(t *testing.T) {
	t.Parallel()
	before := host(ip(50), ownedBy(me), func(r *kea.Reservation) { r.Hostname = "theirs" }, withOptions(keaRouters, opaque()))
	const warning = "the lost reservation is restored without option 43 (vendor-encapsulated-options), " +
		"whose content Kea had not returned: set it again in Kea, or in spec.forProvider.optionData"
	raw := kea.OptionData{Code: 43, Data: "0104", CSVFormat: new(false)}
	taken := heldBy(kea.Reservation{SubnetID: 1, HWAddress: otherMAC, IPAddress: ip(51)})
	nothing := func(*reservation.View) {}
	cases := map[string]struct {
		reason   string
		view     func(*reservation.View)
		in       reservation.Intent
		want     kea.Reservation
		warnings []string
	}{
		"PutBack": {
			reason:   "So it is where it comes back for a while, as its new address is another host's.",
			view:     taken,
			in:       in(ip(51)),
			want:     *host(ip(50), ownedBy(me), func(r *kea.Reservation) { r.Hostname = "theirs" }, withOptions(keaRouters)),
			warnings: []string{warning},
		},
		"Restored": {
			view:     nothing,
			reason:   "It comes back with all that is known, and with a warning about what is not.",
			in:       in(none),
			want:     *host(ip(50), ownedBy(me), func(r *kea.Reservation) { r.Hostname = "theirs" }, withOptions(keaRouters)),
			warnings: []string{warning},
		},
		"SetByTheSpec": {
			view:   nothing,
			reason: "An option that the spec sets comes back whole.",
			in:     in(none, options(raw)),
			want:   *host(ip(50), ownedBy(me, "option-data/dhcp4/43"), func(r *kea.Reservation) { r.Hostname = "theirs" }, withOptions(keaRouters, raw)),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := reservation.Decide([]reservation.View{view("memory@kea1", lost(before), tc.view)}, tc.in, me)
			if diff := cmp.Diff(tc.want, onlyStep(t, p).Want, equate()); diff != "" {
				t.Errorf("%s\nDecide(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(tc.warnings, p.Warnings, equate()); diff != "" {
				t.Errorf("%s\nDecide(...): warnings: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
