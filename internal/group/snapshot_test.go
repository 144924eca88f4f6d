// SPDX-License-Identifier: Apache-2.0

package group

import (
	"maps"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

func TestTakeNewerLeases(t *testing.T) {
	asked := someTime
	paged := map[kea.HWAddress][]kea.Lease{mac: {leaseOf(ip50, someTime)}}
	cases := map[string]struct {
		reason string
		older  func(*snapshot)
		known  bool
		want   []kea.Lease
	}{
		"AskedBefore": {
			reason: "What a device was asked about before the pages were read is older than these.", known: true,
			older: func(s *snapshot) {
				s.setLeasesOf(mac, []kea.Lease{leaseOf(ip51, someTime)}, asked.Add(-time.Second))
			},
			want: []kea.Lease{leaseOf(ip50, someTime)},
		},
		"AskedAfter": {
			reason: "What it was asked about meanwhile is newer.", known: true,
			older: func(s *snapshot) {
				s.setLeasesOf(mac, []kea.Lease{leaseOf(ip51, someTime)}, asked.Add(time.Second))
			},
			want: []kea.Lease{leaseOf(ip51, someTime)},
		},
		"NoneAfter": {
			reason: "So is that it has none.", known: true,
			older: func(s *snapshot) { s.setLeasesOf(mac, nil, asked.Add(time.Second)) },
		},
		"Unknown": {
			reason: "A Kea that does not tell leases any longer has none that are known.",
			older: func(s *snapshot) {
				s.setLeasesOf(mac, []kea.Lease{leaseOf(ip51, someTime)}, asked.Add(time.Second))
			},
			want: []kea.Lease{leaseOf(ip50, someTime)},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			older, newer := newSnapshot(someTime), newSnapshot(someTime)
			tc.older(older)
			newer.leasesKnown, newer.leasesAsked = tc.known, asked
			maps.Copy(newer.leases, paged)
			newer.takeNewerLeases(older)
			if diff := cmp.Diff(tc.want, newer.leases[mac], cmp.Comparer(func(a, b kea.Lease) bool { return a == b })); diff != "" {
				t.Errorf("%s\ntakeNewerLeases(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
