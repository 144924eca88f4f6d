// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"testing"

	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	wantSameSubnet   = "subnet is immutable: delete this KeaReservation and create one in the other subnet"
	wantSameSubnetID = "subnetId is immutable: delete this KeaReservation and create one in the other subnet"
	wantSameMAC      = "hwAddress is immutable: delete this KeaReservation and create one for the other device"
)

func TestKeaReservationUpdate(t *testing.T) {
	const (
		byPrefix = `{subnet: 10.123.0.0/24, hwAddress: "00:02:12:ab:cd:ef", ipAddress: 10.123.0.50, hostname: vm01}`
		byID     = `{subnetId: 1, hwAddress: "00:02:12:ab:cd:ef"}`
	)
	type args struct{ before, after string }
	cases := map[string]struct {
		reason string
		args   args
		want   string
		more   bool
	}{
		"Same":           {reason: "Nothing changes.", args: args{byPrefix, byPrefix}},
		"Mutable":        {reason: "Everything else may change.", args: args{byPrefix, `{subnet: 10.123.0.0/24, hwAddress: "00:02:12:ab:cd:ef", ipAddress: 10.123.0.51, hostname: vm02, nextServer: 10.0.0.5}`}},
		"IPAddressFound": {reason: "It is filled in from the lease.", args: args{byID, `{subnetId: 1, hwAddress: "00:02:12:ab:cd:ef", ipAddress: 10.123.0.50}`}},
		"IPAddressGone":  {reason: "It is then filled in again.", args: args{byPrefix, `{subnet: 10.123.0.0/24, hwAddress: "00:02:12:ab:cd:ef"}`}},
		"Upper":          {reason: "The same address written otherwise.", args: args{byID, `{subnetId: 1, hwAddress: "00:02:12:AB:CD:EF"}`}},
		"Dashes":         {reason: "The same address written otherwise.", args: args{byID, `{subnetId: 1, hwAddress: "00-02-12-AB-cd-ef"}`}},
		"OtherMAC":       {reason: "Another device is another reservation.", args: args{byID, `{subnetId: 1, hwAddress: "00:02:12:ab:cd:ee"}`}, want: wantSameMAC},
		"BadMAC":         {reason: "Both are wrong with it.", args: args{byID, `{subnetId: 1, hwAddress: "0002.12ab.cdee"}`}, want: wantMAC, more: true},
		"OtherSubnet":    {reason: "Another subnet is another reservation.", args: args{byPrefix, `{subnet: 10.124.0.0/24, hwAddress: "00:02:12:ab:cd:ef"}`}, want: wantSameSubnet},
		"LargerSubnet":   {reason: "The same for the same network address.", args: args{byPrefix, `{subnet: 10.123.0.0/16, hwAddress: "00:02:12:ab:cd:ef"}`}, want: wantSameSubnet},
		"OtherSubnetID":  {reason: "Another subnet is another reservation.", args: args{byID, `{subnetId: 2, hwAddress: "00:02:12:ab:cd:ef"}`}, want: wantSameSubnetID},
		"PrefixToID":     {reason: "It might be another subnet.", args: args{byPrefix, byID}, want: wantSameSubnet, more: true},
		"IDToPrefix":     {reason: "It might be another subnet.", args: args{byID, byPrefix}, want: wantSameSubnetID, more: true},
		"NoSubnet":       {reason: "It would be nowhere.", args: args{byID, `{hwAddress: "00:02:12:ab:cd:ef"}`}, want: wantOneSubnet, more: true},
		"SecondSubnet":   {reason: "The two might differ.", args: args{byID, `{subnetId: 1, subnet: 10.123.0.0/24, hwAddress: "00:02:12:ab:cd:ef"}`}, want: wantOneSubnet, more: true},
		"BadAddress":     {reason: "The rules for new ones hold.", args: args{byPrefix, `{subnet: 10.123.0.0/24, hwAddress: "00:02:12:ab:cd:ef", ipAddress: 10.123.0.255}`}, want: wantBroadcast},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := reservation(t, c.args.before)
			if err := kube.Create(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			setSpec(t, u, "forProvider: "+c.args.after)
			judge(t, kube.Update(t.Context(), u, client.DryRunAll), check{reason: c.reason, want: c.want, more: c.more})
		})
	}
}

// TestProviderConfigRefUpdate: another configuration is another Kea, and what the
// first one holds would stay there.
func TestProviderConfigRefUpdate(t *testing.T) {
	const spec = `{subnetId: 1, hwAddress: "00:02:12:ab:cd:ef"}`
	cases := map[string]struct {
		reason string
		status map[string]any
		want   string
	}{
		"NotHeld": {reason: "A mistake can be mended before Kea holds anything."},
		"Held":    {reason: "Afterwards it cannot.", status: map[string]any{"ipAddress": "10.123.0.50"}, want: "providerConfigRef is immutable once Kea has the reservation"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := reservation(t, spec)
			if err := kube.Create(t.Context(), u); err != nil {
				t.Fatal(err)
			}
			if c.status != nil {
				u.Object["status"] = map[string]any{"atProvider": c.status}
				if err := kube.Status().Update(t.Context(), u); err != nil {
					t.Fatal(err)
				}
			}
			setSpec(t, u, "{providerConfigRef: {kind: ClusterProviderConfig, name: other}, forProvider: "+spec+"}")
			judge(t, kube.Update(t.Context(), u, client.DryRunAll), check{reason: c.reason, want: c.want})
		})
	}
}
