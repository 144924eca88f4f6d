// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// dhcpv6Hosts stores hosts of kea-dhcp6, which reservation-get-page counts and then leaves out: a
// thousand of them in a row make an empty page that is not the end.
func dhcpv6Hosts(t *testing.T, db *testenv.Postgres, from, to int) {
	t.Helper()
	db.Exec(t, fmt.Sprintf(`INSERT INTO hosts (dhcp_identifier, dhcp_identifier_type, dhcp6_subnet_id, hostname)
		SELECT decode(lpad(to_hex(n), 12, '0'), 'hex'), 0, 1, 'v6-' || n FROM generate_series(%d, %d) n`, from, to))
}

// TestSharedDatabase: a hosts-database shared with kea-dhcp6 has runs of rows that are none of
// DHCPv4's, before ours and between them. All of ours are seen at each snapshot, and nothing is
// written while nothing changes.
func TestSharedDatabase(t *testing.T) {
	t.Parallel()
	for name, rows := range map[string]struct{ before, between int }{
		"before ours": {before: 1500}, "between ours": {between: 2500}, "both": {before: 1000, between: 1000},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := postgres(t)
			s := newSite(t, testenv.KeaOptions{Postgres: db})
			if rows.before > 0 {
				dhcpv6Hosts(t, db, 1, rows.before)
			}
			a := s.created(s.static("vm01", "10.123.0.50"))
			if rows.between > 0 {
				dhcpv6Hosts(t, db, rows.before+1, rows.before+rows.between)
			}
			b := s.created(s.reservation("vm02", params{HWAddress: other, IPAddress: "10.123.0.51"}))
			s.awaitSnapshots(2)
			s.checkNoWrites(a, b)
			equal(t, "reservation-add", s.sent("reservation-add"), 2)
			s.await(a, isReady, isSynced)
			s.await(b, isReady, isSynced)
			// A reservation that is really gone is noticed, though the listing has gaps.
			s.mustAsk("reservation-del", object{
				"subnet-id": 1, "identifier-type": "hw-address", "identifier": other, "operation-target": inDatabase,
			})
			s.awaitStored(other, "10.123.0.51")
			s.await(b, isReady, isSynced)
			s.awaitStill(b)
			s.checkNoWrites(a, b)
		})
	}
}

// checkNoWrites makes sure that neither Kea nor the KeaReservations are written to while Kea is
// read several times. How it is read does not matter.
func (s *site) checkNoWrites(rs ...*v1alpha1.KeaReservation) {
	s.t.Helper()
	const snapshots = 6
	state := func() (out []string) {
		s.t.Helper()
		for _, r := range rs {
			s.read(r)
			out = append(out, r.Name+" "+r.ResourceVersion)
		}
		return append(out, fmt.Sprintf("%d Kea writes", s.writes()))
	}
	before := state()
	s.awaitSnapshots(snapshots)
	if after := state(); fmt.Sprint(after) != fmt.Sprint(before) {
		s.t.Errorf("in %d snapshots, with nothing happening, it went from %v to %v", snapshots, before, after)
	}
}

// read gets an object as it is now.
func (s *site) read(r *v1alpha1.KeaReservation) {
	s.t.Helper()
	if err := s.client.Get(s.t.Context(), s.key(r.Name), r); err != nil {
		s.t.Fatal(err)
	}
}
