// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strings"
	"testing"
)

// Messages that several tests want. Each tells what to write instead.
const (
	wantOneSubnet = "set exactly one of subnet (for example 10.123.0.0/24) and subnetId (for example 1)"
	wantMAC       = "hwAddress must be six bytes in hexadecimal, separated by colons or dashes: write for example 00:02:12:34:56:78"
	wantPrefix    = "subnet must be an IPv4 prefix: write it as address/length, for example 10.123.0.0/24"
	wantMasked    = "subnet has host bits set: write the network address, for example 10.123.0.0/24 and not 10.123.0.5/24"
	wantHostname  = "hostname must be a DNS name: labels of at most 63 letters, digits, dashes and underscores, separated by dots: write for example vm01.example.com"
	wantServer    = "nextServer must be an IPv4 address: write for example 10.0.0.5"
	wantOption    = "an option needs a name or a code: write for example name: domain-name-servers, or code: 6"
)

func TestKeaReservationSubnetAndDevice(t *testing.T) {
	cases := map[string]check{
		"Subnet":          {reason: "A prefix and a MAC are all that is needed.", object: `{subnet: 10.123.0.0/24, hwAddress: "00:02:12:34:56:78"}`},
		"SubnetID":        {reason: "Kea's own id does as well.", object: `{subnetId: 1, hwAddress: "00:02:12:34:56:78"}`},
		"Both":            {reason: "The two might differ.", object: `{subnet: 10.123.0.0/24, subnetId: 1, hwAddress: "00:02:12:34:56:78"}`, want: wantOneSubnet},
		"Neither":         {reason: "A MAC may be in several subnets.", object: `{hwAddress: "00:02:12:34:56:78"}`, want: wantOneSubnet},
		"SubnetIDZero":    {reason: "Kea keeps 0 for global reservations.", object: `{subnetId: 0, hwAddress: "00:02:12:34:56:78"}`, want: "greater than or equal to 1"},
		"SubnetIDLargest": {reason: "Kea's largest id.", object: `{subnetId: 4294967294, hwAddress: "00:02:12:34:56:78"}`},
		"SubnetIDTooBig":  {reason: "Kea keeps it to itself.", object: `{subnetId: 4294967295, hwAddress: "00:02:12:34:56:78"}`, want: "less than or equal to 4294967294"},
		"NoMAC":           {reason: "A reservation is for a device.", object: `{subnetId: 1}`, want: "hwAddress: Required value"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, reservation(t, c.object), c) })
	}
}

func TestKeaReservationHWAddressSyntax(t *testing.T) {
	cases := map[string]check{
		"Lower":        {reason: "As Kea writes it.", object: "00:02:12:ab:cd:ef"},
		"Upper":        {reason: "As some labels have it.", object: "00:02:12:AB:CD:EF"},
		"Dashes":       {reason: "As Windows writes it.", object: "00-02-12-AB-cd-ef"},
		"Empty":        {reason: "No device.", object: "", want: wantMAC},
		"NoSeparators": {reason: "Too easily mistyped.", object: "000212abcdef", want: wantMAC},
		"Cisco":        {reason: "Not one of the two ways that are taken.", object: "0002.12ab.cdef", want: wantMAC},
		"Mixed":        {reason: "One separator or the other.", object: "00:02-12:ab:cd:ef", want: wantMAC},
		"FiveBytes":    {reason: "A byte was lost.", object: "00:02:12:ab:cd", want: wantMAC},
		"EightBytes":   {reason: "An EUI-64 is no Ethernet address.", object: "00:02:12:ff:fe:ab:cd:ef", want: wantMAC},
		"InfiniBand":   {reason: "The longest that Kea has.", object: "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01", want: wantMAC},
		"OneDigit":     {reason: "As Solaris writes it.", object: "0:2:12:ab:cd:ef", want: wantMAC},
		"NotHex":       {reason: "g is no digit.", object: "00:02:12:ab:cd:eg", want: wantMAC},
		"Space":        {reason: "A stray blank.", object: " 00:02:12:ab:cd:ef", want: wantMAC},
		"SecondLine":   {reason: "The whole value counts, not one line of it.", object: `00:02:12:ab:cd:ef\n`, want: wantMAC},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, reservation(t, fmt.Sprintf(`{subnetId: 1, hwAddress: "%s"}`, c.object)), c) })
	}
}

func TestKeaReservationSubnetSyntax(t *testing.T) {
	cases := map[string]check{
		"24":           {reason: "The usual one.", object: "10.123.0.0/24"},
		"32":           {reason: "One address.", object: "10.123.0.5/32"},
		"31":           {reason: "A link (RFC 3021).", object: "10.123.0.4/31"},
		"0":            {reason: "Every address; Kea takes it.", object: "0.0.0.0/0"},
		"Longest":      {reason: "The longest way to write one.", object: "255.255.255.252/30"},
		"IPv6":         {reason: "The reservations are DHCPv4's.", object: "2001:db8::/64", want: wantPrefix},
		"LongIPv6":     {reason: "Longer than any IPv4 prefix, and refused in the same words.", object: "2001:0db8:0123:4567:89ab:cdef:0000:0000/112", want: wantPrefix},
		"MappedIPv4":   {reason: "An IPv6 way to write an IPv4 prefix.", object: "::ffff:10.123.0.0/120", want: wantPrefix},
		"HostBits":     {reason: "Kea knows the subnet by its network address.", object: "10.123.0.5/24", want: wantMasked},
		"HostBits31":   {reason: "The same for the smallest bit.", object: "10.123.0.5/31", want: wantMasked},
		"HostBits0":    {reason: "The same for the largest subnet.", object: "10.0.0.0/0", want: wantMasked},
		"NoLength":     {reason: "The length is not guessed.", object: "10.123.0.0", want: wantPrefix},
		"EmptyLength":  {reason: "The length is not guessed.", object: "10.123.0.0/", want: wantPrefix},
		"LengthTooBig": {reason: "IPv4 has 32 bits.", object: "10.123.0.0/33", want: wantPrefix},
		"Netmask":      {reason: "A netmask is no length.", object: "10.123.0.0/255.255.255.0", want: wantPrefix},
		"LeadingZeros": {reason: "Some read them as octal.", object: "010.123.000.000/24", want: wantPrefix},
		"Short":        {reason: "As some routers write it.", object: "10.123/16", want: wantPrefix},
		"Rubbish":      {reason: "A name is no prefix.", object: "office", want: wantPrefix},
		"Empty":        {reason: "A template's empty variable.", object: "", want: wantPrefix},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			try(t, reservation(t, fmt.Sprintf(`{subnet: "%s", hwAddress: "00:02:12:34:56:78"}`, c.object)), c)
		})
	}
}

func TestKeaReservationOtherFields(t *testing.T) {
	label := strings.Repeat("a", 63)
	options := func(n int) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, "{code: %d}, ", i+1)
		}
		return "optionData: [" + out.String() + "]"
	}
	cases := map[string]check{
		"Hostname":              {reason: "The usual one.", object: `hostname: vm01`},
		"HostnameFull":          {reason: "With a domain.", object: `hostname: vm01.Example.com.`},
		"HostnameUnderscore":    {reason: "Some clients send it.", object: `hostname: _vm_01`},
		"HostnameEmpty":         {reason: "It says: no hostname.", object: `hostname: ""`},
		"HostnameLongestLabel":  {reason: "DNS allows 63 bytes.", object: `hostname: ` + label},
		"HostnameLabelTooLong":  {reason: "DNS allows 63 bytes.", object: `hostname: a` + label, want: wantHostname},
		"HostnameBlank":         {reason: "No blanks in DNS.", object: `hostname: "vm 01"`, want: wantHostname},
		"HostnameDash":          {reason: "No dash at an end.", object: `hostname: vm01-`, want: wantHostname},
		"HostnameEmptyLabel":    {reason: "No label is empty.", object: `hostname: vm01..com`, want: wantHostname},
		"HostnameTooLong":       {reason: "DNS allows 253 bytes.", object: `hostname: ` + strings.Repeat("a.", 127) + "a", want: "hostname: Too long: may not be more than 253 bytes"},
		"NoClasses":             {reason: "It says: none at all.", object: `clientClasses: []`},
		"Classes":               {reason: "The usual ones.", object: `clientClasses: [gold, VENDOR_CLASS_x]`},
		"EmptyClass":            {reason: "A class has a name.", object: `clientClasses: [""]`, want: "clientClasses[0] in body should be at least 1 chars long"},
		"TooManyClasses":        {reason: "64 are enough.", object: `clientClasses: [` + strings.Repeat("a, ", 65) + `]`, want: "must have at most 64 items"},
		"NoOptions":             {reason: "It says: none.", object: `optionData: []`},
		"OptionByName":          {reason: "As Kea names it.", object: `optionData: [{name: domain-name-servers, data: 10.0.0.2}]`},
		"OptionByCode":          {reason: "For one that has no name.", object: `optionData: [{code: 254, space: dhcp4, data: "0A00", alwaysSend: true, csvFormat: false}]`},
		"OptionByBoth":          {reason: "Kea takes both.", object: `optionData: [{name: routers, code: 3, data: 10.0.0.1}]`},
		"OptionNoData":          {reason: "There are options without data.", object: `optionData: [{name: rapid-commit}]`},
		"OptionByNeither":       {reason: "It is not known which.", object: `optionData: [{data: 10.0.0.2}]`, want: wantOption},
		"OptionEmptyName":       {reason: "An empty name names nothing.", object: `optionData: [{name: "", data: x}]`, want: "should be at least 1 chars long"},
		"OptionCodeZero":        {reason: "0 is padding.", object: `optionData: [{code: 0, data: x}]`, want: "should be greater than or equal to 1"},
		"OptionCode255":         {reason: "255 is the end.", object: `optionData: [{code: 255, data: x}]`, want: "should be less than or equal to 254"},
		"OptionDataLongest":     {reason: "The limit.", object: `optionData: [{code: 6, data: ` + strings.Repeat("a", 4096) + `}]`},
		"OptionDataTooLong":     {reason: "Over the limit.", object: `optionData: [{code: 6, data: ` + strings.Repeat("a", 4097) + `}]`, want: "may not be more than 4096 bytes"},
		"OptionsMost":           {reason: "The limit.", object: options(64)},
		"OptionsTooMany":        {reason: "Over the limit.", object: options(65), want: "must have at most 64 items"},
		"NextServer":            {reason: "The usual one.", object: `nextServer: 10.0.0.5`},
		"NextServerEmpty":       {reason: "It says: none.", object: `nextServer: ""`},
		"NextServerIPv6":        {reason: "siaddr has 4 bytes.", object: `nextServer: "2001:0db8:0123:4567:89ab:cdef:0000:0000"`, want: wantServer},
		"NextServerName":        {reason: "siaddr has 4 bytes.", object: `nextServer: boot.example.com`, want: wantServer},
		"ServerHostnameLongest": {reason: "sname has 64 bytes with its end.", object: `serverHostname: ` + label},
		"ServerHostnameTooLong": {reason: "sname has 64 bytes with its end.", object: `serverHostname: a` + label, want: "may not be more than 63 bytes"},
		"BootFileNameLongest":   {reason: "file has 128 bytes with its end.", object: `bootFileName: a` + label + label},
		"BootFileNameTooLong":   {reason: "file has 128 bytes with its end.", object: `bootFileName: aa` + label + label, want: "may not be more than 127 bytes"},
		"EveryEmpty":            {reason: "Empty says: none.", object: `hostname: "", clientClasses: [], optionData: [], nextServer: "", serverHostname: "", bootFileName: ""`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			try(t, inSubnet1(t, c.object), c)
		})
	}
}
