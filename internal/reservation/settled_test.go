// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestDecideSpelling is about values that Kea answers in another way than they were written.
func TestDecideSpelling(t *testing.T) {
	t.Parallel()
	raw222 := kea.OptionData{Code: 222, Data: "0xcafe", CSVFormat: new(false)}
	kea222 := kea.OptionData{Code: 222, Space: "dhcp4", Data: "CAFE", CSVFormat: new(false), AlwaysSend: new(false), NeverSend: new(false)}
	raw43 := kea.OptionData{Code: 43, Data: "0104", CSVFormat: new(false)}
	named := func(name string, manages ...any) *kea.Reservation {
		return host(ip(50), ownedBy(me, manages...), func(r *kea.Reservation) { r.Hostname = name })
	}
	with43 := host(ip(50), ownedBy(me, "option-data/dhcp4/43"), withOptions(opaque()))
	gold := func(o *kea.OptionData) { o.ClientClasses = []string{"gold"} }
	goldRaw43 := change(raw43, func(o *kea.OptionData) { o.Data, o.ClientClasses = "0105", []string{"gold"} })
	marks43 := []any{"option-data/dhcp4/43#0dd2bf1c", "option-data/dhcp4/43#6908e908"}
	two43 := host(ip(50), ownedBy(me, marks43...), withOptions(opaque(), change(opaque(), gold)))
	rewrite := func(want, got *kea.Reservation) func(*reservation.View) {
		return func(v *reservation.View) { v.Rewrite = &reservation.Rewrite{Want: *want, Got: *got} }
	}
	accepted := func(r *kea.Reservation) func(*reservation.Intent) {
		return func(i *reservation.Intent) { i.Accepted = r }
	}
	fine := plan{State: reservation.Reserved, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}}
	update := func(message string) plan {
		return plan{
			State: reservation.Pending, Message: message, Address: "10.123.0.50",
			Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
		}
	}
	runDecide(t, map[string]decideCase{
		"Hex": {
			reason: "Hexadecimal data is the same in every spelling, also when nothing is known of a write.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me, "option-data/dhcp4/222"), withOptions(kea222))))},
			in:     in(ip(50), options(raw222)),
			want:   fine,
		},
		"Blanks": {
			reason: "Kea writes a blank after a comma.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me, "option-data/dhcp4/6"), withOptions(keaDNS))))},
			in:     in(ip(50), options(kea.OptionData{Code: 6, Data: "10.0.0.2,10.0.0.3"})),
			want:   fine,
		},
		"HostnameDrift": {
			reason: "Another value is a difference if nothing says that Kea made it of what is wanted.",
			views:  []reservation.View{view("memory@kea1", has(named("vm.example.com.", "hostname")))},
			in:     in(ip(50), hostname("vm.example.com")),
			want:   update("hostname vm.example.com., wanted vm.example.com"),
		},
		"HostnameRewritten": {
			reason: "What Kea made of the last write is no difference.",
			views: []reservation.View{view("memory@kea1", has(named("vm.example.com.", "hostname")),
				rewrite(named("vm.example.com", "hostname"), named("vm.example.com.", "hostname")))},
			in:   in(ip(50), hostname("vm.example.com")),
			want: fine,
		},
		"HostnameAccepted": {
			reason: "Nor is what the status says that Kea made of the same spec.",
			views:  []reservation.View{view("memory@kea1", has(named("vm.example.com.", "hostname")))},
			in:     in(ip(50), hostname("vm.example.com"), accepted(named("vm.example.com."))),
			want:   fine,
		},
		"HostnameChangedSince": {
			reason: "A value that is neither as wanted nor as Kea once made it has drifted.",
			views:  []reservation.View{view("memory@kea1", has(named("other", "hostname")))},
			in:     in(ip(50), hostname("vm.example.com"), accepted(named("vm.example.com."))),
			want:   update("hostname other, wanted vm.example.com"),
		},
		"RewriteOfOtherWish": {
			reason: "What Kea made of another wish says nothing about this one.",
			views: []reservation.View{view("memory@kea1", has(named("vm.example.com.", "hostname")),
				rewrite(named("vm.example.com", "hostname"), named("vm.example.com.", "hostname")))},
			in:   in(ip(50), hostname("vm2.example.com")),
			want: update("hostname vm.example.com., wanted vm2.example.com"),
		},
		"ClassesAccepted": {
			reason: "The same holds for client classes.",
			views: []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me, "client-classes"),
				func(r *kea.Reservation) { r.ClientClasses = []string{"a", "b"} })))},
			in: in(ip(50), func(i *reservation.Intent) { i.ClientClasses = []string{"b", "a"} },
				accepted(&kea.Reservation{ClientClasses: []string{"a", "b"}})),
			want: fine,
		},
		"HiddenData": {
			reason: "An option of the spec whose data Kea does not return is written, as long as nothing is known of a write.",
			views:  []reservation.View{view("memory@kea1", has(with43))},
			in:     in(ip(50), options(raw43)),
			want:   update("option 43 (vendor-encapsulated-options) content that Kea does not return, wanted 0104 (csv-format false)"),
		},
		"HiddenDataRewritten": {
			reason: "After its write it is settled: the first write had the option's code alone.",
			views: []reservation.View{view("memory@kea1", has(with43),
				rewrite(host(ip(50), ownedBy(me, "option-data/dhcp4/43"), withOptions(raw43)), with43))},
			in:   in(ip(50), options(raw43)),
			want: fine,
		},
		"HiddenDataChanged": {
			reason: "Other data is written again.",
			views: []reservation.View{view("memory@kea1", has(with43),
				rewrite(host(ip(50), ownedBy(me, "option-data/dhcp4/43"), withOptions(raw43)), with43))},
			in:   in(ip(50), options(kea.OptionData{Code: 43, Data: "0105", CSVFormat: new(false)})),
			want: update("option 43 (vendor-encapsulated-options) content that Kea does not return, wanted 0105 (csv-format false)"),
		},
		"HiddenDataAccepted": {
			reason: "After a restart of the provider the status says that it was written.",
			views:  []reservation.View{view("memory@kea1", has(with43))},
			in:     in(ip(50), options(raw43), accepted(with43)),
			want:   fine,
		},
		"NeverSend": {
			reason: "Kea answers an option that it never sends without its data.",
			views: []reservation.View{view("memory@kea1",
				has(host(ip(50), ownedBy(me, "option-data/dhcp4/3"), withOptions(kea.OptionData{Name: "routers", Code: 3, Space: "dhcp4", NeverSend: new(true)}))),
				rewrite(host(ip(50), ownedBy(me, "option-data/dhcp4/3"), withOptions(kea.OptionData{Code: 3, Data: "10.123.0.1", NeverSend: new(true)})),
					host(ip(50), ownedBy(me, "option-data/dhcp4/3"), withOptions(kea.OptionData{Name: "routers", Code: 3, Space: "dhcp4", NeverSend: new(true)}))),
			)},
			in:   in(ip(50), options(kea.OptionData{Code: 3, Data: "10.123.0.1", NeverSend: new(true)})),
			want: fine,
		},
		"OneOfTwoEntries": {
			reason: "Of two entries each is judged by the one that Kea made of it.",
			views: []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me, "option-data/dhcp4/3#2e5fb1e6", "option-data/dhcp4/3#34002c07"), withOptions(
				keaRouters, change(keaRouters, func(o *kea.OptionData) { o.Data, o.ClientClasses = "10.123.0.7", []string{"gold"} }),
			))))},
			in: in(ip(50), options(
				kea.OptionData{Code: 3, Data: "10.123.0.1"}, kea.OptionData{Code: 3, Data: "10.123.0.8", ClientClasses: []string{"gold"}},
			), accepted(&kea.Reservation{OptionData: []kea.OptionData{
				keaRouters, change(keaRouters, func(o *kea.OptionData) { o.Data, o.ClientClasses = "10.123.0.7", []string{"gold"} }),
			}})),
			want: fine,
		},
		"TwoHidden": {
			reason: "So are two entries whose data Kea does not return.",
			views: []reservation.View{view("memory@kea1", has(two43), rewrite(
				host(ip(50), ownedBy(me, marks43...), withOptions(raw43, goldRaw43)), two43,
			))},
			in:   in(ip(50), options(raw43, goldRaw43)),
			want: fine,
		},
	})
}
