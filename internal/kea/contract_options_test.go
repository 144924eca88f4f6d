// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// option is an option as Kea answers it.
func option(name string, code uint16, csv bool, data string) kea.OptionData {
	return kea.OptionData{
		Name: name, Code: code, Space: "dhcp4", Data: data,
		AlwaysSend: new(false), NeverSend: new(false), CSVFormat: &csv,
	}
}

// What Kea makes of options, entry for entry and in their order.
func contractOptions(t *testing.T, st stand) {
	noData := option("routers", 3, true, "")
	noData.NeverSend, noData.CSVFormat = new(true), nil
	never := option("routers", 3, true, "10.123.0.1")
	never.NeverSend = new(true)
	gold := option("", 230, false, "0102")
	if st.target == kea.TargetMemory {
		gold.ClientClasses = []string{"gold"}
	}
	cases := map[string]struct {
		reason string
		sent   []kea.OptionData
		want   []kea.OptionData // nil: refused
	}{
		"SeveralOfOneCode": {
			"A code can stand several times.",
			[]kea.OptionData{{Code: 125, Data: "2234"}, {Code: 125, Data: "3561"}},
			[]kea.OptionData{option("vivso-suboptions", 125, true, "2234"), option("vivso-suboptions", 125, true, "3561")},
		},
		"Hexadecimal": {
			"One form comes back, whichever was sent.",
			[]kea.OptionData{{Code: 230, Data: "0xcafe"}, {Code: 231, Data: "ca:fe"}, {Code: 232, Data: "ca fe"}, {Code: 233, Data: "'foo'"}},
			[]kea.OptionData{option("", 230, false, "CAFE"), option("", 231, false, "CAFE"), option("", 232, false, "CAFE"), option("", 233, false, "666F6F")},
		},
		"DefinedAsHexadecimal": {
			"csv-format false stays.",
			[]kea.OptionData{{Name: "domain-name-servers", Data: "0a000002", CSVFormat: new(false)}},
			[]kea.OptionData{option("domain-name-servers", 6, false, "0A000002")},
		},
		"TextAsHexadecimal": {
			"csv-format false with text is refused.",
			[]kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2", CSVFormat: new(false)}}, nil,
		},
		"UndefinedAsText": {
			"csv-format true needs a definition.",
			[]kea.OptionData{{Code: 230, Data: "0102", CSVFormat: new(true)}}, nil,
		},
		"NeverSend": {
			"Without data, Kea answers neither data nor csv-format.",
			[]kea.OptionData{{Name: "routers", NeverSend: new(true)}, {Name: "routers", NeverSend: new(true), Data: "10.123.0.1"}},
			[]kea.OptionData{noData, never},
		},
		"ClientClasses": {
			"PostgreSQL does not keep them.",
			[]kea.OptionData{{Code: 230, Data: "0102", ClientClasses: []string{"gold"}}}, []kea.OptionData{gold},
		},
	}
	s := st.start(t, setup{})
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := host(hw1, "10.123.0.51")
			r.OptionData = tc.sent
			err := s.AddReservation(t.Context(), s.target, r)
			if tc.want == nil {
				wantClass(t, tc.reason, err, "rejected")
				return
			}
			for range 2 {
				wantClass(t, tc.reason, err, "ok")
				got, readErr := s.Reservation(t.Context(), s.target, subnetA, hw1)
				if diff := cmp.Diff(tc.want, got.OptionData, compare); readErr != nil || diff != "" {
					t.Errorf("%s %v, -want +got:\n%s", tc.reason, readErr, diff)
				}
				err = s.UpdateReservation(t.Context(), s.target, got)
			}
			wantClass(t, "clean up", s.DeleteReservation(t.Context(), s.target, subnetA, hw1), "ok")
		})
	}
}

// An option of type empty may hold content that Kea does not return, and one without content looks
// the same. Writing back what was read erases it.
func contractOpaqueOptions(t *testing.T, st stand) {
	s := st.start(t, setup{rich: true})
	r := host(hw1, "10.123.0.51")
	r.OptionData = []kea.OptionData{
		{Code: 43, CSVFormat: new(false), Data: "01040A00004D"},
		{Code: 82, CSVFormat: new(false), Data: "0104"},
		{Code: 222, CSVFormat: new(false), Data: "010107"},
		{Code: 43},
		{Code: 230},
		{Code: 223, CSVFormat: new(false), Data: "05010107"},
	}
	s.mustAdd(t, s.target, r)
	want := []kea.OptionData{
		option("vendor-encapsulated-options", 43, false, ""),
		option("dhcp-agent-options", 82, false, ""),
		option("container", 222, false, ""),
		option("vendor-encapsulated-options", 43, false, ""),
		option("", 230, false, ""),
		option("number", 223, false, "05010107"), // It encapsulates too, but is not empty.
	}
	got, err := s.Reservation(t.Context(), s.target, subnetA, hw1)
	if diff := cmp.Diff(want, got.OptionData, compare); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for i, o := range got.OptionData {
		if want := i < 5; o.Opaque() != want {
			t.Errorf("Opaque of option %d: got %t, want %t", o.Code, o.Opaque(), want)
		}
	}
	if s.fake == nil {
		return
	}
	if kept := s.fake.Reservations(s.target)[0].OptionData[0].Data; kept != "01040A00004D" {
		t.Errorf("what keatest keeps: got %q", kept)
	}
}
