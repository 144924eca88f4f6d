// SPDX-License-Identifier: Apache-2.0

package group

import (
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

func TestCompare(t *testing.T) {
	snap := func(change func(*snapshot)) *snapshot {
		s := newSnapshot(someTime)
		s.hosts[kea.TargetMemory] = newStore()
		change(s)
		return s
	}
	put := func(r *kea.Reservation) func(*snapshot) {
		return func(s *snapshot) { s.hosts[kea.TargetMemory].put(r) }
	}
	touches := func(hws []kea.HWAddress, ips []netip.Addr) Touched {
		t := newTouched()
		for _, h := range hws {
			t.HWAddresses[h] = struct{}{}
		}
		for _, a := range ips {
			t.Addresses[a] = struct{}{}
		}
		return t
	}
	cases := map[string]struct {
		reason       string
		older, newer *snapshot
		want         Touched
		gone         int
	}{
		"Quiet": {
			reason: "Two snapshots that say the same touch nobody, though a lease was renewed.",
			older: snap(func(s *snapshot) {
				put(reservation(ip50, marked("ns/a")))(s)
				s.leases[mac] = []kea.Lease{leaseOf(ip50, someTime)}
			}),
			newer: snap(func(s *snapshot) {
				put(reservation(ip50, marked("ns/a")))(s)
				s.leases[mac] = []kea.Lease{leaseOf(ip50, someTime.Add(time.Minute))}
			}),
			want: newTouched(),
		},
		"Gone": {
			reason: "A reservation that is gone touches its device and its address.",
			older:  snap(put(reservation(ip50, nil))),
			newer:  snap(func(*snapshot) {}),
			want:   touches([]kea.HWAddress{mac}, []netip.Addr{ip50}),
			gone:   1,
		},
		"Moved": {
			reason: "Another address touches the device, and who waits for either address.",
			older:  snap(put(reservation(ip50, nil))),
			newer:  snap(put(reservation(ip51, nil))),
			want:   touches([]kea.HWAddress{mac}, []netip.Addr{ip50, ip51}),
		},
		"OtherIdentifier": {
			reason: "A host without a hardware address touches who waits for its address.",
			older:  snap(put(&kea.Reservation{SubnetID: 1, ClientID: "01AA", IPAddress: ip50})),
			newer:  snap(func(*snapshot) {}),
			want:   touches(nil, []netip.Addr{ip50}),
		},
		"LeaseCame": {
			reason: "A device that got a lease is touched.",
			older:  snap(func(*snapshot) {}),
			newer:  snap(func(s *snapshot) { s.leases[mac] = []kea.Lease{leaseOf(ip50, someTime)} }),
			want:   touches([]kea.HWAddress{mac}, nil),
		},
		"Subnets": {
			reason: "Other subnets touch everybody.",
			older:  snap(func(*snapshot) {}),
			newer:  snap(func(s *snapshot) { s.subnets = []kea.Subnet{{ID: 1, Prefix: prefix}} }),
			want:   func() Touched { t := newTouched(); t.All = true; return t }(),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, gone := compare(tc.older, tc.newer)
			if diff := cmp.Diff(tc.want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" || len(gone) != tc.gone {
				t.Errorf("%s\ncompare(...): %d gone, want %d; -want, +got:\n%s", tc.reason, len(gone), tc.gone, diff)
			}
		})
	}
}
