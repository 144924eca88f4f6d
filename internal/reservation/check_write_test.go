// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideOpaque(t *testing.T) {
	t.Parallel()
	const remedy = "set its data in spec.forProvider.optionData, or remove the option in Kea"
	message := func(why string) string {
		return "Kea does not return the content of option 43 (vendor-encapsulated-options), which writing the reservation would erase (" +
			why + "): " + remedy
	}
	note := "the reservation stays without the mark of ownership, since Kea does not return the content of option 43 (vendor-encapsulated-options), " +
		"which writing would erase: to have it marked, " + remedy
	setsIt := options(kea.OptionData{Code: 43, Data: "0104", CSVFormat: new(false)})
	runDecide(t, map[string]decideCase{
		"MarkOnly": {
			reason: "If nothing but the mark is missing, the reservation is as wanted, and the note says why it stays unmarked.",
			views:  []reservation.View{view("database@kea1", has(host(ip(50), withOptions(opaque()))))},
			in:     in(ip(50)),
			want:   plan{State: reservation.Reserved, Message: note, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}},
		},
		"MarkOnlyOnOneOfTwo": {
			reason: "The other server is written to.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), withOptions(opaque())))), view("memory@kea2", has(host(ip(50))))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "the mark of ownership is missing or differs", Address: "10.123.0.50",
				Steps: []string{"update memory@kea2 10.123.0.50"}, Servers: []string{"kea1 Reserved", "kea2 Pending"},
			},
		},
		"MarkOnlyOnOneOfTwoAfter": {
			reason: "The note names the server then.",
			views: []reservation.View{
				view("memory@kea1", has(host(ip(50), withOptions(opaque())))), view("memory@kea2", has(host(ip(50), ownedBy(me)))),
			},
			in:   in(ip(50)),
			want: plan{State: reservation.Reserved, Message: "on server kea1: " + note, Address: "10.123.0.50", Servers: []string{"kea1 Reserved", "kea2 Reserved"}},
		},
		"Field": {
			reason: "Another field cannot be changed without erasing the option.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), withOptions(opaque()))))},
			in:     in(ip(50), hostname("vm01")),
			want: plan{
				State: reservation.OpaqueOption, Message: message("hostname none, wanted vm01; the mark of ownership is missing or differs"),
				Address: "10.123.0.50", Servers: []string{"kea1 OpaqueOption"},
			},
		},
		"OnOneOfTwo": {
			reason: "Then no server is changed.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", has(host(ip(51), ownedBy(me), withOptions(opaque()))))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.OpaqueOption, Address: "10.123.0.50",
				Message: "on server kea2: " + message("ip-address 10.123.0.51, wanted 10.123.0.50"),
				Servers: []string{"kea1 Pending", "kea2 OpaqueOption"},
			},
		},
		"SetByTheSpec": {
			reason: "An option that the spec sets is written.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), withOptions(opaque()))))},
			in:     in(ip(50), setsIt),
			want: plan{
				State: reservation.Pending, Address: "10.123.0.50", Servers: []string{"kea1 Pending"}, Steps: []string{"update memory@kea1 10.123.0.50"},
				Message: "option 43 (vendor-encapsulated-options) content that Kea does not return, wanted 0104 (csv-format false); " +
					"the mark of ownership is missing or differs",
			},
		},
		"CopyFirst": {
			reason: "A copy in memory is not moved into the database without the option's content.",
			views:  []reservation.View{view("database@kea1"), view("memory@kea1", notPrimary, has(host(ip(50), withOptions(opaque()))))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.OpaqueOption, Message: message("it is in memory, and not in the database"),
				Address: "10.123.0.50", Servers: []string{"kea1 OpaqueOption"},
			},
		},
		"CopyBeside": {
			reason: "Nor is a copy removed whose content is not known.",
			views: []reservation.View{
				view("database@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(ip(50), withOptions(opaque())))),
			},
			in: in(ip(50)),
			want: plan{
				State: reservation.OpaqueOption, Message: message("a copy in memory hides the reservation in the database"),
				Address: "10.123.0.50", Servers: []string{"kea1 OpaqueOption"},
			},
		},
	})
}

func TestDecideRefusal(t *testing.T) {
	t.Parallel()
	refusal := func(want *kea.Reservation) func(*reservation.View) {
		return func(v *reservation.View) {
			v.Refusal = &reservation.Refusal{Want: *want, Message: "cannot update the reservation: Kea says no"}
		}
	}
	wanted := func(name string) *kea.Reservation {
		return host(ip(50), ownedBy(me, "hostname"), func(r *kea.Reservation) { r.Hostname = name })
	}
	runDecide(t, map[string]decideCase{
		"Same": {
			reason: "A change that Kea refused is not sent again.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), refusal(wanted("a")))},
			in:     in(ip(50), hostname("a")),
			want: plan{
				State: reservation.Refused, Message: "cannot update the reservation: Kea says no", Address: "10.123.0.50", Servers: []string{"kea1 Refused"},
			},
		},
		"Other": {
			reason: "Another change is.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), refusal(wanted("a")))},
			in:     in(ip(50), hostname("b")),
			want: plan{
				State: reservation.Pending, Message: "hostname none, wanted b; the mark of ownership is missing or differs", Address: "10.123.0.50",
				Steps: []string{"update memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
		"NoLongerWanted": {
			reason: "A refused change that is no longer needed is not in the way.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me))), refusal(wanted("a")))},
			in:     in(ip(50)),
			want:   plan{State: reservation.Reserved, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}},
		},
		"OnOneOfTwo": {
			reason: "What one server refuses, the other does not get either.",
			views: []reservation.View{
				view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea2", has(host(ip(50), ownedBy(me))), refusal(wanted("a"))),
			},
			in: in(ip(50), hostname("a")),
			want: plan{
				State: reservation.Refused, Message: "on server kea2: cannot update the reservation: Kea says no", Address: "10.123.0.50",
				Servers: []string{"kea1 Pending", "kea2 Refused"},
			},
		},
	})
}

func TestDecidePending(t *testing.T) {
	t.Parallel()
	const hidden = "a copy in memory hides the reservation in the database"
	pending := func(message string, steps ...string) plan {
		return plan{State: reservation.Pending, Message: message, Address: "10.123.0.50", Steps: steps, Servers: []string{"kea1 Pending"}}
	}
	runDecide(t, map[string]decideCase{
		"New": {
			reason: "An address that is free is reserved.",
			views:  []reservation.View{view("memory@kea1")},
			in:     in(ip(50)),
			want:   pending("not in Kea yet", "add memory@kea1 10.123.0.50"),
		},
		"Adopted": {
			reason: "A reservation without a mark is marked, with its address.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50))))},
			in:     in(none),
			want:   pending("the mark of ownership is missing or differs", "update memory@kea1 10.123.0.50"),
		},
		"Upgraded": {
			reason: "A reservation without an address gets that of the lease.",
			views:  []reservation.View{view("memory@kea1", has(host(none, ownedBy(me))), leased(lease(ip(50), noon)))},
			in:     in(none),
			want:   pending("ip-address none, wanted 10.123.0.50", "update memory@kea1 10.123.0.50"),
		},
		"Vanished": {
			reason: "A reservation that has gone comes back with its address.",
			views:  []reservation.View{view("memory@kea1", lost(host(ip(50), ownedBy(me))), leased(lease(ip(60), noon)))},
			in:     in(none),
			want:   pending("not in Kea yet", "add memory@kea1 10.123.0.50"),
		},
		"CopyBeside": {
			reason: "A copy in memory that hides the reservation in the database goes.",
			views:  []reservation.View{view("database@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(ip(50))))},
			in:     in(ip(50)),
			want:   pending(hidden, "remove memory@kea1 10.123.0.50"),
		},
		"CopyAlone": {
			reason: "Where the database has none, it gets the one in memory first, with the address that the device has by it.",
			views:  []reservation.View{view("database@kea1"), view("memory@kea1", notPrimary, has(host(ip(50))))},
			in:     in(none),
			want:   pending("it is in memory, and not in the database", "add database@kea1 10.123.0.50", "remove memory@kea1 10.123.0.50"),
		},
		"CopyOtherAddress": {
			reason: "The address that is in force is the one in memory.",
			views:  []reservation.View{view("database@kea1", has(host(ip(51), ownedBy(me)))), view("memory@kea1", notPrimary, has(host(ip(50))))},
			in:     in(none),
			want:   pending("ip-address 10.123.0.51, wanted 10.123.0.50; "+hidden, "update database@kea1 10.123.0.50", "remove memory@kea1 10.123.0.50"),
		},
		"CopyInDatabase": {
			reason: "A copy in the database hides nothing, so it stays.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("database@kea1", notPrimary, has(host(ip(51))))},
			in:     in(ip(50)),
			want:   plan{State: reservation.Reserved, Address: "10.123.0.50", Servers: []string{"kea1 Reserved"}},
		},
		"OneOfTwo": {
			reason: "A server that has it as wanted is left alone.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea2")},
			in:     in(none),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps: []string{"add memory@kea2 10.123.0.50"}, Servers: []string{"kea1 Reserved", "kea2 Pending"},
			},
		},
		"TwoAddresses": {
			reason: "Where two servers have two addresses, that of the first is the device's.",
			views:  []reservation.View{view("memory@kea1", has(host(ip(50), ownedBy(me)))), view("memory@kea2", has(host(ip(51), ownedBy(me))))},
			in:     in(none),
			want: plan{
				State: reservation.Pending, Message: "ip-address 10.123.0.51, wanted 10.123.0.50", Address: "10.123.0.50",
				Steps: []string{"update memory@kea2 10.123.0.50"}, Servers: []string{"kea1 Reserved", "kea2 Pending"},
			},
		},
	})
}
