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
	Done   bool
}

// listing reads all pages.
func (s *server) listing(t *testing.T, limit int) []seen {
	t.Helper()
	var (
		out    []seen
		cursor kea.Cursor
	)
	for range 100 {
		page, err := s.ReservationPage(t.Context(), limit, cursor)
		if err != nil {
			t.Fatalf("page %d: %v", len(out), err)
		}
		p := seen{Source: page.Source, Done: page.Done}
		for _, r := range page.Reservations {
			var b byte
			if _, err := fmt.Sscanf(string(r.HWAddress[len(r.HWAddress)-2:]), "%x", &b); err != nil {
				t.Fatal(err)
			}
			p.Last = append(p.Last, b)
		}
		out = append(out, p)
		if page.Done {
			return out
		}
		cursor = page.Next
	}
	t.Fatal("the listing does not end")
	return nil
}

// Pages go over memory and then the database, never both in one, and the source that a page names is that of its hosts.
func contractPages(t *testing.T, st stand) {
	s := st.start(t, setup{})
	if diff := cmp.Diff([]seen{{Done: true}}, s.listing(t, 2)); diff != "" {
		t.Errorf("an empty server: -want +got:\n%s", diff)
	}
	var want []seen
	for i := range 5 {
		s.mustAdd(t, s.target, hostIn(uint32(1+i%2), kea.HWAddress(fmt.Sprintf("00:00:00:00:00:%02x", i)), ""))
	}
	want = []seen{{s.target, []byte{0, 1}, false}, {s.target, []byte{2, 3}, false}, {s.target, []byte{4}, false}, {Done: true}}
	if diff := cmp.Diff(want, s.listing(t, 2)); diff != "" {
		t.Errorf("one source, all subnets: -want +got:\n%s", diff)
	}
	want = []seen{{s.target, []byte{0, 1, 2, 3, 4}, false}, {Done: true}}
	if diff := cmp.Diff(want, s.listing(t, 5)); diff != "" {
		t.Errorf("a page that is just full: -want +got:\n%s", diff)
	}
	if _, err := s.ReservationPage(t.Context(), 0, kea.Cursor{}); class(err) != "other" {
		t.Errorf("a limit of 0: got %v, want it refused before it is sent", err)
	}
	if s.target != kea.TargetDatabase {
		return
	}
	for i := range 3 {
		s.mustAdd(t, kea.TargetMemory, host(kea.HWAddress(fmt.Sprintf("00:00:00:00:00:a%x", i)), ""))
	}
	want = []seen{
		{kea.TargetMemory, []byte{0xa0, 0xa1}, false}, {kea.TargetMemory, []byte{0xa2}, false}, // short at the boundary
		{kea.TargetDatabase, []byte{0, 1}, false}, {kea.TargetDatabase, []byte{2, 3}, false}, {kea.TargetDatabase, []byte{4}, false}, {Done: true},
	}
	if diff := cmp.Diff(want, s.listing(t, 2)); diff != "" {
		t.Errorf("two sources: -want +got:\n%s", diff)
	}
}

// A host that is updated goes to the end, so a listing can see it twice.
func contractPageAfterUpdate(t *testing.T, st stand) {
	s := st.start(t, setup{})
	s.mustAdd(t, s.target, host(hw1, "10.123.0.51"), host(hw2, "10.123.0.52"))
	first, err := s.ReservationPage(t.Context(), 1, kea.Cursor{})
	if err != nil || len(first.Reservations) != 1 || first.Reservations[0].HWAddress != hw1 {
		t.Fatalf("the first page: got %+v, %v", first, err)
	}
	wantClass(t, "the update", s.UpdateReservation(t.Context(), s.target, host(hw1, "10.123.0.61")), "ok")
	rest, err := s.ReservationPage(t.Context(), 10, first.Next)
	want := []kea.Reservation{host(hw2, "10.123.0.52"), host(hw1, "10.123.0.61")}
	if diff := cmp.Diff(want, rest.Reservations, compare); err != nil || diff != "" {
		t.Errorf("the rest: %v, -want +got:\n%s", err, diff)
	}
}

// addLeases makes five leases of one client: as by default, long past its end, infinite, declined, released.
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
	got, done, err := s.LeasePage(t.Context(), 2, netip.Addr{})
	if err != nil || len(got) != 0 || !done {
		t.Errorf("no leases: got %v, %t, %v", got, done, err)
	}
	want := addLeases(t, s)
	var (
		all  []kea.Lease
		from netip.Addr
	)
	for range 10 {
		page, done, err := s.LeasePage(t.Context(), 2, from)
		if err != nil || len(page) > 2 {
			t.Fatalf("from %s: got %v, %v", from, page, err)
		}
		all = append(all, page...)
		if done {
			break
		}
		from = page[len(page)-1].IPAddress
	}
	checkLeases(t, "all pages", want, all)
	got, done, err = s.LeasePage(t.Context(), 5, netip.Addr{})
	if err != nil || len(got) != 5 || done {
		t.Errorf("a page that is just full: got %d, %t, %v, want 5 and not done", len(got), done, err)
	}
	if _, _, err := s.LeasePage(t.Context(), 0, netip.Addr{}); class(err) != "other" {
		t.Errorf("a limit of 0: got %v, want it refused before it is sent", err)
	}
}
