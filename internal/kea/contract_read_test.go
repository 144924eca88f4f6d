// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// extra makes unknown members out of pairs of name and JSON.
func extra(pairs ...string) map[string]json.RawMessage {
	out := map[string]json.RawMessage{}
	for i := 0; i < len(pairs); i += 2 {
		out[pairs[i]] = json.RawMessage(pairs[i+1])
	}
	return out
}

func contractRead(t *testing.T, st stand) {
	s := st.start(t, setup{})
	a, b := host(hw1, "10.123.0.51"), hostIn(subnetB, hw1, "10.124.0.51")
	s.mustAdd(t, s.target, a, b)

	gets := map[string]struct {
		reason   string
		subnetID uint32
		hw       kea.HWAddress
		want     string
	}{
		"There":         {"The host of this subnet, not that of the other.", subnetA, hw1, "ok"},
		"UpperCase":     {"Case does not matter.", subnetA, "00:00:00:00:0A:01", "ok"},
		"NotThere":      {"Result 3.", subnetA, hw2, "not found"},
		"UnknownSubnet": {"Result 3 too: Kea does not check the subnet.", unknownSubnet, hw1, "not found"},
		"NoHWAddress":   {"Refused before it is sent.", subnetA, "", "other"},
	}
	for name, tc := range gets {
		t.Run("Reservation/"+name, func(t *testing.T) {
			got, err := s.Reservation(t.Context(), s.target, tc.subnetID, tc.hw)
			wantClass(t, tc.reason, err, tc.want)
			if diff := cmp.Diff(a, got, compare); err == nil && diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}

	addresses := map[string]struct {
		reason   string
		subnetID uint32
		ip       string
		want     []kea.Reservation
		class    string
	}{
		"There":         {"One host.", subnetA, "10.123.0.51", []kea.Reservation{a}, "ok"},
		"NotThere":      {"No host is no error.", subnetA, "10.123.0.59", nil, "ok"},
		"OtherSubnet":   {"Only hosts of the subnet.", subnetB, "10.123.0.51", nil, "ok"},
		"UnknownSubnet": {"This command does check the subnet.", unknownSubnet, "10.123.0.51", nil, "rejected"},
		"NoIPv4":        {"Refused before it is sent.", subnetA, "2001:db8::1", nil, "other"},
	}
	for name, tc := range addresses {
		t.Run("ReservationsByAddress/"+name, func(t *testing.T) {
			got, err := s.ReservationsByAddress(t.Context(), s.target, tc.subnetID, netip.MustParseAddr(tc.ip))
			wantClass(t, tc.reason, err, tc.class)
			if diff := cmp.Diff(tc.want, got, compare); diff != "" {
				t.Errorf("%s: -want +got:\n%s", tc.reason, diff)
			}
		})
	}

	for hw, want := range map[kea.HWAddress][]kea.Reservation{hw1: {a, b}, hw2: nil} {
		got, err := s.ReservationsByID(t.Context(), hw)
		if diff := cmp.Diff(want, got, compare); err != nil || diff != "" {
			t.Errorf("ReservationsByID(%s): %v, -want +got:\n%s", hw, err, diff)
		}
	}
}

// With ip-reservations-unique false an address can have several hosts.
func contractNotUnique(t *testing.T, st stand) {
	s := st.start(t, setup{notUnique: true})
	a, b := host(hw1, "10.123.0.51"), host(hw2, "10.123.0.51")
	s.mustAdd(t, s.target, a, b)
	got, err := s.ReservationsByAddress(t.Context(), s.target, subnetA, a.IPAddress)
	if diff := cmp.Diff([]kea.Reservation{a, b}, got, compare); err != nil || diff != "" {
		t.Errorf("ReservationsByAddress: %v, -want +got:\n%s", err, diff)
	}
	// This is why ReservationsByAddress does not use reservation-get.
	want := 0 // the first of them
	if st.target == kea.TargetDatabase {
		want = 1
	}
	wantResult(t, "reservation-get by address", s.raw(t, "reservation-get", `{"subnet-id": 1, "ip-address": "10.123.0.51"}`), want)

	wantClass(t, "the same identifier stays a conflict", s.AddReservation(t.Context(), s.target, host(hw1, "10.123.0.52")), "rejected")
	c := host("00:00:00:00:00:03", "10.123.0.53")
	s.mustAdd(t, s.target, c)
	wantClass(t, "an update to a taken address", s.UpdateReservation(t.Context(), s.target, host(c.HWAddress, "10.123.0.51")), "ok")

	// And this is why DeleteReservation names the identifier.
	wantResult(t, "reservation-del by address", s.raw(t, "reservation-del",
		`{"operation-target": "`+string(s.target)+`", "subnet-id": 1, "ip-address": "10.123.0.51"}`), 0)
	if got := s.all(t); got != nil {
		t.Errorf("after reservation-del by address: got %+v, want none", got)
	}
}

// full is a host with everything that this client knows, and what Kea knows beyond it.
func full() kea.Reservation {
	r := host(hw1, "10.123.0.51")
	r.Hostname, r.ClientClasses = "host.Example", []string{"b", "a"}
	r.NextServer, r.ServerHostname, r.BootFileName = "10.0.0.9", "boot.example", "/boot/file"
	r.OptionData = []kea.OptionData{
		{Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.2, 10.0.0.3",
			AlwaysSend: new(false), NeverSend: new(false), CSVFormat: new(true)},
		{Code: 222, Space: "dhcp4", Data: "0102",
			AlwaysSend: new(true), NeverSend: new(true), CSVFormat: new(false),
			Extra: extra("user-context", `{"x":1}`)},
	}
	r.UserContext = map[string]any{
		"crossplane": map[string]any{"cluster": "6a7f", "resource": "ns/name"},
		"number":     json.Number("12345678901234567"),
		"fraction":   json.Number("1.5"),
		"list":       []any{nil, true, "text", map[string]any{"deep": json.Number("1")}},
	}
	return r
}

// What is read can be written back, and is the same then: what others keep in a host survives an
// update.
func contractRoundTrip(t *testing.T, st stand) {
	s := st.start(t, setup{})
	want := full()
	s.mustAdd(t, s.target, want)
	for _, after := range []string{"the add", "the first update", "the second update"} {
		got, err := s.Reservation(t.Context(), s.target, subnetA, want.HWAddress)
		if diff := cmp.Diff(want, got, compare); err != nil || diff != "" {
			t.Fatalf("after %s: %v, -want +got:\n%s", after, err, diff)
		}
		if err := s.UpdateReservation(t.Context(), s.target, got); err != nil {
			t.Fatalf("after %s: %v", after, err)
		}
	}
	if diff := cmp.Diff([]kea.Reservation{want}, s.all(t), compare); diff != "" {
		t.Errorf("ReservationPages: -want +got:\n%s", diff)
	}
	found, err := s.ReservationsByID(t.Context(), want.HWAddress)
	if diff := cmp.Diff([]kea.Reservation{want}, found, compare); err != nil || diff != "" {
		t.Errorf("ReservationsByID: %v, -want +got:\n%s", err, diff)
	}
}

// Kea answers with each byte above 0x7f escaped as a character of its own, and refuses escapes
// above \u00ff.
func contractText(t *testing.T, st stand) {
	s := st.start(t, setup{})
	for name, text := range map[string]string{
		"ASCII":         `plain "quoted" back\slash <&> /`,
		"Umlaut":        "Schlüssel",
		"Wide":          "\u65e5\u672c\u8a9e \U0001f99c",
		"LineSeparator": "one\u2028two\u2029three",
		"Replacement":   "\ufffd",
		"Control":       "tab\t newline\n bell\a",
		"LooksEscaped":  `\u00c3\u00bc \\u2028`,
	} {
		t.Run(name, func(t *testing.T) {
			r := host(hw1, "10.123.0.51")
			r.UserContext = map[string]any{"text": text}
			s.mustAdd(t, s.target, r)
			for range 2 {
				got, err := s.Reservation(t.Context(), s.target, subnetA, r.HWAddress)
				if diff := cmp.Diff(r, got, compare); err != nil || diff != "" {
					t.Errorf("%v, -want +got:\n%s", err, diff)
				}
				wantClass(t, "the update", s.UpdateReservation(t.Context(), s.target, got), "ok")
			}
			wantClass(t, "clean up", s.DeleteReservation(t.Context(), s.target, subnetA, r.HWAddress), "ok")
		})
	}
}

// Identifiers come back in one form, and what was never set reads as the zero value.
func contractDefaults(t *testing.T, st stand) {
	cases := map[string]struct{ sent, want kea.Reservation }{
		"HWAddress":        {kea.Reservation{HWAddress: "00:00:00:00:00:AB"}, kea.Reservation{HWAddress: "00:00:00:00:00:ab"}},
		"ShortHWAddress":   {kea.Reservation{HWAddress: "00:00:01"}, kea.Reservation{HWAddress: "00:00:01"}},
		"ColonlessAddress": {kea.Reservation{HWAddress: "000000000004"}, kea.Reservation{HWAddress: "00:00:00:00:00:04"}},
		"DUID":             {kea.Reservation{DUID: "01:02:AA:BB"}, kea.Reservation{DUID: "01:02:aa:bb"}},
		"ClientID":         {kea.Reservation{ClientID: "01:aa:bb"}, kea.Reservation{ClientID: "01AABB"}},
		"CircuitID":        {kea.Reservation{CircuitID: "aabb"}, kea.Reservation{CircuitID: "AABB"}},
		"FlexID":           {kea.Reservation{FlexID: "'abc'"}, kea.Reservation{FlexID: "616263"}},
		"NextServer":       {kea.Reservation{HWAddress: hw1, NextServer: "0.0.0.0"}, kea.Reservation{HWAddress: hw1}},
		"OptionByName": {
			kea.Reservation{HWAddress: hw1, OptionData: []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2"}}},
			kea.Reservation{HWAddress: hw1, OptionData: []kea.OptionData{{
				Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.2",
				AlwaysSend: new(false), NeverSend: new(false), CSVFormat: new(true),
			}}},
		},
		"OptionByCode": {
			kea.Reservation{HWAddress: hw1, OptionData: []kea.OptionData{{Code: 222, Data: "0102"}}},
			kea.Reservation{HWAddress: hw1, OptionData: []kea.OptionData{{
				Code: 222, Space: "dhcp4", Data: "0102",
				AlwaysSend: new(false), NeverSend: new(false), CSVFormat: new(false),
			}}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := st.start(t, setup{})
			tc.sent.SubnetID, tc.want.SubnetID = subnetA, subnetA
			s.mustAdd(t, s.target, tc.sent)
			if diff := cmp.Diff([]kea.Reservation{tc.want}, s.all(t), compare); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
