// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Options as Kea answers them.
var (
	keaDNS = kea.OptionData{
		Name: "domain-name-servers", Code: 6, Space: "dhcp4", Data: "10.0.0.2, 10.0.0.3",
		CSVFormat: new(true), AlwaysSend: new(false), NeverSend: new(false),
	}
	keaRouters = kea.OptionData{
		Name: "routers", Code: 3, Space: "dhcp4", Data: "10.123.0.1", CSVFormat: new(true), AlwaysSend: new(false), NeverSend: new(false),
	}
)

// vendor is an entry of option 125, for one vendor.
func vendor(enterprise string) kea.OptionData {
	return kea.OptionData{Name: "vivso-suboptions", Code: 125, Space: "dhcp4", Data: enterprise, CSVFormat: new(true)}
}

func change(o kea.OptionData, with func(*kea.OptionData)) kea.OptionData {
	o = o.Clone()
	with(&o)
	return o
}

// TestDecideOptions is about the options of the one step that a plan has.
func TestDecideOptions(t *testing.T) {
	t.Parallel()
	gold := func(o *kea.OptionData) { o.ClientClasses = []string{"gold"} }
	cases := map[string]struct {
		reason  string
		have    []kea.OptionData
		manages []any
		want    []kea.OptionData
		options []kea.OptionData
		marks   []any
	}{
		"Added": {
			reason:  "A wanted option is added as the spec has it; others stay as they are.",
			have:    []kea.OptionData{keaRouters},
			want:    []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.9"}},
			options: []kea.OptionData{keaRouters, {Name: "domain-name-servers", Data: "10.0.0.9"}},
			marks:   []any{"option-data/dhcp4/domain-name-servers"},
		},
		"ByCode": {
			reason:  "An option is the same by name and by code; what the spec leaves out is Kea's default.",
			have:    []kea.OptionData{keaRouters, keaDNS},
			want:    []kea.OptionData{{Code: 6, Data: "10.0.0.9"}},
			options: []kea.OptionData{keaRouters, {Name: "domain-name-servers", Code: 6, Data: "10.0.0.9"}},
			marks:   []any{"option-data/dhcp4/6"},
		},
		"AsItIs": {
			reason:  "An option that is as wanted stays as Kea writes it.",
			have:    []kea.OptionData{keaDNS},
			want:    []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2,10.0.0.3"}},
			options: []kea.OptionData{keaDNS},
			marks:   []any{"option-data/dhcp4/domain-name-servers"},
		},
		"OtherSpace": {
			reason:  "The same code in another space is another option.",
			have:    []kea.OptionData{{Code: 6, Space: "vendor-4491", Data: "1"}},
			want:    []kea.OptionData{{Code: 6, Data: "10.0.0.9"}},
			options: []kea.OptionData{{Code: 6, Space: "vendor-4491", Data: "1"}, {Code: 6, Data: "10.0.0.9"}},
			marks:   []any{"option-data/dhcp4/6"},
		},
		"NoLongerWanted": {
			reason:  "An option that was managed and is no longer wanted goes; one that was never managed stays.",
			have:    []kea.OptionData{keaRouters, keaDNS},
			manages: []any{"option-data/dhcp4/domain-name-servers"},
			options: []kea.OptionData{keaRouters},
		},
		"NoLongerWantedByCode": {
			reason:  "The mark may have the code.",
			have:    []kea.OptionData{keaRouters, keaDNS},
			manages: []any{"option-data/dhcp4/6"},
			options: []kea.OptionData{keaRouters},
		},
		"TwoVendors": {
			reason:  "Two vendors of option 125 are two options, each with a mark of its own.",
			want:    []kea.OptionData{{Code: 125, Data: "2234"}, {Code: 125, Data: "3561"}},
			options: []kea.OptionData{{Code: 125, Data: "2234"}, {Code: 125, Data: "3561"}},
			marks:   []any{"option-data/dhcp4/125#14aa8c36", "option-data/dhcp4/125#48c1d011"},
		},
		"SecondVendorStays": {
			reason:  "The entry of another vendor stays, though the mark has the option's name alone.",
			have:    []kea.OptionData{vendor("2234"), vendor("3561")},
			manages: []any{"option-data/dhcp4/125"},
			want:    []kea.OptionData{{Code: 125, Data: "2234"}},
			options: []kea.OptionData{vendor("2234"), vendor("3561")},
			marks:   []any{"option-data/dhcp4/125#14aa8c36"},
		},
		"SecondVendorGoes": {
			reason:  "With a fingerprint in the mark, the entry that is no longer wanted differs from the other one.",
			have:    []kea.OptionData{vendor("2234"), vendor("3561")},
			manages: []any{"option-data/dhcp4/125#14aa8c36"},
			options: []kea.OptionData{vendor("3561")},
		},
		"VendorInHex": {
			reason:  "The enterprise number is read from hexadecimal data too.",
			have:    []kea.OptionData{change(vendor("000008BA"), func(o *kea.OptionData) { o.CSVFormat = new(false) }), vendor("3561")},
			want:    []kea.OptionData{{Code: 125, Data: "0x000008ba", CSVFormat: new(false)}},
			options: []kea.OptionData{change(vendor("000008BA"), func(o *kea.OptionData) { o.CSVFormat = new(false) }), vendor("3561")},
			marks:   []any{"option-data/dhcp4/125#1fd86e28"},
		},
		"Guarded": {
			reason:  "An entry for some client classes is another one than that for all.",
			have:    []kea.OptionData{change(keaRouters, gold)},
			want:    []kea.OptionData{{Name: "routers", Data: "10.123.0.2"}},
			options: []kea.OptionData{change(keaRouters, gold), {Name: "routers", Data: "10.123.0.2"}},
			marks:   []any{"option-data/dhcp4/routers#0ecd895f"},
		},
		"GuardedReplaced": {
			reason:  "Of several entries the one for the same classes is replaced, if the mark says that it is ours.",
			have:    []kea.OptionData{change(keaRouters, gold), keaRouters},
			manages: []any{"option-data/dhcp4/routers#2e5fb1e6"},
			want:    []kea.OptionData{{Name: "routers", Data: "10.123.0.2"}},
			options: []kea.OptionData{change(keaRouters, gold), {Name: "routers", Code: 3, Data: "10.123.0.2"}},
			marks:   []any{"option-data/dhcp4/routers#0ecd895f"},
		},
		"HiddenReplaced": {
			reason: "Of several entries whose data Kea does not return, each is replaced by the one for the same classes.",
			have:   []kea.OptionData{opaque(), change(opaque(), gold)},
			want:   []kea.OptionData{{Code: 43, Data: "0104", CSVFormat: new(false)}, {Code: 43, Data: "0105", CSVFormat: new(false), ClientClasses: []string{"gold"}}},
			options: []kea.OptionData{
				{Name: "vendor-encapsulated-options", Code: 43, Data: "0104", CSVFormat: new(false)},
				{Name: "vendor-encapsulated-options", Code: 43, Data: "0105", CSVFormat: new(false), ClientClasses: []string{"gold"}},
			},
			marks: []any{"option-data/dhcp4/43#0dd2bf1c", "option-data/dhcp4/43#6908e908"},
		},
		"AlwaysSendReset": {
			reason:  "A flag that the spec does not set is Kea's default.",
			have:    []kea.OptionData{change(keaDNS, func(o *kea.OptionData) { o.AlwaysSend = new(true) })},
			manages: []any{"option-data/dhcp4/domain-name-servers"},
			want:    []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2, 10.0.0.3"}},
			options: []kea.OptionData{{Name: "domain-name-servers", Code: 6, Data: "10.0.0.2, 10.0.0.3"}},
			marks:   []any{"option-data/dhcp4/domain-name-servers"},
		},
		"NeverSendReset": {
			reason:  "An option that Kea was told never to send is sent if the spec sets it. Kea answers it without data.",
			have:    []kea.OptionData{{Name: "routers", Code: 3, Space: "dhcp4", NeverSend: new(true)}},
			want:    []kea.OptionData{{Name: "routers", Data: "10.123.0.1"}},
			options: []kea.OptionData{{Name: "routers", Code: 3, Data: "10.123.0.1"}},
			marks:   []any{"option-data/dhcp4/routers"},
		},
		"NeverSendStays": {
			reason:  "If the spec does not set it, it stays so.",
			have:    []kea.OptionData{{Name: "routers", Code: 3, Space: "dhcp4", NeverSend: new(true)}},
			options: []kea.OptionData{{Name: "routers", Code: 3, Space: "dhcp4", NeverSend: new(true)}},
		},
		"FormatChanges": {
			reason:  "Data in text replaces hexadecimal data together with its format.",
			have:    []kea.OptionData{change(keaDNS, func(o *kea.OptionData) { o.Data, o.CSVFormat = "0A000002", new(false) })},
			manages: []any{"option-data/dhcp4/domain-name-servers"},
			want:    []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2"}},
			options: []kea.OptionData{{Name: "domain-name-servers", Code: 6, Data: "10.0.0.2"}},
			marks:   []any{"option-data/dhcp4/domain-name-servers"},
		},
		"TextAndHexAlike": {
			reason:  "Text that looks like hexadecimal digits is not the same as these digits.",
			have:    []kea.OptionData{{Name: "host-name", Code: 12, Space: "dhcp4", Data: "cafe", CSVFormat: new(true)}},
			want:    []kea.OptionData{{Name: "host-name", Data: "cafe", CSVFormat: new(false)}},
			options: []kea.OptionData{{Name: "host-name", Code: 12, Data: "cafe", CSVFormat: new(false)}},
			marks:   []any{"option-data/dhcp4/host-name"},
		},
		"UserContextOfOption": {
			reason: "What else is in an option survives a change of its data.",
			have: []kea.OptionData{change(keaDNS, func(o *kea.OptionData) {
				o.Extra = map[string]json.RawMessage{"user-context": json.RawMessage(`{"a":1}`)}
			})},
			want:    []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.9"}},
			options: []kea.OptionData{{Name: "domain-name-servers", Code: 6, Data: "10.0.0.9", Extra: map[string]json.RawMessage{"user-context": json.RawMessage(`{"a":1}`)}}},
			marks:   []any{"option-data/dhcp4/domain-name-servers"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			// The address changes too, so that there is a step in every case.
			have := host(ip(51), ownedBy(me, tc.manages...), withOptions(tc.have...))
			step := onlyStep(t, reservation.Decide([]reservation.View{view("memory@kea1", has(have))}, in(ip(50), options(tc.want...)), me))
			want := host(ip(50), ownedBy(me, tc.marks...), withOptions(tc.options...))
			if diff := cmp.Diff(*want, step.Want, equate()); diff != "" {
				t.Errorf("%s\nDecide(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
