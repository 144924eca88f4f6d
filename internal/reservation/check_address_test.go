// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"net/netip"
	"testing"

	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideAwaitingLease(t *testing.T) {
	t.Parallel()
	noHook := func(v *reservation.View) { v.LeasesKnown = false }
	const message = "00:02:12:34:56:78 has no active lease in 10.123.0.0/24"
	waiting := func(steps, servers []string) plan {
		return plan{State: reservation.AwaitingLease, Message: message, Address: "none", Steps: steps, Servers: servers}
	}
	refused := func(v *reservation.View) {
		want := host(none, ownedBy(me))
		v.Refusal = &reservation.Refusal{Want: *want, Message: "Kea does not like it"}
	}
	runDecide(t, map[string]decideCase{
		"NoLease": {
			reason: "Without address and lease nothing is written.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2")},
			in:     in(none),
			want:   waiting(nil, []string{"kea1 AwaitingLease", "kea2 AwaitingLease"}),
		},
		"Marked": {
			reason: "A reservation without an address is marked meanwhile, so that it goes with its resource.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", has(host(none)))},
			in:     in(none),
			want:   waiting([]string{"update memory@kea2 none"}, []string{"kea1 AwaitingLease", "kea2 AwaitingLease"}),
		},
		"NothingLeftToDo": {
			reason: "Once it is marked there is nothing to write.",
			views:  []reservation.View{view("memory@kea1", has(host(none, ownedBy(me))))},
			in:     in(none),
			want:   waiting(nil, []string{"kea1 AwaitingLease"}),
		},
		"Opaque": {
			reason: "It stays without a mark if writing would erase an option.",
			views:  []reservation.View{view("memory@kea1", has(host(none, withOptions(opaque()))))},
			in:     in(none),
			want:   waiting(nil, []string{"kea1 AwaitingLease"}),
		},
		"Refused": {
			reason: "A mark that Kea refused is not sent again.",
			views:  []reservation.View{view("memory@kea1", has(host(none)), refused)},
			in:     in(none),
			want:   waiting(nil, []string{"kea1 AwaitingLease"}),
		},
		"LeaseOnTheOther": {
			reason: "The lease of one server is reserved on all.",
			views:  []reservation.View{view("memory@kea1"), view("memory@kea2", leased(lease(ip(60), noon)))},
			in:     in(none),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.60",
				Steps:   []string{"add memory@kea1 10.123.0.60", "add memory@kea2 10.123.0.60"},
				Servers: []string{"kea1 Pending", "kea2 Pending"},
			},
		},
		"HookMissing": {
			reason: "A server that cannot list its leases is not one without the lease.",
			views:  []reservation.View{view("memory@kea1", noHook)},
			in:     in(none),
			want: plan{
				State: reservation.HookMissing, Message: "server kea1 does not load libdhcp_lease_cmds.so, so the lease of 00:02:12:34:56:78 cannot be looked up: " +
					"load it in hooks-libraries, or set ipAddress",
				Address: "none", Servers: []string{"kea1 HookMissing"},
			},
		},
		"HookOnOneOfTwo": {
			reason: "One server that lists its leases is enough to wait for one.",
			views:  []reservation.View{view("memory@kea1", noHook), view("memory@kea2")},
			in:     in(none),
			want:   waiting(nil, []string{"kea1 AwaitingLease", "kea2 AwaitingLease"}),
		},
		"HookNotNeeded": {
			reason: "An address that is given needs no lease.",
			views:  []reservation.View{view("memory@kea1", noHook)},
			in:     in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps: []string{"add memory@kea1 10.123.0.50"}, Servers: []string{"kea1 Pending"},
			},
		},
	})
}

func TestDecideAddressInSubnet(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		subnet  string
		address string
		want    reservation.State
		message string
	}{
		"Host":        {reason: "A host address is reserved.", subnet: "10.1.0.0/24", address: "10.1.0.7", want: reservation.Pending, message: "not in Kea yet"},
		"Outside":     {reason: "Kea would not use an address of another subnet.", subnet: "10.1.0.0/24", address: "10.2.0.7", want: reservation.AddressNotInSubnet, message: "10.2.0.7 is not inside 10.1.0.0/24"},
		"Network":     {reason: "No host has the network address.", subnet: "10.1.0.0/24", address: "10.1.0.0", want: reservation.AddressNotInSubnet, message: "10.1.0.0 is the network address of 10.1.0.0/24"},
		"Broadcast":   {reason: "No host has the broadcast address.", subnet: "10.1.0.0/22", address: "10.1.3.255", want: reservation.AddressNotInSubnet, message: "10.1.3.255 is the broadcast address of 10.1.0.0/22"},
		"InnerZero":   {reason: "In a larger subnet a host can have an address that ends in 0.", subnet: "10.1.0.0/22", address: "10.1.1.0", want: reservation.Pending, message: "not in Kea yet"},
		"InnerOnes":   {reason: "The same holds for one that ends in 255.", subnet: "10.1.0.0/22", address: "10.1.1.255", want: reservation.Pending, message: "not in Kea yet"},
		"Slash30":     {reason: "A /30 still has both.", subnet: "10.1.0.0/30", address: "10.1.0.3", want: reservation.AddressNotInSubnet, message: "10.1.0.3 is the broadcast address of 10.1.0.0/30"},
		"Slash31Low":  {reason: "A /31 has neither (RFC 3021).", subnet: "10.1.0.0/31", address: "10.1.0.0", want: reservation.Pending, message: "not in Kea yet"},
		"Slash31High": {reason: "A /31 has neither (RFC 3021).", subnet: "10.1.0.0/31", address: "10.1.0.1", want: reservation.Pending, message: "not in Kea yet"},
		"Slash32":     {reason: "Nor has a /32.", subnet: "10.1.0.9/32", address: "10.1.0.9", want: reservation.Pending, message: "not in Kea yet"},
		"Slash32Else": {reason: "A /32 has one address.", subnet: "10.1.0.9/32", address: "10.1.0.8", want: reservation.AddressNotInSubnet, message: "10.1.0.8 is not inside 10.1.0.9/32"},
		"Unknown":     {reason: "Where the server does not list its subnets, Kea judges.", address: "10.1.0.0", want: reservation.Pending, message: "not in Kea yet"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := view("memory@kea1", func(v *reservation.View) { v.Subnet.Prefix = netip.Prefix{} })
			if tc.subnet != "" {
				v.Subnet.Prefix = netip.MustParsePrefix(tc.subnet)
			}
			p := reservation.Decide([]reservation.View{v}, in(netip.MustParseAddr(tc.address)), me)
			if p.State != tc.want || p.Message != tc.message {
				t.Errorf("%s\nDecide(...): %s %q, want %s %q", tc.reason, p.State, p.Message, tc.want, tc.message)
			}
			if blocked := tc.want != reservation.Pending; blocked != (len(p.Steps) == 0) {
				t.Errorf("%s\nDecide(...): %d steps", tc.reason, len(p.Steps))
			}
		})
	}
}

func TestDecideLeaseOutsideSubnet(t *testing.T) {
	t.Parallel()
	runDecide(t, map[string]decideCase{
		"Renumbered": {
			reason: "A lease can be outside the prefix of its subnet-id: its address is not reserved.",
			views:  []reservation.View{view("memory@kea1", leased(lease(netip.MustParseAddr("10.9.0.5"), noon))), view("memory@kea2")},
			in:     in(none),
			want: plan{
				State: reservation.AddressNotInSubnet, Message: "10.9.0.5 is not inside 10.123.0.0/24", Address: "10.9.0.5",
				Servers: []string{"kea1 AddressNotInSubnet", "kea2 Pending"},
			},
		},
	})
}
