// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"encoding/json"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strings"
)

// Host is a host reservation as a listing has it: what it is found by, and all of it as JSON. It takes
// a third of the memory of a Reservation, and can be parsed at any time. It is comparable, and can be
// used by several goroutines at once.
type Host struct {
	// SubnetID, HWAddress and IPAddress are those of the Reservation.
	SubnetID  uint32
	HWAddress HWAddress
	IPAddress netip.Addr

	// json is an object that reads as the reservation. Layout and what is not set are left out: half
	// of what Kea writes is members that have their defaults.
	json string
}

// HostOf returns a reservation as a Host. It must be one that can be written as JSON, as all are that
// were read from a server.
func HostOf(r *Reservation) Host {
	raw, err := r.MarshalJSON()
	if err != nil {
		raw = []byte("{}") // Reservation adds what it is found by.
	}
	if h, ok := compactHost(raw); ok {
		return h
	}
	return Host{SubnetID: r.SubnetID, HWAddress: r.HWAddress, IPAddress: r.IPAddress, json: string(raw)}
}

// Reservation parses the host. The result is the caller's.
func (h *Host) Reservation() Reservation {
	r := Reservation{SubnetID: h.SubnetID, HWAddress: h.HWAddress, IPAddress: h.IPAddress}
	if !eachMember([]byte(h.json), r.setMember) {
		r = Reservation{}
		// It has been parsed before, or checked for all that could fail.
		_ = json.Unmarshal([]byte(h.json), &r)
		r.SubnetID, r.HWAddress, r.IPAddress = h.SubnetID, h.HWAddress, h.IPAddress
	}
	return r
}

// setMember reads a member of the form that Kea writes. False for any other, and for one that it does
// not know: UnmarshalJSON reads them.
func (r *Reservation) setMember(name, value []byte) bool {
	switch string(name) {
	case memberSubnetID, memberHWAddress, memberIPAddress:
		return true // They are set already.
	case memberDUID:
		return setPlain(&r.DUID, value)
	case memberClientID:
		return setPlain(&r.ClientID, value)
	case memberCircuitID:
		return setPlain(&r.CircuitID, value)
	case memberFlexID:
		return setPlain(&r.FlexID, value)
	case memberHostname:
		return setPlain(&r.Hostname, value)
	case "next-server":
		return setPlain(&r.NextServer, value)
	case "server-hostname":
		return setPlain(&r.ServerHostname, value)
	case "boot-file-name":
		return setPlain(&r.BootFileName, value)
	case memberClientClasses:
		return json.Unmarshal(value, (*texts)(&r.ClientClasses)) == nil
	case memberOptionData:
		return json.Unmarshal(value, &r.OptionData) == nil
	case memberUserContext:
		return (*userContext)(&r.UserContext).UnmarshalJSON(value) == nil
	default:
		return false
	}
}

func setPlain(to *string, value []byte) bool {
	text, ok := plain(value)
	*to = string(text)
	return ok
}

// UserContext parses the user-context alone; nil if there is none.
func (h *Host) UserContext() map[string]any {
	if !strings.Contains(h.json, memberUserContext) {
		return nil
	}
	var out userContext
	ok := eachMember([]byte(h.json), func(name, value []byte) bool {
		return string(name) != memberUserContext || json.Unmarshal(value, &out) == nil
	})
	switch {
	case !ok:
		return h.Reservation().UserContext
	case len(out) == 0:
		return nil
	}
	return out
}

// Memory returns about how many bytes the host takes, with what finds it.
func (h *Host) Memory() int { return listedMemory + len(h.json) }

// Size returns how many bytes there are to parse.
func (h *Host) Size() int { return len(h.json) }

// Same reports whether two hosts are the same reservation, however they are written.
func (h *Host) Same(o *Host) bool {
	if h == o || *h == *o {
		return true
	}
	if h.SubnetID != o.SubnetID || h.HWAddress != o.HWAddress || h.IPAddress != o.IPAddress {
		return false
	}
	return reflect.DeepEqual(h.Reservation(), o.Reservation())
}

// compactHost returns the host of an object of the form that Kea writes. False for any other object,
// which may be a host nevertheless: decodeHost decides then.
func compactHost(raw []byte) (Host, bool) {
	if len(raw) > maxHost || checkDepth(raw) != nil {
		return Host{}, false
	}
	var (
		h      Host
		hw     span
		buffer [512]byte // Most hosts fit, and are copied once.
	)
	text := append(buffer[:0], '{')
	ok := eachMember(raw, func(name, value []byte) bool {
		keep, ok := checkMember(name, value, &h)
		if !ok || !keep {
			return ok
		}
		if len(text) > 1 {
			text = append(text, ',')
		}
		text = append(append(append(text, '"'), name...), '"', ':')
		from := len(text)
		text = appendCompact(text, value)
		if string(name) == memberHWAddress {
			hw = span{from + 1, len(text) - 1}
		}
		return true
	})
	if !ok {
		return Host{}, false
	}
	h.json = string(append(text, '}'))
	h.HWAddress = HWAddress(strings.ToLower(h.json[hw.from:hw.to]))
	return h, true
}

// span is a part of a text.
type span struct{ from, to int }

// checkMember reports whether a member of a host is of the form that Kea writes, and whether it is to
// be kept: what is not set is not. It notes in h what hosts are found by.
func checkMember(name, value []byte, h *Host) (keep, ok bool) {
	switch string(name) {
	case memberSubnetID:
		n, ok := number(value, math.MaxUint32)
		h.SubnetID = uint32(n) //nolint:gosec // Checked just above.
		return true, ok
	case memberIPAddress:
		return checkReserved(value, &h.IPAddress)
	case memberHWAddress, memberDUID, memberClientID, memberCircuitID, memberFlexID:
		text, ok := plain(value)
		return len(text) > 0, ok
	case "next-server":
		return isSetText(value) && string(value) != `"`+noAddress+`"`, isText(value)
	case memberHostname, "server-hostname", "boot-file-name":
		return isSetText(value), isText(value)
	case memberClientClasses:
		return hasEntries(value), eachItem(value, isText)
	case memberOptionData:
		return hasEntries(value), eachItem(value, isOption)
	case memberUserContext:
		return hasEntries(value), value[0] == '{'
	default:
		return true, true
	}
}

// checkReserved is checkMember for the address.
func checkReserved(value []byte, to *netip.Addr) (keep, ok bool) {
	text, ok := plain(value)
	if !ok || len(text) == 0 || string(text) == noAddress {
		return false, ok
	}
	*to, ok = address(text)
	return true, ok
}

// isSetText reports whether a text has any characters.
func isSetText(value []byte) bool { return !isNull(value) && string(value) != `""` }

// isText reports whether a value reads as a text.
func isText(value []byte) bool { return isString(value) || isNull(value) }

// hasEntries reports whether an object or a list has any.
func hasEntries(value []byte) bool { return skipBlanks(value, 1) < len(value)-1 }

// isOption reports whether a value is an option of the form that Kea writes.
func isOption(value []byte) bool {
	return eachMember(value, func(name, value []byte) bool {
		switch string(name) {
		case memberName, "space", "data":
			return isText(value)
		case "code":
			_, ok := number(value, math.MaxUint16)
			return ok
		case "always-send", "never-send", "csv-format":
			return slices.Contains([]string{"true", "false"}, string(value))
		case memberClientClasses:
			return eachItem(value, isText)
		default:
			return true
		}
	})
}
