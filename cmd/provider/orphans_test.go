// SPDX-License-Identifier: Apache-2.0

package main

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestOrphansRef(t *testing.T) {
	t.Parallel()
	const help = "write ClusterProviderConfig/<name> or ProviderConfig/<namespace>/<name>"
	cases := map[string]struct {
		reason string
		text   string
		want   connection.Ref
		err    string
	}{
		"All":         {reason: "Without a name all are looked at."},
		"Cluster":     {reason: "One of the cluster has no namespace.", text: "ClusterProviderConfig/a", want: connection.Ref{Kind: "ClusterProviderConfig", Name: "a"}},
		"Namespaced":  {reason: "That of a namespace has one.", text: "ProviderConfig/ns/a", want: connection.Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}},
		"NoNamespace": {reason: "It must have one.", text: "ProviderConfig/a", err: help},
		"TooMuch":     {reason: "One of the cluster must not.", text: "ClusterProviderConfig/ns/a", err: help},
		"NoKind":      {reason: "The kind must be one of the two.", text: "a", err: help},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := (&orphansCommand{ProviderConfig: tc.text}).ref()
			if diff := cmp.Diff(tc.want, got); diff != "" || (err == nil) != (tc.err == "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s\nref(%q): %v; -want, +got:\n%s", tc.reason, tc.text, err, diff)
			}
		})
	}
}

// TestPrintOrphans: a reservation is a line, whatever its mark has in it.
func TestPrintOrphans(t *testing.T) {
	t.Parallel()
	host := func(r kea.Reservation) kea.Host { return kea.HostOf(&r) }
	config := connection.Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}
	orphans := []providerconfig.Orphan{
		{
			Config: config, Resource: "ns/vm01", Store: reservation.Store{Server: "kea1", Place: kea.TargetMemory},
			Host: host(kea.Reservation{SubnetID: 1, HWAddress: "00:02:12:34:56:78", IPAddress: netip.MustParseAddr("10.123.0.50")}),
		},
		{
			Config: config, Resource: "ns/\x1b[2J\nvm02", Store: reservation.Store{Server: "kea1", Place: kea.TargetDatabase},
			Host: host(kea.Reservation{SubnetID: 2, HWAddress: "00:02:12:34:56:79"}),
		},
	}
	var got strings.Builder
	if err := printOrphans(&got, orphans); err != nil {
		t.Fatal(err)
	}
	want := `PROVIDER-CONFIG       NAMESPACE/NAME   HW-ADDRESS          ADDRESS       SUBNET-ID   SERVER   STORE
ProviderConfig/ns/a   ns/vm01          00:02:12:34:56:78   10.123.0.50   1           kea1     memory
ProviderConfig/ns/a   ns/ [2J vm02     00:02:12:34:56:79   -             2           kea1     database
`
	if diff := cmp.Diff(want, got.String()); diff != "" {
		t.Errorf("printOrphans(...): -want, +got:\n%s", diff)
	}
}
