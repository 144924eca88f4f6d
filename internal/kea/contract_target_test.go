// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// What operation-target does. These are the reasons for one explicit target on each write.
func contractTargets(t *testing.T, st stand) {
	if st.target == kea.TargetMemory {
		targetsWithoutDatabase(t, st)
	} else {
		targetsWithDatabase(t, st)
	}
}

const (
	hw1 = kea.HWAddress("00:00:00:00:0a:01")
	hw2 = kea.HWAddress("00:00:00:00:00:02")
)

// write is a reservation-add or -update in the words of Kea.
func (s *server) write(t *testing.T, command, target string, hw kea.HWAddress, ip string) int {
	t.Helper()
	return s.raw(t, command, fmt.Sprintf(`{"operation-target": %q, "reservation": {"subnet-id": 1, "hw-address": %q, "ip-address": %q}}`, target, hw, ip))
}

// del is a reservation-del of the first address.
func (s *server) del(t *testing.T, target string) int {
	t.Helper()
	return s.raw(t, "reservation-del", fmt.Sprintf(`{"operation-target": %q, "subnet-id": 1, "identifier-type": "hw-address", "identifier": %q}`, target, hw1))
}

func wantResult(t *testing.T, what string, got, want int) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got result %d, want %d", what, got, want)
	}
}

func targetsWithoutDatabase(t *testing.T, st stand) {
	s := st.start(t, setup{})
	for _, target := range []string{"default", "database"} {
		wantResult(t, "add, "+target, s.write(t, "reservation-add", target, hw1, "10.123.0.51"), 1)
		wantResult(t, "update, "+target, s.write(t, "reservation-update", target, hw1, "10.123.0.51"), 1)
		wantResult(t, "del, "+target, s.del(t, target), 1)
	}
	wantResult(t, "add, all", s.write(t, "reservation-add", "all", hw1, "10.123.0.51"), 0)
	wantResult(t, "update, all", s.write(t, "reservation-update", "all", hw1, "10.123.0.52"), 0)
	wantResult(t, "get, database", s.raw(t, "reservation-get",
		`{"operation-target": "database", "subnet-id": 1, "identifier-type": "hw-address", "identifier": "00:00:00:00:0a:01"}`), 3)
	wantResult(t, "del, all", s.del(t, "all"), 0)
	wantResult(t, "del, memory, not there", s.del(t, "memory"), 3)
	wantResult(t, "del, bogus", s.del(t, "bogus"), 1)

	// Reading alone does not show that there is no database.
	wantClass(t, "AddReservation", s.AddReservation(t.Context(), kea.TargetDatabase, host(hw1, "")), "rejected")
	wantClass(t, "DeleteReservation", s.DeleteReservation(t.Context(), kea.TargetDatabase, subnetA, hw1), "rejected")
	_, err := s.Reservation(t.Context(), kea.TargetDatabase, subnetA, hw1)
	wantClass(t, "Reservation", err, "not found")
}

func targetsWithDatabase(t *testing.T, st stand) {
	s := st.start(t, setup{})
	wantIn := func(what string, target kea.Target, ip string) {
		t.Helper()
		want := "not found"
		if ip != "" {
			want = "ok"
		}
		r, err := s.Reservation(t.Context(), target, subnetA, hw1)
		wantClass(t, what, err, want)
		if diff := cmp.Diff(host(hw1, ip).IPAddress, r.IPAddress, compare); err == nil && diff != "" {
			t.Errorf("%s: -want +got:\n%s", what, diff)
		}
	}
	wantResult(t, "add, default", s.write(t, "reservation-add", "default", hw1, "10.123.0.51"), 0)
	wantIn("the default of add is the database", kea.TargetDatabase, "10.123.0.51")
	wantIn("and not memory", kea.TargetMemory, "")
	wantResult(t, "add, all, of one in the database", s.write(t, "reservation-add", "all", hw1, "10.123.0.61"), 1)
	wantIn("the copy in memory stays", kea.TargetMemory, "10.123.0.61")
	wantIn("the one in the database too", kea.TargetDatabase, "10.123.0.51")
	wantResult(t, "update, default", s.write(t, "reservation-update", "default", hw1, "10.123.0.52"), 0)
	wantIn("the default of update is the database", kea.TargetDatabase, "10.123.0.52")
	wantResult(t, "del, default", s.del(t, "default"), 0)
	wantIn("the default of del is the database", kea.TargetDatabase, "")
	wantIn("and not memory", kea.TargetMemory, "10.123.0.61")
	wantResult(t, "update, all, of one in memory only", s.write(t, "reservation-update", "all", hw1, "10.123.0.62"), 1)
	wantIn("memory was changed all the same", kea.TargetMemory, "10.123.0.62")
	wantResult(t, "add, database, of an address that a host in memory has", s.write(t, "reservation-add", "database", hw2, "10.123.0.62"), 0)
	wantResult(t, "add, database, of a hardware address that a host in memory has", s.write(t, "reservation-add", "database", hw1, "10.123.0.63"), 0)
	got, err := s.ReservationsByID(t.Context(), hw1)
	if diff := cmp.Diff([]kea.Reservation{host(hw1, "10.123.0.62"), host(hw1, "10.123.0.63")}, got, compare); err != nil || diff != "" {
		t.Errorf("ReservationsByID returns both, memory first: %v, -want +got:\n%s", err, diff)
	}
	wantResult(t, "del, all", s.del(t, "all"), 0)
	wantIn("memory after del, all", kea.TargetMemory, "")
	wantIn("the database after del, all", kea.TargetDatabase, "")
}

// A database that Kea lost reads as an empty one, and to a write as one that was never configured.
// Only ProbeDatabase can tell the difference.
func contractProbeDatabase(t *testing.T, st stand) {
	s := st.start(t, setup{survivesOutage: true})
	has, err := s.ProbeDatabase(t.Context())
	if want := st.target == kea.TargetDatabase; err != nil || has != want {
		t.Fatalf("got %t, %v, want %t", has, err, want)
	}
	if !has {
		return
	}
	r := host(hw1, "10.123.0.51")
	s.mustAdd(t, s.target, r)
	s.loseDatabase()
	for _, when := range []string{"Kea notices the outage", "Kea has taken the database from its list"} {
		if has, err := s.ProbeDatabase(t.Context()); has || class(err) != "rejected" {
			t.Errorf("ProbeDatabase as %s: got %t, %v, want a RejectedError", when, has, err)
		}
	}
	_, err = s.Reservation(t.Context(), s.target, subnetA, hw1)
	wantClass(t, "Reservation", err, "not found")
	got, err := s.ReservationsByAddress(t.Context(), s.target, subnetA, r.IPAddress)
	if err != nil || len(got) != 0 {
		t.Errorf("ReservationsByAddress: got %v, %v, want none", got, err)
	}
	if got := s.all(t); got != nil {
		t.Errorf("ReservationPages: got %v, want none", got)
	}
	wantClass(t, "AddReservation", s.AddReservation(t.Context(), s.target, host(hw2, "")), "rejected")
	wantClass(t, "UpdateReservation", s.UpdateReservation(t.Context(), s.target, r), "rejected")
	err = s.DeleteReservation(t.Context(), s.target, subnetA, hw1)
	wantClass(t, "DeleteReservation", err, "rejected")
	if errors.Is(err, kea.ErrNotFound) {
		t.Errorf("DeleteReservation: %v is an ErrNotFound", err)
	}
	s.restoreDatabase()
	back, err := s.Reservation(t.Context(), s.target, subnetA, hw1)
	if diff := cmp.Diff(r, back, compare); err != nil || diff != "" {
		t.Errorf("after the outage: %v, -want +got:\n%s", err, diff)
	}
}
