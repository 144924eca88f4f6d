// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/netip"
	"slices"
)

// Target is where a host reservation is kept: Kea's operation-target. Kea knows "all" and "default"
// too. A write to "all" can change one store and fail in the other, and what "default" is depends
// on the command, so they are not offered.
type Target string

const (
	// TargetMemory is the running configuration. Its host reservations are lost on restart and
	// reload unless they are written to the file.
	TargetMemory Target = "memory"
	// TargetDatabase is the hosts-database.
	TargetDatabase Target = "database"
)

// Reservation is one host reservation. A client has as a rule one identifier; this project writes
// hw-address only and keeps the others as found. Strings hold exactly the bytes that Kea has, which
// need not be UTF-8.
//
//nolint:recvcheck // encoding/json decodes into a pointer and encodes a value.
type Reservation struct {
	// SubnetID is Kea's subnet-id; 0 is a global reservation.
	SubnetID uint32
	// HWAddress is lower case with colons. One read from a server need not have six bytes, as Kea
	// accepts others.
	HWAddress HWAddress
	// The other kinds of identifiers, as Kea writes them: upper-case hex without colons, DUID
	// lower-case with colons.
	DUID      string
	ClientID  string
	CircuitID string
	FlexID    string
	// IPAddress is the reserved address; the zero Addr if none is.
	IPAddress     netip.Addr
	Hostname      string
	ClientClasses []string
	// OptionData can have several entries with the same code.
	OptionData []OptionData
	// NextServer is an IPv4 address; Kea's "0.0.0.0" reads as "".
	NextServer     string
	ServerHostname string
	BootFileName   string
	// UserContext is any JSON object; numbers are json.Number, so that they go back as they came.
	UserContext map[string]any
	// Extra holds members that this client does not know, so that an update does not erase them.
	Extra map[string]json.RawMessage
}

// OptionData is one DHCP option of a reservation or subnet. Either Name or Code names it; Kea
// answers with both where it knows both.
type OptionData struct {
	Name string
	// Code is 0 if not set.
	Code uint16
	// Space is the option space; "" is Kea's default, dhcp4.
	Space string
	Data  string
	// AlwaysSend, NeverSend and CSVFormat are nil where not set. Kea answers a never-send option
	// without data, and that alone, without csv-format.
	AlwaysSend *bool
	NeverSend  *bool
	CSVFormat  *bool
	// ClientClasses are those to whose clients the option is sent; nil means all clients.
	// PostgreSQL and MySQL do not keep them.
	ClientClasses []string
	// Extra holds members that this client does not know (such as user-context), so that an update
	// does not erase them.
	Extra map[string]json.RawMessage
}

// Opaque reports whether Kea may hold content that it does not return. It answers an option of type
// empty (43 and 82 by their built-in definitions, and any option-def with type empty) with no data
// whatever it holds, and one that really is empty in the same way. Writing back what was read would
// erase the content. (Pinned by the contract suite, "OpaqueOptions".)
func (o OptionData) Opaque() bool {
	return o.CSVFormat != nil && !*o.CSVFormat && o.Data == ""
}

// Clone returns a deep copy.
func (r Reservation) Clone() Reservation {
	r.ClientClasses = slices.Clone(r.ClientClasses)
	r.OptionData = slices.Clone(r.OptionData)
	for i, o := range r.OptionData {
		r.OptionData[i] = o.Clone()
	}
	r.UserContext = cloneMap(r.UserContext)
	r.Extra = cloneExtra(r.Extra)
	return r
}

// Clone returns a deep copy.
func (o OptionData) Clone() OptionData {
	o.AlwaysSend = cloneBool(o.AlwaysSend)
	o.NeverSend = cloneBool(o.NeverSend)
	o.CSVFormat = cloneBool(o.CSVFormat)
	o.ClientClasses = slices.Clone(o.ClientClasses)
	o.Extra = cloneExtra(o.Extra)
	return o
}

func cloneBool(b *bool) *bool {
	if b == nil {
		return nil
	}
	v := *b
	return &v
}

func cloneExtra(in map[string]json.RawMessage) map[string]json.RawMessage {
	out := maps.Clone(in)
	for k, v := range out {
		out[k] = bytes.Clone(v)
	}
	return out
}

func cloneMap(in map[string]any) map[string]any {
	out := maps.Clone(in)
	for k, v := range out {
		out[k] = cloneValue(v)
	}
	return out
}

// cloneValue copies what encoding/json makes of a value: maps, slices and values that need no copy.
func cloneValue(v any) any {
	switch t := v.(type) {
	case map[string]any:
		return cloneMap(t)
	case []any:
		out := slices.Clone(t)
		for i := range out {
			out[i] = cloneValue(out[i])
		}
		return out
	default:
		return v
	}
}
