// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/internal/kea"
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
	got := applyConfiguration(nc("vm", []string{mac1}), at("10.0.0.0/24"), mac1, "vm-020000000001")
	if diff := cmp.Diff(want, got.Object); diff != "" {
		t.Errorf("An apply names what is ours and nothing else\napplyConfiguration(...): -want, +got:\n%s", diff)
	}
}

func TestMovedName(t *testing.T) {
	here, otherKea := at("10.0.0.0/24"), at("10.0.0.0/24")
	otherKea.config = clusterConfig("other")
	names := map[string]bool{}
	for _, vm := range []string{"vm", strings.Repeat("a", 253)} {
		for _, p := range []*place{here, at("10.1.0.0/24"), otherKea} {
			got := movedName(vm, mac1, p)
			if errs := validation.IsDNS1123Subdomain(got); len(errs) > 0 {
				t.Errorf("movedName(%q, %s) = %q: %v", vm, p, got, errs)
			}
			if first := firstName(got); len(vm) < 200 && first != reservationName(vm, mac1) {
				t.Errorf("firstName(%q): %q", got, first)
			}
			if names[got] || got == reservationName(vm, mac1) {
				t.Errorf("movedName(%q, %s) = %q: that is another place's name", vm, p, got)
			}
			names[got] = true
		}
	}
	if got := firstName("vm-020000000001"); got != "vm-020000000001" {
		t.Errorf("firstName(...) of a first name: %q", got)
	}
}

func TestMACIn(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		name   string
		want   kea.HWAddress
	}{
		"First":     {"The name of a device's reservation ends with its address.", reservationName("vm", mac1), mac1},
		"Shortened": {"So does one that is shortened.", reservationName(strings.Repeat("a", 253), mac1), mac1},
		"Dashes":    {"Dashes before it do not matter.", reservationName("a-b-00ff", mac1), mac1},
		"Short":     {"Five bytes are no address.", "vm-0200000000", ""},
		"Long":      {"Eight bytes are none either.", "vm-0200000000010203", ""},
		"Word":      {"Nor is another word.", "vm-reservation", ""},
		"NoDash":    {"A name that a user chose may be the digits alone; reservationName decides whether it is wanted.", "020000000001", mac1},
		"Empty":     {"There is nothing in no name.", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := macIn(tc.name); got != tc.want || ok != (tc.want != "") {
				t.Errorf("%s macIn(%q): %q, %t", tc.reason, tc.name, got, ok)
			}
		})
	}
}
