// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// seen is a page in short.
type seen struct {
	Source kea.Target
	Last   []byte // the last byte of each hardware address
}

// listing reads all pages.
func (s *server) listing(t *testing.T, limit int) []seen {
	t.Helper()
	var out []seen
	for page, err := range s.ReservationPages(t.Context(), limit) {
		if err != nil || page.Unreadable != nil {
			t.Fatalf("page %d: %v, %v", len(out), err, page.Unreadable)
		}
		p := seen{Source: page.Source}
		for _, r := range page.Reservations() {
			var b byte
			if _, err := fmt.Sscanf(string(r.HWAddress[len(r.HWAddress)-2:]), "%x", &b); err != nil {
				t.Fatal(err)
			}
			p.Last = append(p.Last, b)
		}
		out = append(out, p)
	}
	return out
}

// all reads the hosts of all pages.
func (s *server) all(t *testing.T) []kea.Reservation {
	t.Helper()
	var out []kea.Reservation
	for page, err := range s.ReservationPages(t.Context(), 1000) {
		if err != nil || page.Unreadable != nil {
			t.Fatalf("ReservationPages: %v, %v", err, page.Unreadable)
		}
		out = append(out, page.Reservations()...)
	}
	return out
}

// Pages go over memory and then the database, never both in one, and the source that a page names
// is that of its hosts.
func contractPages(t *testing.T, st stand) {
	s := st.start(t, setup{})
	if got := s.listing(t, 2); got != nil {
		t.Errorf("an empty server: got %v", got)
	}
	var want []seen
	for i := range 5 {
		s.mustAdd(t, s.target, hostIn(uint32(1+i%2), kea.HWAddress(fmt.Sprintf("00:00:00:00:00:%02x", i)), ""))
	}
	want = []seen{{s.target, []byte{0, 1}}, {s.target, []byte{2, 3}}, {s.target, []byte{4}}}
	if diff := cmp.Diff(want, s.listing(t, 2)); diff != "" {
		t.Errorf("one source, all subnets: -want +got:\n%s", diff)
	}
	want = []seen{{s.target, []byte{0, 1, 2, 3, 4}}}
	if diff := cmp.Diff(want, s.listing(t, 5)); diff != "" {
		t.Errorf("a page that is just full: -want +got:\n%s", diff)
	}
	for _, err := range s.ReservationPages(t.Context(), 0) {
		wantClass(t, "a limit of 0 is refused before it is sent", err, "other")
	}
	if s.target != kea.TargetDatabase {
		return
	}
	for i := range 3 {
		s.mustAdd(t, kea.TargetMemory, host(kea.HWAddress(fmt.Sprintf("00:00:00:00:00:a%x", i)), ""))
	}
	want = []seen{
		{kea.TargetMemory, []byte{0xa0, 0xa1}}, {kea.TargetMemory, []byte{0xa2}}, // short at the boundary
		{kea.TargetDatabase, []byte{0, 1}}, {kea.TargetDatabase, []byte{2, 3}}, {kea.TargetDatabase, []byte{4}},
	}
	if diff := cmp.Diff(want, s.listing(t, 2)); diff != "" {
		t.Errorf("two sources: -want +got:\n%s", diff)
	}
}

// A host that is updated goes to the end, so a listing can see it twice.
func contractPageAfterUpdate(t *testing.T, st stand) {
	s := st.start(t, setup{})
	s.mustAdd(t, s.target, host(hw1, "10.123.0.51"), host(hw2, "10.123.0.52"))
	var got []kea.Reservation
	for page, err := range s.ReservationPages(t.Context(), 1) {
		if err != nil {
			t.Fatal(err)
		}
		if got == nil {
			wantClass(t, "the update", s.UpdateReservation(t.Context(), s.target, host(hw1, "10.123.0.61")), "ok")
		}
		got = append(got, page.Reservations()...)
	}
	want := []kea.Reservation{host(hw1, "10.123.0.51"), host(hw2, "10.123.0.52"), host(hw1, "10.123.0.61")}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// addLeases makes five leases of one client: as by default, long past its end, infinite, declined,
// released.
func addLeases(t *testing.T, s *server) []kea.Lease {
	t.Helper()
	want := make([]kea.Lease, 0, 5)
	for i, l := range []struct {
		args string
		want kea.Lease
	}{
		{`"hostname": "Mixed.Case", "client-id": "01:02"`, kea.Lease{Hostname: "mixed.case", ClientID: "01:02", ValidLifetime: 2 * time.Hour}},
		{`"expire": 1700003600, "valid-lft": 3600`, kea.Lease{CLTT: time.Unix(1700000000, 0).UTC(), ValidLifetime: time.Hour}},
		{`"valid-lft": 4294967295`, kea.Lease{ValidLifetime: kea.InfiniteLifetime}},
		{`"state": 1`, kea.Lease{State: kea.LeaseStateDeclined, ValidLifetime: 2 * time.Hour}},
		{`"state": 3`, kea.Lease{State: kea.LeaseStateReleased, ValidLifetime: 2 * time.Hour}},
	} {
		ip := fmt.Sprintf("10.123.0.%d", 150+i)
		wantResult(t, ip, s.raw(t, "lease4-add", fmt.Sprintf(`{"ip-address": %q, "hw-address": "00:00:00:00:0a:01", %s}`, ip, l.args)), 0)
		l.want.IPAddress, l.want.HWAddress, l.want.SubnetID = netip.MustParseAddr(ip), hw1, subnetA
		want = append(want, l.want)
	}
	return want
}

// checkLeases compares leases; one that is wanted without a time must be of about now.
func checkLeases(t *testing.T, what string, want, got []kea.Lease) {
	t.Helper()
	got = append([]kea.Lease(nil), got...)
	for i := range min(len(want), len(got)) {
		if want[i].CLTT.IsZero() && time.Since(got[i].CLTT).Abs() < 5*time.Minute {
			got[i].CLTT = time.Time{}
		}
	}
	if diff := cmp.Diff(want, got, compare); diff != "" {
		t.Errorf("%s: -want +got:\n%s", what, diff)
	}
}

func contractLeases(t *testing.T, st stand) {
	s := st.start(t, setup{})
	want := addLeases(t, s)
	wantResult(t, "a lease that is there already", s.raw(t, "lease4-add", `{"ip-address": "10.123.0.150", "hw-address": "00:00:00:00:00:02"}`), 4)
	for _, hw := range []kea.HWAddress{hw1, "00:00:00:00:0A:01"} {
		got, err := s.LeasesByHWAddress(t.Context(), hw)
		if err != nil {
			t.Fatalf("LeasesByHWAddress(%s): %v", hw, err)
		}
		checkLeases(t, "all leases, of any state", want, got)
		active := make([]bool, 0, len(got))
		for _, l := range got {
			active = append(active, l.Active(time.Now()))
		}
		if diff := cmp.Diff([]bool{true, false, true, false, false}, active); diff != "" {
			t.Errorf("Active: -want +got:\n%s", diff)
		}
	}
	got, err := s.LeasesByHWAddress(t.Context(), hw2)
	if err != nil || len(got) != 0 {
		t.Errorf("no leases: got %v, %v", got, err)
	}
	_, err = s.LeasesByHWAddress(t.Context(), "000000000001")
	wantClass(t, "Kea wants colons", err, "rejected")
	wantClass(t, "a host for a client with a lease", s.AddReservation(t.Context(), s.target, host(hw1, "10.123.0.9")), "ok")
	got, err = s.LeasesByHWAddress(t.Context(), hw1)
	if err != nil || len(got) != len(want) {
		t.Errorf("a reservation does not touch leases: got %v, %v", got, err)
	}
}

func contractLeasePages(t *testing.T, st stand) {
	s := st.start(t, setup{})
	if got := s.leasePages(t, 2); got != nil {
		t.Errorf("no leases: got %v", got)
	}
	want := addLeases(t, s)
	for limit, pages := range map[int][]int{2: {2, 2, 1}, 5: {5}, 9: {5}} {
		var sizes []int
		var got []kea.Lease
		for _, page := range s.leasePages(t, limit) {
			sizes, got = append(sizes, len(page)), append(got, page...)
		}
		checkLeases(t, "all pages", want, got)
		if diff := cmp.Diff(pages, sizes); diff != "" {
			t.Errorf("pages of %d: -want +got:\n%s", limit, diff)
		}
	}
	for _, err := range s.LeasePages(t.Context(), 0) {
		wantClass(t, "a limit of 0 is refused before it is sent", err, "other")
	}
}

func (s *server) leasePages(t *testing.T, limit int) [][]kea.Lease {
	t.Helper()
	var out [][]kea.Lease
	for page, err := range s.LeasePages(t.Context(), limit) {
		if err != nil || page.Unreadable != nil {
			t.Fatalf("LeasePages: %v, %v", err, page.Unreadable)
		}
		out = append(out, page.Leases)
	}
	return out
}
