// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestStatusOfInvalidMACs: readers give up on a machine in phase Error, so one
// interface without an Ethernet address does not take it from the others.
func TestStatusOfInvalidMACs(t *testing.T) {
	const (
		infiniBand = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01"
		invalid    = `cannot read "` + infiniBand + `" as a hardware address: it has 20 bytes, an Ethernet address has 6`
	)
	networks := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	type want struct {
		phase, message string
		addresses      []string // one for each interface
	}
	cases := map[string]struct {
		reason   string
		macs     []string
		reserved bool // mac1
		networks []vitistack.NetworkNamespace
		want     want
	}{
		"AmongReserved": {
			reason: "The others decide", macs: []string{infiniBand, mac1}, reserved: true, networks: networks,
			want: want{"Ready", "reserved in Kea: 1 of 2; eth0: " + invalid, []string{"", "10.0.0.5"}},
		},
		"AmongWaiting": {
			reason: "The others decide", macs: []string{mac1, infiniBand}, networks: networks,
			want: want{"Reconciling", "eth0: " + mac1 + " gets its reservation; eth1: " + invalid, []string{"", ""}},
		},
		"TooShort": {
			reason: "A byte that is missing may be a mistake, and leaves the others alone", macs: []string{mac1, "02:00:00:00:01"}, reserved: true, networks: networks,
			want: want{"Ready", `reserved in Kea: 1 of 2; eth1: cannot read "02:00:00:00:01" as a hardware address: it has 5 bytes, an Ethernet address has 6`, []string{"10.0.0.5", ""}},
		},
		"Empty": {
			reason: "One that is not there yet may come", macs: []string{mac1, ""}, reserved: true, networks: networks,
			want: want{"Reconciling", "reserved in Kea: 1 of 2; eth1: it has no macAddress yet", []string{"10.0.0.5", ""}},
		},
		"EmptyToo": {
			reason: "Each for itself", macs: []string{infiniBand, mac1, ""}, reserved: true, networks: networks,
			want: want{"Reconciling", "reserved in Kea: 1 of 3; eth2: it has no macAddress yet; eth0: " + invalid, []string{"", "10.0.0.5", ""}},
		},
		"Duplicate": {
			reason: "Two interfaces with one address share a reservation", macs: []string{mac1, infiniBand, mac1}, reserved: true, networks: networks,
			want: want{"Ready", "reserved in Kea: 2 of 3; eth1: " + invalid, []string{"10.0.0.5", "", "10.0.0.5"}},
		},
		"Only": {
			reason: "Nothing can be done for this machine", macs: []string{infiniBand}, networks: networks,
			want: want{"Error", "eth0: " + invalid, []string{""}},
		},
		"OnlyTwo": {
			reason: "Both are named", macs: []string{infiniBand, "nonsense"}, networks: networks,
			want: want{
				"Error", "eth0: " + invalid + `; eth1: cannot read "nonsense" as a hardware address: write it with colons, as in 00:02:12:34:56:78`,
				[]string{"", ""},
			},
		},
		"NoNetwork": {
			reason: "What is wrong is named also while the network is awaited", macs: []string{mac1, infiniBand},
			want: want{"Reconciling", "waiting for a NetworkNamespace in namespace ns; eth1: " + invalid, []string{"", ""}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			vm := nc("vm", tc.macs)
			s := &situation{nc: vm, networks: tc.networks}
			if tc.reserved {
				child := kr(vm, at("10.0.0.0/24"), mac1, holding)
				s.named, s.owned = named(child), []*v1alpha1.KeaReservation{child}
			}
			st := statusOf(s, policy{config: clusterConfig("default")}.decide(s), nil, "", epoch)
			got := want{phase: st.Phase, message: st.Message}
			for _, in := range st.NetworkInterfaces {
				got.addresses = append(got.addresses, strings.Join(in.IPv4Addresses, ","))
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("\n%s\nstatusOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
