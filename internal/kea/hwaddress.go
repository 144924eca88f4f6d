// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// macBytes is the length of an Ethernet hardware address. Kea itself accepts any length silently,
// and such a host never matches a client.
const macBytes = 6

// HWAddress is a hardware address as Kea writes it: lower case, colons between the bytes
// ("00:02:12:34:56:78"). It is comparable and can be a map key. One that ParseHWAddress returned
// has exactly six bytes; one read from a server is what that server has, which may be anything.
type HWAddress string

// String returns the address as Kea writes it.
func (a HWAddress) String() string { return string(a) }

// ParseHWAddress reads a six-byte hardware address written with colons, dashes
// ("00-02-12-34-56-78") or Cisco dots ("0002.1234.5678"), in either case. An address without
// separators is refused: Kea accepts one silently, and the same twelve digits can be another kind
// of identifier.
func ParseHWAddress(s string) (HWAddress, error) {
	if isCanonical(s) { // as nearly all are, and it is asked often
		return HWAddress(s), nil
	}
	groups, digits, err := splitHWAddress(s)
	if err != nil {
		return "", err
	}
	for _, g := range groups {
		if len(g) != digits {
			return "", fmt.Errorf("cannot read %q as a hardware address: each part needs %d hex digits, as in 00:02:12:34:56:78", s, digits)
		}
	}
	raw, err := hex.DecodeString(strings.Join(groups, ""))
	if err != nil {
		return "", fmt.Errorf("cannot read %q as a hardware address: only hex digits are allowed, as in 00:02:12:34:56:78", s)
	}
	if len(raw) != macBytes {
		return "", fmt.Errorf("cannot read %q as a hardware address: it has %d bytes, an Ethernet address has %d", s, len(raw), macBytes)
	}
	return formatHWAddress(raw), nil
}

// isCanonical reports whether an address is one of six bytes as Kea writes it.
func isCanonical(s string) bool {
	if len(s) != 3*macBytes-1 {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case i%3 == 2 && c != ':', i%3 != 2 && (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return true
}

// splitHWAddress splits an address at its separator and returns how many digits each part must
// have.
func splitHWAddress(s string) ([]string, int, error) {
	switch {
	case s == "":
		return nil, 0, errors.New("cannot read an empty string as a hardware address")
	case strings.Contains(s, ":"):
		return strings.Split(s, ":"), 2, nil
	case strings.Contains(s, "-"):
		return strings.Split(s, "-"), 2, nil
	case strings.Contains(s, "."):
		return strings.Split(s, "."), 4, nil
	default:
		return nil, 0, fmt.Errorf("cannot read %q as a hardware address: write it with colons, as in 00:02:12:34:56:78", s)
	}
}

func formatHWAddress(raw []byte) HWAddress {
	parts := make([]string, len(raw))
	for i, b := range raw {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return HWAddress(strings.Join(parts, ":"))
}
