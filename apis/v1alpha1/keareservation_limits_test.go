// SPDX-License-Identifier: Apache-2.0

package v1alpha1_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

const (
	wantClassBytes   = "the names of clientClasses may not be more than 255 bytes altogether, with a comma between each two: Kea's hosts-database keeps no more; use fewer classes or shorter names"
	wantClassName    = "the name of a class may have neither a comma nor a control character: name each class in an entry of its own"
	wantClassBlank   = "the name of a class may not begin or end with a blank: Kea removes it"
	wantClassOnce    = "clientClasses must differ: name each class once"
	wantOptionOnce   = "two entries of optionData for one option must differ in data or in clientClasses: remove one of them"
	wantOptionName   = "an option's name has no blanks: write for example domain-name-servers"
	wantOptionSpace  = "space must be a DHCPv4 option space, letters, digits, dashes and underscores: write for example vendor-4491, or leave it out for dhcp4"
	wantOptionHex    = "data must be hexadecimal digits if csvFormat is false: write for example 0a000002, or leave csvFormat out to write values"
	wantOptionLength = "data may have at most 253 bytes if csvFormat is false: define the option in Kea (option-def) to write longer data as values"
	wantOptionBytes  = "data may not be more than 4096 bytes: letters outside ASCII have two to four"
	wantOptionNull   = "data may not have a null character: Kea's hosts-database would cut it off there"
	wantFileBytes    = "bootFileName may not be more than 127 bytes: letters outside ASCII have two to four"
	wantFileControl  = "bootFileName may not have a control character: write for example pxelinux.0"
	wantServerBytes  = "serverHostname may not be more than 63 bytes: letters outside ASCII have two to four"
	wantServerNoCtrl = "serverHostname may not have a control character: write for example boot.example.com"
	wantNextServer   = "Kea refuses 255.255.255.255 as nextServer: write for example 10.0.0.5"
)

// The limits of DHCP's header fields are bytes, and so are those of Kea. Each was tried on Kea 3.0.3.
func TestKeaReservationBootFieldLimits(t *testing.T) {
	e := func(n int) string { return strings.Repeat("é", n) } // two bytes each
	cases := map[string]check{
		"FileBytes":         {reason: "127 bytes in 64 letters.", object: `bootFileName: "a` + e(63) + `"`},
		"FileTooManyBytes":  {reason: "128 bytes in 64 letters: Kea refuses it.", object: `bootFileName: "` + e(64) + `"`, want: wantFileBytes},
		"FileBlank":         {reason: "A blank is a letter as any other.", object: `bootFileName: "a b"`},
		"FileNewline":       {reason: "A template's stray end of line.", object: `bootFileName: "pxelinux.0\n"`, want: wantFileControl},
		"FileNull":          {reason: "PostgreSQL keeps what is before it.", object: `bootFileName: "a\0b"`, want: wantFileControl},
		"ServerBytes":       {reason: "63 bytes in 32 letters.", object: `serverHostname: "a` + e(31) + `"`},
		"ServerTooMany":     {reason: "64 bytes in 32 letters: Kea refuses it.", object: `serverHostname: "` + e(32) + `"`, want: wantServerBytes},
		"ServerNull":        {reason: "PostgreSQL keeps what is before it.", object: `serverHostname: "a\0b"`, want: wantServerNoCtrl},
		"NextServerAll":     {reason: "Kea refuses it.", object: `nextServer: 255.255.255.255`, want: wantNextServer},
		"NextServerAllButA": {reason: "Kea takes it.", object: `nextServer: 255.255.255.254`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, inSubnet1(t, c.object), c) })
	}
}

// A longer list is refused by PostgreSQL after the update has deleted the host.
func TestKeaReservationClientClassLimits(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	cases := map[string]check{
		"Bytes":         {reason: "127 + 1 + 127 are 255.", object: fmt.Sprintf("[%s, b%s]", a(127), a(126))},
		"TooMany":       {reason: "127 + 1 + 128 are 256.", object: fmt.Sprintf("[%s, %s]", a(127), a(128)), want: wantClassBytes},
		"Letters":       {reason: "127 letters of two bytes are 254.", object: `["` + strings.Repeat("é", 127) + `"]`},
		"LettersMany":   {reason: "128 letters of two bytes are 256.", object: `["` + strings.Repeat("é", 128) + `"]`, want: wantClassBytes},
		"LettersMost":   {reason: "63 letters of four bytes, a comma, two bytes: 255.", object: fmt.Sprintf(`["%s", ab]`, strings.Repeat("😀", 63))},
		"LettersExceed": {reason: "63 letters of four bytes, a comma, three bytes: 256.", object: fmt.Sprintf(`["%s", abc]`, strings.Repeat("😀", 63)), want: wantClassBytes},
		"Ten":           {reason: "Ten of 40 are 409 with their commas.", object: "[" + ten(40) + "]", want: wantClassBytes},
		"TenShorter":    {reason: "Ten of 24 are 249 with their commas.", object: "[" + ten(24) + "]"},
		"Comma":         {reason: "A hosts-database returns two classes.", object: `["a,b"]`, want: wantClassName},
		"Null":          {reason: "A hosts-database cuts the name off.", object: `["a\0b"]`, want: wantClassName},
		"Inner":         {reason: "Kea keeps a blank inside a name.", object: `["a b"]`},
		"Leading":       {reason: "Kea removes it.", object: `[" a"]`, want: wantClassBlank},
		"Trailing":      {reason: "Kea removes it.", object: `["a "]`, want: wantClassBlank},
		"Twice":         {reason: "Kea keeps one.", object: `[a, b, a]`, want: wantClassOnce},
		"OtherCase":     {reason: "Two classes.", object: `[a, A]`},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, inSubnet1(t, "clientClasses: "+c.object), c) })
	}
}

// ten returns ten names of n letters.
func ten(n int) string {
	names := make([]string, 10)
	for i := range names {
		names[i] = strings.Repeat("c", n-1) + strconv.Itoa(i)
	}
	return strings.Join(names, ", ")
}

func TestKeaReservationOptionTwice(t *testing.T) {
	long := func(n int, last string) string {
		var out strings.Builder
		for i := range n {
			fmt.Fprintf(&out, "{code: 125, data: %s%0*d%s}, ", strings.Repeat("a", 4090), 4, i, last)
		}
		return "[" + out.String() + "]"
	}
	cases := map[string]check{
		"Data":         {reason: "Two vendors' options of one code.", object: `[{code: 125, data: "2234"}, {code: 125, data: "3561"}]`},
		"Classes":      {reason: "One for a class, one for the others.", object: `[{name: routers, data: 10.0.0.1}, {name: routers, data: 10.0.0.1, clientClasses: [gold]}]`},
		"ClassOrder":   {reason: "Kea keeps the order.", object: `[{name: routers, clientClasses: [a, b]}, {name: routers, clientClasses: [b, a]}]`},
		"OtherSpace":   {reason: "Two options.", object: `[{code: 1, data: "01"}, {code: 1, data: "01", space: vendor-4491}]`},
		"OtherCode":    {reason: "Two options.", object: `[{code: 1, data: "01"}, {code: 2, data: "01"}]`},
		"NameAndCode":  {reason: "Only Kea knows that they are one.", object: `[{code: 3, data: 10.0.0.1}, {name: routers, data: 10.0.0.1}]`},
		"Name":         {reason: "The second one says nothing.", object: `[{name: routers, data: 10.0.0.1}, {name: routers, data: 10.0.0.1}]`, want: wantOptionOnce},
		"Code":         {reason: "The second one says nothing.", object: `[{code: 3, data: 10.0.0.1}, {code: 3, data: 10.0.0.1}]`, want: wantOptionOnce},
		"CodeOfBoth":   {reason: "The code tells.", object: `[{code: 3, name: routers}, {code: 3}]`, want: wantOptionOnce},
		"DefaultSpace": {reason: "dhcp4 is the default.", object: `[{code: 3, space: dhcp4}, {code: 3}, {code: 4}]`, want: wantOptionOnce},
		"EmptySpace":   {reason: "dhcp4 is the default.", object: `[{code: 3, space: ""}, {code: 3, space: dhcp4}]`, want: wantOptionOnce},
		"NoData":       {reason: "Empty data is no data.", object: `[{code: 80, data: ""}, {code: 80}]`, want: wantOptionOnce},
		"NoClasses":    {reason: "An empty list is no list.", object: `[{code: 80, clientClasses: []}, {code: 80}]`, want: wantOptionOnce},
		"AlwaysSend":   {reason: "Kea sends the first.", object: `[{code: 80, alwaysSend: true}, {code: 80, alwaysSend: false}]`, want: wantOptionOnce},
		"NeverSend":    {reason: "Kea uses the first.", object: `[{code: 80, neverSend: true}, {code: 80}]`, want: wantOptionOnce},
		"Longest":      {reason: "Rules cost, and this is affordable.", object: long(32, "bb")},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, inSubnet1(t, "optionData: "+c.object), c) })
	}
}

func TestKeaReservationOptionFields(t *testing.T) {
	hex := func(n int) string { return strings.Repeat("0A", n) }
	separated := func(n int, by string) string { return strings.Repeat("0a"+by, n-1) + "0a" }
	raw := func(data string) string { return `code: 222, csvFormat: false, data: "` + data + `"` }
	cases := map[string]check{
		"NameBlank":      {reason: "Kea refuses it.", object: `name: domain name servers`, want: wantOptionName},
		"SpaceVendor":    {reason: "A vendor's.", object: `code: 1, space: vendor-4491`},
		"SpaceOneLetter": {reason: "One's own.", object: `code: 1, space: x`},
		"SpaceEmpty":     {reason: "The default.", object: `code: 1, space: ""`},
		"SpaceBlank":     {reason: "Kea refuses it.", object: `code: 1, space: "my space"`, want: wantOptionSpace},
		"SpaceDash":      {reason: "Kea refuses it.", object: `code: 1, space: -x`, want: wantOptionSpace},
		"SpaceDot":       {reason: "Kea refuses it.", object: `code: 1, space: a.b`, want: wantOptionSpace},
		"SpaceDHCPv6":    {reason: "Kea refuses it.", object: `code: 1, space: dhcp6`, want: wantOptionSpace},
		"NeverSend":      {reason: "It needs no data.", object: `name: routers, neverSend: true`},
		"Classes":        {reason: "For some only.", object: `name: routers, data: 10.0.0.1, clientClasses: [gold, silver]`},
		"ClassTwice":     {reason: "Kea keeps one.", object: `name: routers, clientClasses: [gold, gold]`, want: "an option's clientClasses must differ: name each class once"},
		"ClassEmpty":     {reason: "A class has a name.", object: `name: routers, clientClasses: [""]`, want: "at least 1 chars long"},
		"DataBytes":      {reason: "4096 bytes in 2048 letters.", object: `code: 15, data: "` + strings.Repeat("é", 2048) + `"`},
		"DataTooMany":    {reason: "4097 bytes in 2049 letters.", object: `code: 15, data: "a` + strings.Repeat("é", 2048) + `"`, want: wantOptionBytes},
		"DataNull":       {reason: "A hosts-database cuts it off.", object: `code: 67, data: "a\0b"`, want: wantOptionNull},
		"DataNewline":    {reason: "Some options are text.", object: `code: 67, data: "a\nb"`},

		"Hex":           {reason: "The usual way.", object: raw("0a000002")},
		"HexPrefix":     {reason: "Kea takes it.", object: raw("0xcafe")},
		"HexOdd":        {reason: "Kea puts a 0 before it.", object: raw("A0B")},
		"HexEmpty":      {reason: "No data.", object: raw("")},
		"HexColons":     {reason: "Kea takes it.", object: raw("0a:b:0C")},
		"HexBlanks":     {reason: "Kea takes it.", object: raw("0a b 0C")},
		"HexQuoted":     {reason: "Kea takes it as text.", object: raw("'héllo: w'")},
		"HexQuotedOut":  {reason: "Kea takes it as text.", object: raw(" 'hello' ")},
		"HexText":       {reason: "Kea refuses it.", object: raw("hello"), want: wantOptionHex},
		"HexAddress":    {reason: "Values need csvFormat.", object: raw("10.0.0.2"), want: wantOptionHex},
		"HexOnlyPrefix": {reason: "Kea refuses it.", object: raw("0x"), want: wantOptionHex},
		"HexUpperX":     {reason: "Kea refuses it.", object: raw("0X0a"), want: wantOptionHex},
		"HexColonEnd":   {reason: "Kea refuses it.", object: raw("0a:"), want: wantOptionHex},
		"HexMixed":      {reason: "Kea refuses it.", object: raw("0a0b:0c"), want: wantOptionHex},
		"HexTwoBlanks":  {reason: "Kea refuses it.", object: raw("0a  0b"), want: wantOptionHex},
		"HexNewline":    {reason: "Kea refuses it.", object: raw(`0a\n`), want: wantOptionHex},
		"HexQuotedNone": {reason: "Kea refuses it.", object: raw("''"), want: wantOptionHex},
		"CSVText":       {reason: "Values need not be digits.", object: `code: 222, csvFormat: true, data: hello`},
		"DefaultText":   {reason: "Only Kea knows whether it has a definition.", object: `code: 222, data: hello`},

		"HexMost":          {reason: "What a hosts-database takes.", object: raw(hex(253))},
		"HexTooMany":       {reason: "What a hosts-database refuses.", object: raw(hex(254)), want: wantOptionLength},
		"HexPrefixMost":    {reason: "The same with a prefix.", object: raw("0x" + hex(253))},
		"HexPrefixTooMany": {reason: "The same with a prefix.", object: raw("0x" + hex(254)), want: wantOptionLength},
		"HexOddTooMany":    {reason: "507 digits are 254 bytes.", object: raw("1" + hex(253)), want: wantOptionLength},
		"HexColonsMost":    {reason: "The same with colons.", object: raw(separated(253, ":"))},
		"HexColonsTooMany": {reason: "The same with colons.", object: raw(separated(254, ":")), want: wantOptionLength},
		"HexBlanksMost":    {reason: "The same with blanks.", object: raw(separated(253, " "))},
		"HexBlanksTooMany": {reason: "The same with blanks.", object: raw(separated(254, " ")), want: wantOptionLength},
		"HexQuotedMost":    {reason: "The same as text.", object: raw("'" + strings.Repeat("a", 253) + "'")},
		"HexQuotedTooMany": {reason: "The same as text.", object: raw("'" + strings.Repeat("a", 254) + "'"), want: wantOptionLength},
		"HexQuotedLetters": {reason: "254 bytes in 127 letters.", object: raw("'" + strings.Repeat("é", 127) + "'"), want: wantOptionLength},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) { try(t, inSubnet1(t, "optionData: [{"+c.object+"}]"), c) })
	}
}
