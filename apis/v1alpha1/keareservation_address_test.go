// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"testing"
)

const (
	wantAddress   = "ipAddress must be an IPv4 address: write for example 10.123.0.50, or leave it out to reserve the address of the device's lease"
	wantSpecial   = "Kea reserves neither 0.0.0.0 nor 255.255.255.255: write for example 10.123.0.50, or leave ipAddress out to reserve the address of the device's lease"
	wantInside    = "ipAddress is not inside subnet: choose an address of that subnet, or leave ipAddress out to reserve the address of the device's lease"
	wantNetwork   = "ipAddress is the network address of subnet: choose a host address"
	wantBroadcast = "ipAddress is the broadcast address of subnet: choose a host address"
)

func TestKeaReservationIPAddressSyntax(t *testing.T) {
	cases := map[string]check{
		"Usual":        {reason: "The usual one.", object: "10.123.0.50"},
		"Longest":      {reason: "The longest way to write one.", object: "255.255.255.254"},
		"IPv6":         {reason: "The reservations are DHCPv4's.", object: "2001:db8::1", want: wantAddress},
		"LongIPv6":     {reason: "Longer than any IPv4 address, and refused in the same words.", object: "2001:0db8:0123:4567:89ab:cdef:0123:4567", want: wantAddress},
		"MappedIPv4":   {reason: "An IPv6 way to write an IPv4 address.", object: "::ffff:10.123.0.50", want: wantAddress},
		"LeadingZeros": {reason: "Some read them as octal.", object: "010.123.000.050", want: wantAddress},
		"ThreeBytes":   {reason: "inet_aton took it.", object: "10.123.50", want: wantAddress},
		"TooBig":       {reason: "A byte ends at 255.", object: "10.123.0.256", want: wantAddress},
		"Prefix":       {reason: "An address has no length.", object: "10.123.0.50/24", want: wantAddress},
		"Blank":        {reason: "A stray blank.", object: "10.123.0.50 ", want: wantAddress},
		"Rubbish":      {reason: "A name is no address.", object: "vm01.example.com", want: wantAddress},
		"Empty":        {reason: "Leaving it out says the same, and says it clearly.", object: "", want: wantAddress},
		"Zero":         {reason: "Kea refuses it.", object: "0.0.0.0", want: wantSpecial},
		"Broadcast":    {reason: "Kea refuses it.", object: "255.255.255.255", want: wantSpecial},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			try(t, reservation(t, fmt.Sprintf(`{subnetId: 1, hwAddress: "00:02:12:34:56:78", ipAddress: "%s"}`, c.object)), c)
		})
	}
}

func TestKeaReservationIPAddressInSubnet(t *testing.T) {
	type args struct{ subnet, ipAddress string }
	cases := map[string]struct {
		reason string
		args   args
		want   string
		more   bool
	}{
		"24":            {reason: "A host.", args: args{"10.123.0.0/24", "10.123.0.50"}},
		"24First":       {reason: "The first host.", args: args{"10.123.0.0/24", "10.123.0.1"}},
		"24Last":        {reason: "The last host.", args: args{"10.123.0.0/24", "10.123.0.254"}},
		"24Network":     {reason: "The subnet itself.", args: args{"10.123.0.0/24", "10.123.0.0"}, want: wantNetwork},
		"24Broadcast":   {reason: "All of it.", args: args{"10.123.0.0/24", "10.123.0.255"}, want: wantBroadcast},
		"24Below":       {reason: "The address before.", args: args{"10.123.0.0/24", "10.122.255.254"}, want: wantInside},
		"24Above":       {reason: "The first address after.", args: args{"10.123.0.0/24", "10.123.1.0"}, want: wantInside},
		"24Elsewhere":   {reason: "Another subnet's broadcast address is not this one's.", args: args{"10.123.0.0/24", "10.124.0.255"}, want: wantInside},
		"16":            {reason: "A host.", args: args{"10.123.0.0/16", "10.123.200.50"}},
		"16Inner0":      {reason: "Ends in 0 and is a host.", args: args{"10.123.0.0/16", "10.123.1.0"}},
		"16Inner255":    {reason: "Ends in 255 and is a host.", args: args{"10.123.0.0/16", "10.123.0.255"}},
		"16Network":     {reason: "The subnet itself.", args: args{"10.123.0.0/16", "10.123.0.0"}, want: wantNetwork},
		"16Broadcast":   {reason: "All of it.", args: args{"10.123.0.0/16", "10.123.255.255"}, want: wantBroadcast},
		"23Middle":      {reason: "Would be a /24's broadcast address.", args: args{"10.122.0.0/23", "10.122.0.255"}},
		"23Broadcast":   {reason: "All of it.", args: args{"10.122.0.0/23", "10.122.1.255"}, want: wantBroadcast},
		"29":            {reason: "The last host.", args: args{"10.123.0.8/29", "10.123.0.14"}},
		"29Network":     {reason: "The subnet itself.", args: args{"10.123.0.8/29", "10.123.0.8"}, want: wantNetwork},
		"29Broadcast":   {reason: "All of it.", args: args{"10.123.0.8/29", "10.123.0.15"}, want: wantBroadcast},
		"29Below":       {reason: "The address before.", args: args{"10.123.0.8/29", "10.123.0.7"}, want: wantInside},
		"29Above":       {reason: "The first address after.", args: args{"10.123.0.8/29", "10.123.0.16"}, want: wantInside},
		"30":            {reason: "One of the two hosts.", args: args{"10.123.0.4/30", "10.123.0.6"}},
		"30Network":     {reason: "The subnet itself.", args: args{"10.123.0.4/30", "10.123.0.4"}, want: wantNetwork},
		"30Broadcast":   {reason: "All of it.", args: args{"10.123.0.4/30", "10.123.0.7"}, want: wantBroadcast},
		"31Lower":       {reason: "Both are hosts (RFC 3021).", args: args{"10.123.0.4/31", "10.123.0.4"}},
		"31Upper":       {reason: "Both are hosts (RFC 3021).", args: args{"10.123.0.4/31", "10.123.0.5"}},
		"31Above":       {reason: "The first address after.", args: args{"10.123.0.4/31", "10.123.0.6"}, want: wantInside},
		"32":            {reason: "The one address is a host.", args: args{"10.123.0.5/32", "10.123.0.5"}},
		"32Other":       {reason: "There is but one.", args: args{"10.123.0.5/32", "10.123.0.4"}, want: wantInside},
		"0":             {reason: "A host.", args: args{"0.0.0.0/0", "10.123.0.255"}},
		"0Network":      {reason: "The subnet itself, and nobody's anyway.", args: args{"0.0.0.0/0", "0.0.0.0"}, want: wantNetwork, more: true},
		"0Broadcast":    {reason: "All of it, and nobody's anyway.", args: args{"0.0.0.0/0", "255.255.255.255"}, want: wantBroadcast, more: true},
		"1Broadcast":    {reason: "All of half of it.", args: args{"0.0.0.0/1", "127.255.255.255"}, want: wantBroadcast},
		"8Broadcast":    {reason: "All of it.", args: args{"10.0.0.0/8", "10.255.255.255"}, want: wantBroadcast},
		"LastBroadcast": {reason: "The largest numbers there are.", args: args{"255.255.255.0/24", "255.255.255.255"}, want: wantBroadcast, more: true},
		"BadAddress":    {reason: "What is no address is not called outside.", args: args{"10.123.0.0/24", "10.123.0.050"}, want: wantAddress},
		"IPv6Address":   {reason: "What is no IPv4 address is not called outside.", args: args{"10.123.0.0/24", "2001:db8::1"}, want: wantAddress},
		"BadSubnet":     {reason: "Nothing is said of an address in what is no subnet.", args: args{"10.123.0.0", "10.123.0.50"}, want: wantPrefix},
		"IPv6Subnet":    {reason: "Nothing is said of an address in what is no IPv4 subnet.", args: args{"2001:db8::/24", "10.123.0.50"}, want: wantPrefix},
		"BothIPv6":      {reason: "Both have to be told.", args: args{"2001:db8::/64", "2001:db8::1"}, want: wantPrefix, more: true},
		"HostBits":      {reason: "The address that was written for the subnet is a host's.", args: args{"10.123.0.5/24", "10.123.0.5"}, want: wantMasked},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			u := reservation(t, fmt.Sprintf(`{subnet: "%s", ipAddress: "%s", hwAddress: "00:02:12:34:56:78"}`, c.args.subnet, c.args.ipAddress))
			try(t, u, check{reason: c.reason, want: c.want, more: c.more})
		})
	}
}
