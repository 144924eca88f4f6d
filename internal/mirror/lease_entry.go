// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"encoding/binary"
	"hash/maphash"
	"net/netip"
	"strings"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// leaseEntry is a lease as it is kept. There may be as many as there are devices in the subnets of a
// server, most of which no resource asks for, so an entry is small and has no pointers; its hostname is
// not kept. All are kept nevertheless: which device has the address of a new resource, and which address
// a device has, is then known without asking Kea for each.
type leaseEntry struct {
	address  uint32
	subnetID uint32
	cltt     int64
	lifetime uint32
	state    uint16
	client   clientKind
	// device is what the hardware address is found by, see deviceOf.
	device uint64
}

// clientKind is how the client-id of an entry is kept; 0 if there is none.
type clientKind uint16

const (
	// hardwareClient is what most clients send: type 1, Ethernet, and the hardware address (RFC 2132,
	// section 9.14).
	hardwareClient clientKind = iota + 1
	// textClient is any other, and is in the table of texts.
	textClient
)

const hardwarePrefix = "01:"

// leaseTexts are those of an entry that cannot be made of the rest of it.
type leaseTexts struct {
	hw     kea.HWAddress
	client string
}

// Sizes in bytes, with the maps: see TestMemoryPerLease.
const (
	entryMemory      = 64
	textsEntryMemory = 96
)

// deviceOf returns what a hardware address is found by: the six bytes of an Ethernet address as a
// number, or else a hash, which is marked as one.
func deviceOf(hw kea.HWAddress) (device uint64, plain bool) {
	const hashed = 1 << 63
	plain = len(hw) == len(ethernet)
	for i := 0; i < len(hw) && plain; i++ {
		switch c := hw[i]; {
		case i%3 == 2: //nolint:mnd // After two digits.
			plain = c == ':'
		case '0' <= c && c <= '9':
			device = device<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			device = device<<4 | uint64(c-'a'+10) //nolint:mnd // Hexadecimal.
		default:
			plain = false
		}
	}
	if !plain {
		return maphash.String(seed, string(hw)) | hashed, false
	}
	return device, true
}

const ethernet = "00:00:00:00:00:00"

var seed = maphash.MakeSeed()

// hwOfDevice returns the Ethernet address of a number.
func hwOfDevice(device uint64) kea.HWAddress {
	const digits = "0123456789abcdef"
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], device)
	out := make([]byte, 0, len(ethernet))
	for i, b := range raw[2:] {
		if i > 0 {
			out = append(out, ':')
		}
		out = append(out, digits[b>>4], digits[b&0xf])
	}
	return kea.HWAddress(out)
}

// entryOf returns the entry of a lease, and the texts that it does not have; nil if it has all.
func entryOf(l *kea.Lease) (leaseEntry, *leaseTexts) {
	device, plain := deviceOf(l.HWAddress)
	e := leaseEntry{
		address: number(l.IPAddress), subnetID: l.SubnetID, cltt: l.CLTT.Unix(), lifetime: uint32(l.ValidLifetime / time.Second), //nolint:gosec // As Kea has it.
		state: uint16(l.State), device: device, //nolint:gosec // Active or declined.
	}
	switch {
	case l.ClientID == "":
	case plain && len(l.ClientID) == len(hardwarePrefix)+len(l.HWAddress) && l.ClientID[:len(hardwarePrefix)] == hardwarePrefix &&
		l.ClientID[len(hardwarePrefix):] == string(l.HWAddress):
		e.client = hardwareClient
	default:
		e.client = textClient
	}
	if plain && e.client != textClient {
		return e, nil
	}
	// Copies: those of a lease share the memory of one text.
	return e, &leaseTexts{hw: kea.HWAddress(strings.Clone(string(l.HWAddress))), client: strings.Clone(l.ClientID)}
}

// sameHolder reports whether two leases of an address are of the same device, and in the same state.
func (e *leaseEntry) sameHolder(o *leaseEntry) bool {
	return e.device == o.device && e.subnetID == o.subnetID && e.state == o.state
}

// lease returns the lease of an entry.
func (e *leaseEntry) lease(texts map[uint32]leaseTexts) kea.Lease {
	l := kea.Lease{
		IPAddress: addressOf(e.address), SubnetID: e.subnetID, State: int(e.state),
		CLTT: time.Unix(e.cltt, 0).UTC(), ValidLifetime: time.Duration(e.lifetime) * time.Second,
	}
	if t, ok := texts[e.address]; ok {
		l.HWAddress, l.ClientID = t.hw, t.client
		return l
	}
	l.HWAddress = hwOfDevice(e.device)
	if e.client == hardwareClient {
		l.ClientID = hardwarePrefix + string(l.HWAddress)
	}
	return l
}

// number returns an IPv4 address as one; 0 for any other.
func number(a netip.Addr) uint32 {
	if !a.Is4() {
		return 0
	}
	raw := a.As4()
	return binary.BigEndian.Uint32(raw[:])
}

func addressOf(n uint32) netip.Addr {
	var raw [4]byte
	binary.BigEndian.PutUint32(raw[:], n)
	return netip.AddrFrom4(raw)
}
