// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestMACsOf(t *testing.T) {
	cases := map[string]struct {
		reason string
		macs   []string
		want   []kea.HWAddress
	}{
		"None": {reason: "No interfaces, no addresses"},
		"Notations": {
			reason: "All notations of an address are the same address",
			macs:   []string{"02-00-00-00-00-0A", " 02:00:00:00:00:0a ", "0200.0000.000A", mac1},
			want:   []kea.HWAddress{"02:00:00:00:00:0a", mac1},
		},
		"Invalid": {
			reason: "What is not six bytes is no address",
			macs:   []string{"", "02:00:00:00:00", "02:00:00:00:00:01:02", "020000000001", "zz:00:00:00:00:01", mac2},
			want:   []kea.HWAddress{mac2},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, macsOf(nc("vm", tc.macs))); diff != "" {
				t.Errorf("\n%s\nmacsOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestReservationName(t *testing.T) {
	long := strings.Repeat("a", 230) + ".b.c.d.e.f.g.h.i.j.k.l"
	if len(long) > validation.DNS1123SubdomainMaxLength {
		t.Fatal("this cannot be an object's name")
	}
	names := map[string]string{}
	for _, name := range []string{"vm", long, long[:len(long)-1] + "m", strings.Repeat("a", 240), strings.Repeat("a", 253)} {
		got := reservationName(name, mac1)
		if errs := validation.IsDNS1123Subdomain(got); len(errs) > 0 {
			t.Errorf("reservationName(%q) = %q: %v", name, got, errs)
		}
		if !strings.HasSuffix(got, "-020000000001") {
			t.Errorf("reservationName(%q) = %q: it does not end with the hardware address", name, got)
		}
		label := labelValue(name)
		if errs := validation.IsValidLabelValue(label); len(errs) > 0 {
			t.Errorf("labelValue(%q) = %q: %v", name, label, errs)
		}
		if other, ok := names[got]; ok {
			t.Errorf("%q and %q get the same name %q", name, other, got)
		}
		names[got] = name
	}
	if diff := cmp.Diff("vm-020000000001", reservationName("vm", mac1)); diff != "" {
		t.Errorf("reservationName(...): -want, +got:\n%s", diff)
	}
}

func TestApplyConfiguration(t *testing.T) {
	want := map[string]any{
		"apiVersion": "kea.crossplane.io/v1alpha1",
		"kind":       "KeaReservation",
		"metadata": map[string]any{
			"namespace": "ns",
			"name":      "vm-020000000001",
			"labels": map[string]any{
				"kea.crossplane.io/network-configuration": "vm",
				"kea.crossplane.io/network-namespace":     "net",
			},
			"annotations": map[string]any{"crossplane.io/external-name": mac1},
			"ownerReferences": []any{map[string]any{
				"apiVersion": "vitistack.io/v1alpha1", "kind": "NetworkConfiguration", "name": "vm", "uid": "ns/vm",
				"controller": true, "blockOwnerDeletion": false,
			}},
		},
		"spec": map[string]any{
			"providerConfigRef": map[string]any{"kind": "ClusterProviderConfig", "name": "default"},
			"forProvider":       map[string]any{"subnet": "10.0.0.0/24", "hwAddress": mac1},
		},
	}
	got := applyConfiguration(nc("vm", []string{mac1}), at("10.0.0.0/24"), mac1)
	if diff := cmp.Diff(want, got.Object); diff != "" {
		t.Errorf("An apply names what is ours and nothing else\napplyConfiguration(...): -want, +got:\n%s", diff)
	}
}

func TestChildStateOf(t *testing.T) {
	vm := nc("vm", []string{mac1})
	here, there := at("10.0.0.0/24"), at("10.1.0.0/24")
	otherKea := at("10.0.0.0/24")
	otherKea.config = clusterConfig("other")
	other := nc("vm", []string{mac1}, func(nc *vitistack.NetworkConfiguration) { nc.UID = "another" })

	cases := map[string]struct {
		reason string
		opts   []krOption
		of     *vitistack.NetworkConfiguration
		at     *place
		mac    string
		want   childState
	}{
		"AsWanted":        {reason: "What an apply makes is as wanted", want: childAsWanted},
		"Pinned":          {reason: "A pinned address is not ours, and changes nothing", opts: []krOption{holding}, want: childAsWanted},
		"Unlabelled":      {reason: "Labels come back", opts: []krOption{unlabelled}, want: childOutdated},
		"OtherSubnet":     {reason: "A subnet cannot be changed", at: there, want: childMisplaced},
		"OtherKea":        {reason: "Another Kea would leave the reservation behind", at: otherKea, want: childMisplaced},
		"OtherMAC":        {reason: "A hardware address cannot be changed", mac: mac2, want: childMisplaced},
		"Going":           {reason: "What is being deleted is waited for", opts: []krOption{going}, at: there, want: childDeleting},
		"Foreign":         {reason: "A controller is known by its UID", of: other, want: childForeign},
		"ForeignGoing":    {reason: "Another controller's stays its own to the end", of: other, opts: []krOption{going}, want: childForeign},
		"Uncontrolled":    {reason: "One without a controller is not taken over without a sign that it was ours", opts: []krOption{orphaned, unlabelled}, want: childForeign},
		"Orphan":          {reason: "What was made for it is taken over", opts: []krOption{orphaned}, want: childOutdated},
		"OrphanElsewhere": {reason: "An orphan is not ours to delete", opts: []krOption{orphaned}, at: there, want: childForeign},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.of == nil {
				tc.of = vm
			}
			if tc.at == nil {
				tc.at = here
			}
			if tc.mac == "" {
				tc.mac = mac1
			}
			have := kr(tc.of, tc.at, tc.mac, tc.opts...)
			if got := childStateOf(have, vm, here, mac1); got != tc.want {
				t.Errorf("\n%s\nchildStateOf(...): want %d, got %d", tc.reason, tc.want, got)
			}
		})
	}
	if got := childStateOf(nil, vm, here, mac1); got != childAbsent {
		t.Errorf("childStateOf(nil): want %d, got %d", childAbsent, got)
	}
}
