// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"math"
	"time"
)

// plainLease reads a lease of the form that Kea writes, with one allocation. False for any other
// value, which may be a lease nevertheless: parseLease decides then.
func plainLease(raw []byte) (Lease, bool) {
	var (
		l                  Lease
		hw, client, host   []byte
		subnet, state, lft uint64
		cltt               uint64
	)
	ok := eachMember(raw, func(name, value []byte) (ok bool) {
		switch string(name) {
		case memberIPAddress:
			var text []byte
			if text, ok = plain(value); ok {
				l.IPAddress, ok = address(text)
			}
		case memberHWAddress:
			hw, ok = plain(value)
			ok = ok && isLower(hw)
		case memberClientID:
			client, ok = plain(value)
		case memberHostname:
			host, ok = plain(value)
		case memberSubnetID:
			subnet, ok = number(value, math.MaxUint32)
		case "state":
			state, ok = number(value, math.MaxInt32)
		case "valid-lft":
			lft, ok = number(value, math.MaxUint32)
		case "cltt":
			cltt, ok = number(value, math.MaxInt64)
		default:
			// encoding/json takes names in any case for the same.
			ok = isLower(name)
		}
		return ok
	})
	if !ok || !l.IPAddress.IsValid() {
		return Lease{}, false
	}
	var buffer [128]byte // Most texts fit, and are copied once.
	text := string(append(append(append(buffer[:0], hw...), client...), host...))
	l.HWAddress, l.ClientID, l.Hostname = HWAddress(text[:len(hw)]), text[len(hw):len(hw)+len(client)], text[len(hw)+len(client):]
	l.SubnetID, l.State = uint32(subnet), int(state)
	l.CLTT, l.ValidLifetime = time.Unix(int64(cltt), 0).UTC(), time.Duration(lft)*time.Second
	return l, true
}
