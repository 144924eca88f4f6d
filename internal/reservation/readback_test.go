// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestSame(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason    string
		want, got *kea.Reservation
		same      bool
	}{
		"Equal":       {reason: "What was read back is what was written.", want: host(ip(50), ownedBy(me)), got: host(ip(50), ownedBy(me)), same: true},
		"NameAndCode": {reason: "Kea fills in an option's name, space and flags.", want: host(ip(50), withOptions(kea.OptionData{Code: 6, Data: "10.0.0.2,10.0.0.3"})), got: host(ip(50), withOptions(keaDNS)), same: true},
		"Mark":        {reason: "Another owner has written since.", want: host(ip(50), ownedBy(me)), got: host(ip(50), ownedBy(vm02))},
		"Manages":     {reason: "The fields in the mark differ.", want: host(ip(50), ownedBy(me, "hostname")), got: host(ip(50), ownedBy(me))},
		"Hidden":      {reason: "Kea does not return the data of the option.", want: host(ip(50), withOptions(kea.OptionData{Code: 43, Data: "0104", CSVFormat: new(false)})), got: host(ip(50), withOptions(opaque()))},
		"Twice":       {reason: "An entry that is there twice is not the same as one.", want: host(ip(50), withOptions(keaDNS, keaDNS)), got: host(ip(50), withOptions(keaDNS))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if same := reservation.Same(*tc.want, *tc.got); same != tc.same {
				t.Errorf("%s\nSame(...): %t, want %t", tc.reason, same, tc.same)
			}
		})
	}
}

func TestNotKept(t *testing.T) {
	t.Parallel()
	raw43 := kea.OptionData{Code: 43, Data: "0104", CSVFormat: new(false)}
	guarded := kea.OptionData{Code: 6, Data: "10.0.0.2,10.0.0.3", ClientClasses: []string{"gold"}}
	cases := map[string]struct {
		reason string
		in     reservation.Intent
		got    func(*kea.Reservation)
		want   string
	}{
		"Kept":          {reason: "All that the spec sets is there.", in: in(ip(50), hostname("a")), got: func(r *kea.Reservation) { r.Hostname = "a" }},
		"OtherSpelling": {reason: "Another spelling is kept.", in: in(ip(50), hostname("a")), got: func(r *kea.Reservation) { r.Hostname = "a." }},
		"NoHostname":    {reason: "A field that is empty is not.", in: in(ip(50), hostname("a")), got: func(*kea.Reservation) {}, want: "hostname"},
		"Emptied":       {reason: "One that is to be empty is.", in: in(ip(50), hostname("")), got: func(*kea.Reservation) {}},
		"NotManaged":    {reason: "What the spec does not set is not its loss.", in: in(ip(50)), got: func(*kea.Reservation) {}},
		"BootFileName":  {reason: "The field is named as Kea does.", in: in(ip(50), func(i *reservation.Intent) { i.BootFileName = new("x") }), got: func(*kea.Reservation) {}, want: "boot-file-name"},
		"Classes": {
			reason: "One class less.", in: in(ip(50), func(i *reservation.Intent) { i.ClientClasses = []string{"a", "b"} }),
			got: func(r *kea.Reservation) { r.ClientClasses = []string{"a"} }, want: "client-classes",
		},
		"LastByte": {
			reason: "Of 255 bytes that are in MySQL, Kea reads the last one as zero.", in: in(ip(50), func(i *reservation.Intent) { i.ClientClasses = []string{"a", "bc"} }),
			got: func(r *kea.Reservation) { r.ClientClasses = []string{"a", "b\x00"} }, want: "client-classes",
		},
		"Option":       {reason: "The option is not there.", in: in(ip(50), options(kea.OptionData{Code: 6, Data: "10.0.0.2"})), got: withOptions(keaRouters), want: "option 6"},
		"OptionByName": {reason: "It is named by what the spec has.", in: in(ip(50), options(kea.OptionData{Name: "routers", Data: "10.0.0.2"})), got: withOptions(keaDNS), want: "option routers"},
		"HiddenData":   {reason: "An option whose data Kea does not return is there.", in: in(ip(50), options(raw43)), got: withOptions(opaque())},
		"Guard":        {reason: "PostgreSQL does not keep the client classes of an option.", in: in(ip(50), options(guarded)), got: withOptions(keaDNS), want: "the flags and client classes of option 6 (domain-name-servers)"},
		"Flag": {
			reason: "A flag is not there.", in: in(ip(50), options(kea.OptionData{Code: 6, Data: "10.0.0.2", AlwaysSend: new(true)})), got: withOptions(keaDNS),
			want: "the flags and client classes of option 6 (domain-name-servers)",
		},
		"OneOfTwo": {
			reason: "Two entries of one option are two.", in: in(ip(50), options(kea.OptionData{Code: 125, Data: "2234"}, kea.OptionData{Code: 125, Data: "3561"})),
			got: withOptions(vendor("2234")), want: "option 125",
		},
		"TwoEntries": {
			reason: "Each entry has its own.", in: in(ip(50), options(guarded, kea.OptionData{Code: 6, Data: "10.0.0.2"})),
			got: withOptions(keaDNS, change(keaDNS, func(o *kea.OptionData) { o.ClientClasses = []string{"gold"} })),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := reservation.Decide([]reservation.View{view("memory@kea1")}, tc.in, me)
			if diff := cmp.Diff(tc.want, reservation.NotKept(onlyStep(t, p).Want, *host(ip(50), ownedBy(me), tc.got), tc.in)); diff != "" {
				t.Errorf("%s\nNotKept(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestPutBack(t *testing.T) {
	t.Parallel()
	raw := func(data string, classes ...string) kea.OptionData {
		return kea.OptionData{Code: 43, Data: data, CSVFormat: new(false), ClientClasses: classes}
	}
	gold := func(o *kea.OptionData) { o.ClientClasses = []string{"gold"} }
	cases := map[string]struct {
		reason           string
		old, wanted, out *kea.Reservation
	}{
		"AsItWas": {
			reason: "The old reservation comes back, without what was to change.",
			old:    host(ip(50), ownedBy(me), withOptions(keaDNS)), wanted: host(ip(51), ownedBy(me), withOptions(keaRouters)), out: host(ip(50), ownedBy(me), withOptions(keaDNS)),
		},
		"HiddenData": {
			reason: "An option whose content Kea did not return has that of the spec.",
			old:    host(ip(50), withOptions(keaDNS, opaque())), wanted: host(ip(51), withOptions(keaDNS, raw("0104"))), out: host(ip(50), withOptions(keaDNS, raw("0104"))),
		},
		"TwoEntries": {
			reason: "Each entry has the content of the one for the same client classes.",
			old:    host(ip(50), withOptions(change(opaque(), gold), opaque())), wanted: host(ip(51), withOptions(raw("0104"), raw("0105", "gold"))),
			out: host(ip(50), withOptions(raw("0105", "gold"), raw("0104"))),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before := tc.old.Clone()
			if diff := cmp.Diff(*tc.out, reservation.PutBack(*tc.old, *tc.wanted), equate()); diff != "" {
				t.Errorf("%s\nPutBack(...): -want, +got:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(before, *tc.old, equate()); diff != "" {
				t.Errorf("PutBack(...) changed what it was given: -before, +after:\n%s", diff)
			}
		})
	}
}
