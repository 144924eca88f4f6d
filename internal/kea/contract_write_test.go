// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

func contractAdd(t *testing.T, st stand) {
	cases := map[string]struct {
		reason string
		r      kea.Reservation
		want   string
	}{
		"InPool":            {"A pool does not keep its addresses from hosts.", host("00:00:00:00:0a:01", "10.123.0.150"), "ok"},
		"OutOfPool":         {"An address out of all pools is fine.", host("00:00:00:00:00:02", "10.123.0.9"), "ok"},
		"NoAddress":         {"A host need not have an address.", host("00:00:00:00:00:03", ""), "ok"},
		"NetworkAddress":    {"Kea does not check it, so the caller must.", host("00:00:00:00:00:04", "10.123.0.0"), "ok"},
		"Broadcast":         {"Kea does not check it, so the caller must.", host("00:00:00:00:00:05", "10.123.0.255"), "ok"},
		"OutsideTheSubnet":  {"Checked before anything is written.", host("00:00:00:00:00:06", "10.124.0.9"), "rejected"},
		"UnknownSubnet":     {"Checked before anything is written.", hostIn(unknownSubnet, "00:00:00:00:00:07", ""), "rejected"},
		"BadHWAddress":      {"No hex digits.", host("00:00:zz", ""), "rejected"},
		"ShortHWAddress":    {"Accepted silently, and never matched by a client.", host("00:00:08", ""), "ok"},
		"ColonlessAddress":  {"Accepted silently.", host("000000000009", ""), "ok"},
		"Dashes":            {"So ParseHWAddress makes colons of them.", host("00-00-00-00-00-0a", ""), "rejected"},
		"UpperCase":         {"Accepted, and answered in lower case.", host("00:00:00:00:00:0B", ""), "ok"},
		"OddHostname":       {"Accepted silently.", kea.Reservation{SubnetID: subnetA, HWAddress: "00:00:00:00:00:0c", Hostname: "_odd name!"}, "ok"},
		"ClientID":          {"Other identifiers than ours.", kea.Reservation{SubnetID: subnetA, ClientID: "01:aa:bb"}, "ok"},
		"TwoIdentifiers":    {"They exclude each other.", kea.Reservation{SubnetID: subnetA, HWAddress: "00:00:00:00:00:0d", DUID: "01:02"}, "rejected"},
		"UnknownMember":     {"Extra goes out as it is, and Kea refuses what it does not know.", kea.Reservation{SubnetID: subnetA, HWAddress: "00:00:00:00:00:0e", Extra: extra("foo", "1")}, "rejected"},
		"UnknownOption":     {"An option name without a definition.", kea.Reservation{SubnetID: subnetA, HWAddress: "00:00:00:00:00:0f", OptionData: []kea.OptionData{{Name: "nonesuch", Data: "1"}}}, "rejected"},
		"WithoutSubnetID":   {"Kea would make a global host of it: refused before it is sent.", hostIn(0, "00:00:00:00:00:10", ""), "other"},
		"WithoutIdentifier": {"Refused before it is sent.", kea.Reservation{SubnetID: subnetA}, "other"},
	}
	s := st.start(t, setup{})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wantClass(t, tc.reason, s.AddReservation(t.Context(), s.target, tc.r), tc.want)
		})
	}
	if got := s.AddReservation(t.Context(), "all", host("00:00:00:00:00:11", "")); class(got) != "other" {
		t.Errorf("a target that is neither memory nor database: got %v, want it refused before it is sent", got)
	}
}

// An add that meets another host, in the place it writes to.
func contractAddConflict(t *testing.T, st stand) {
	there := host("00:00:00:00:0a:01", "10.123.0.50")
	cases := map[string]struct {
		reason string
		r      kea.Reservation
		want   string
	}{
		"Identical":          {"A repeated add is a conflict, so that a lost answer needs a look.", there, "rejected"},
		"SameHWAddress":      {"One host for each identifier and subnet.", host("00:00:00:00:0a:01", "10.123.0.51"), "rejected"},
		"SameAddress":        {"One host for each address.", host("00:00:00:00:00:02", "10.123.0.50"), "rejected"},
		"OtherSubnet":        {"The same identifier in another subnet is another host.", hostIn(subnetB, "00:00:00:00:0a:01", "10.124.0.50"), "ok"},
		"FreeAddress":        {"No conflict.", host("00:00:00:00:00:03", "10.123.0.53"), "ok"},
		"BothWithoutAddress": {"No address is not an address.", host("00:00:00:00:00:04", ""), "ok"},
	}
	s := st.start(t, setup{})
	s.mustAdd(t, s.target, there, host("00:00:00:00:00:09", ""))
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			wantClass(t, tc.reason, s.AddReservation(t.Context(), s.target, tc.r), tc.want)
			got, err := s.Reservation(t.Context(), s.target, subnetA, there.HWAddress)
			if diff := cmp.Diff(there, got, compare); err != nil || diff != "" {
				t.Errorf("the host that was there: %v, -want +got:\n%s", err, diff)
			}
		})
	}
}

// Kea makes a global host of one without subnet-id and address, which is why Client refuses it.
func contractAddGlobal(t *testing.T, st stand) {
	s := st.start(t, setup{})
	if got := s.raw(t, "reservation-add", `{"operation-target": "`+string(s.target)+`", "reservation": {"hw-address": "00:00:00:00:0a:01"}}`); got != 0 {
		t.Errorf("an add without subnet-id: got result %d, want 0", got)
	}
	got, err := s.ReservationsByID(t.Context(), "00:00:00:00:0a:01")
	if diff := cmp.Diff([]kea.Reservation{hostIn(0, "00:00:00:00:0a:01", "")}, got, compare); err != nil || diff != "" {
		t.Errorf("what was added: %v, -want +got:\n%s", err, diff)
	}
}

func contractUpdate(t *testing.T, st stand) {
	old := host("00:00:00:00:0a:01", "10.123.0.50")
	old.Hostname, old.ClientClasses = "old", []string{"one"}
	cases := map[string]struct {
		reason string
		r      kea.Reservation
		want   string
		left   kea.Reservation
	}{
		"Replaces":         {"What is left out is erased.", host(old.HWAddress, "10.123.0.51"), "ok", host(old.HWAddress, "10.123.0.51")},
		"KeepsItsAddress":  {"Its own address is no conflict.", host(old.HWAddress, "10.123.0.50"), "ok", host(old.HWAddress, "10.123.0.50")},
		"TakesNoAddress":   {"An address goes too when it is left out.", host(old.HWAddress, ""), "ok", host(old.HWAddress, "")},
		"NotThere":         {"Kea's code is that of any other refusal: its text says it.", host("00:00:00:00:00:09", "10.123.0.59"), "not found", old},
		"OutsideTheSubnet": {"Checked before the old one is deleted.", host(old.HWAddress, "10.124.0.50"), "rejected", old},
		"UnknownSubnet":    {"Checked before the old one is deleted.", hostIn(unknownSubnet, old.HWAddress, ""), "rejected", old},
		"WithoutSubnetID":  {"Refused before it is sent.", hostIn(0, old.HWAddress, ""), "other", old},
	}
	s := st.start(t, setup{})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s.mustAdd(t, s.target, old)
			wantClass(t, tc.reason, s.UpdateReservation(t.Context(), s.target, tc.r), tc.want)
			got, err := s.Reservation(t.Context(), s.target, subnetA, old.HWAddress)
			if diff := cmp.Diff(tc.left, got, compare); err != nil || diff != "" {
				t.Errorf("what is left: %v, -want +got:\n%s", err, diff)
			}
			wantClass(t, "clean up", s.DeleteReservation(t.Context(), s.target, subnetA, old.HWAddress), "ok")
		})
	}
}

// An update to an address that another host has is refused, and the host is gone. This pins a bug
// of Kea: once it is mended, the put-back that follows a refused update has nothing to do.
func contractUpdateLosesHost(t *testing.T, st stand) {
	s := st.start(t, setup{})
	loser, holder := host("00:00:00:00:0a:01", "10.123.0.51"), host("00:00:00:00:00:02", "10.123.0.52")
	s.mustAdd(t, s.target, loser, holder)
	wantClass(t, "the update", s.UpdateReservation(t.Context(), s.target, host(loser.HWAddress, "10.123.0.52")), "rejected")
	_, err := s.Reservation(t.Context(), s.target, subnetA, loser.HWAddress)
	wantClass(t, "the host that was to be updated", err, "not found")
	got, err := s.Reservation(t.Context(), s.target, subnetA, holder.HWAddress)
	if diff := cmp.Diff(holder, got, compare); err != nil || diff != "" {
		t.Errorf("the host that has the address: %v, -want +got:\n%s", err, diff)
	}
	wantClass(t, "putting it back", s.AddReservation(t.Context(), s.target, loser), "ok")
}

func contractDelete(t *testing.T, st stand) {
	s := st.start(t, setup{})
	r := host("00:00:00:00:0a:01", "10.123.0.51")
	s.mustAdd(t, s.target, r)
	wantClass(t, "another subnet", s.DeleteReservation(t.Context(), s.target, subnetB, r.HWAddress), "not found")
	wantClass(t, "an unknown subnet", s.DeleteReservation(t.Context(), s.target, unknownSubnet, r.HWAddress), "not found")
	wantClass(t, "no subnet", s.DeleteReservation(t.Context(), s.target, 0, r.HWAddress), "other")
	wantClass(t, "no address", s.DeleteReservation(t.Context(), s.target, subnetA, ""), "other")
	wantClass(t, "another host", s.DeleteReservation(t.Context(), s.target, subnetA, "00:00:00:00:00:09"), "not found")
	wantClass(t, "the host, in upper case", s.DeleteReservation(t.Context(), s.target, subnetA, "00:00:00:00:0A:01"), "ok")
	wantClass(t, "once more", s.DeleteReservation(t.Context(), s.target, subnetA, r.HWAddress), "not found")
}
