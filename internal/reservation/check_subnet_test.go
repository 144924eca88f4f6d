// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"net/netip"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

func TestDecideSubnet(t *testing.T) {
	t.Parallel()
	other := kea.Subnet{ID: 7, Prefix: netip.MustParsePrefix("10.9.0.0/16")}
	var many []kea.Subnet
	for i := range 12 {
		many = append(many, kea.Subnet{ID: uint32(i + 1), Prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i), 0, 0}), 16)})
	}
	unlisted := func(v *reservation.View) {
		v.SubnetFound, v.SubnetsKnown, v.Subnet, v.Subnets = false, false, kea.Subnet{}, nil
	}
	runDecide(t, map[string]decideCase{
		"NotInKea": {
			reason: "A subnet that no server has is named, with those that there are.",
			views:  []reservation.View{view("memory@kea1", noSubnet(other))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.SubnetNotFound, Message: "server kea1 has no 10.123.0.0/24; it has 10.9.0.0/16 (subnet-id 7)",
				Address: "10.123.0.50", Servers: []string{"kea1 SubnetNotFound"},
			},
		},
		"NoneAtAll": {
			reason: "A server without subnets is named as one.",
			views:  []reservation.View{view("memory@kea1", noSubnet())},
			in:     in(none),
			want: plan{
				State: reservation.SubnetNotFound, Message: "server kea1 has no 10.123.0.0/24; it has no subnet at all",
				Address: "none", Servers: []string{"kea1 SubnetNotFound"},
			},
		},
		"Many": {
			reason: "The message names ten subnets, however many there are.",
			views:  []reservation.View{view("memory@kea1", noSubnet(many...))},
			in:     in(ip(50), func(i *reservation.Intent) { i.Subnet = reservation.SubnetRef{ID: 99} }),
			want: plan{
				State: reservation.SubnetNotFound,
				Message: "server kea1 has no subnet-id 99; it has 10.0.0.0/16 (subnet-id 1), 10.1.0.0/16 (subnet-id 2), 10.2.0.0/16 (subnet-id 3), " +
					"10.3.0.0/16 (subnet-id 4), 10.4.0.0/16 (subnet-id 5), 10.5.0.0/16 (subnet-id 6), 10.6.0.0/16 (subnet-id 7), " +
					"10.7.0.0/16 (subnet-id 8), 10.8.0.0/16 (subnet-id 9), 10.9.0.0/16 (subnet-id 10), and 2 more",
				Address: "10.123.0.50", Servers: []string{"kea1 SubnetNotFound"},
			},
		},
		"HookMissing": {
			reason: "A server that cannot list its subnets is not one that lacks this one.",
			views:  []reservation.View{view("memory@kea1", unlisted)},
			in:     in(ip(50)),
			want: plan{
				State: reservation.HookMissing, Message: "server kea1 does not load libdhcp_subnet_cmds.so, so 10.123.0.0/24 cannot be looked up: " +
					"load it in hooks-libraries, or name the subnet by subnetId",
				Address: "10.123.0.50", Servers: []string{"kea1 HookMissing"},
			},
		},
		"OnOneOfTwo": {
			reason: "A server may lack a subnet that another one has: the other gets the reservation.",
			views:  []reservation.View{view("memory@kea1", noSubnet(other)), view("memory@kea2")},
			in:     in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps: []string{"add memory@kea2 10.123.0.50"}, Servers: []string{"kea2 Pending", "kea1 SubnetNotFound"},
			},
		},
		"OnNeitherOfTwo": {
			reason: "If no server has it, the first that can list its subnets says so.",
			views:  []reservation.View{view("memory@kea1", unlisted), view("memory@kea2", noSubnet(other))},
			in:     in(ip(50)),
			want: plan{
				State: reservation.SubnetNotFound, Message: "server kea2 has no 10.123.0.0/24; it has 10.9.0.0/16 (subnet-id 7)",
				Address: "10.123.0.50", Servers: []string{"kea1 HookMissing", "kea2 SubnetNotFound"},
			},
		},
		"OtherID": {
			reason: "Each server gets the subnet-id that the prefix has there.",
			views: []reservation.View{
				view("memory@kea1"), view("memory@kea2", func(v *reservation.View) { v.Subnet.ID = 20 }),
			},
			in: in(ip(50)),
			want: plan{
				State: reservation.Pending, Message: "not in Kea yet", Address: "10.123.0.50",
				Steps:   []string{"add memory@kea1 10.123.0.50", "add memory@kea2 10.123.0.50"},
				Servers: []string{"kea1 Pending", "kea2 Pending"},
			},
		},
	})
}
