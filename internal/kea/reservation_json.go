// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
)

// noAddress is what Kea answers for a next-server that is not set.
const noAddress = "0.0.0.0"

// UnmarshalJSON reads a host reservation as Kea writes it. Empty lists and maps become nil, so that
// what was never set and what Kea fills in compare.
func (r *Reservation) UnmarshalJSON(raw []byte) error {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("cannot read a host reservation: %w", err)
	}
	var (
		out Reservation
		ip  string
	)
	err := errors.Join(
		m.take(memberSubnetID, &out.SubnetID),
		m.take(memberHWAddress, &out.HWAddress),
		m.take(memberDUID, &out.DUID),
		m.take(memberClientID, &out.ClientID),
		m.take(memberCircuitID, &out.CircuitID),
		m.take(memberFlexID, &out.FlexID),
		m.take(memberIPAddress, &ip),
		m.take(memberHostname, (*text)(&out.Hostname)),
		m.take(memberClientClasses, (*texts)(&out.ClientClasses)),
		m.take(memberOptionData, &out.OptionData),
		m.take("next-server", (*text)(&out.NextServer)),
		m.take("server-hostname", (*text)(&out.ServerHostname)),
		m.take("boot-file-name", (*text)(&out.BootFileName)),
		m.take(memberUserContext, (*userContext)(&out.UserContext)),
	)
	if err != nil {
		return fmt.Errorf("cannot read a host reservation: %w", err)
	}
	if out.IPAddress, err = parseReserved(ip); err != nil {
		return err
	}
	out.Extra = m.rest()
	out.normalize()
	*r = out
	return nil
}

// parseReserved reads the address of a host reservation; none returns the zero Addr.
func parseReserved(s string) (netip.Addr, error) {
	if s == "" || s == noAddress {
		return netip.Addr{}, nil
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, fmt.Errorf("cannot read the address of a host reservation: %w", err)
	}
	return ip, nil
}

// normalize removes the ways in which Kea writes "not set". It does not judge the hardware address:
// a host that Kea holds with three bytes must not hide the others of its page.
func (r *Reservation) normalize() {
	r.HWAddress = HWAddress(strings.ToLower(string(r.HWAddress)))
	if r.NextServer == noAddress {
		r.NextServer = ""
	}
	if len(r.OptionData) == 0 {
		r.OptionData = nil
	}
	if len(r.UserContext) == 0 {
		r.UserContext = nil
	}
}

// MarshalJSON writes a host reservation as Kea reads it, without what is not set.
func (r Reservation) MarshalJSON() ([]byte, error) {
	m := object(r.Extra)
	m[memberSubnetID] = r.SubnetID
	set(m, memberHWAddress, r.HWAddress)
	set(m, memberDUID, r.DUID)
	set(m, memberClientID, r.ClientID)
	set(m, memberCircuitID, r.CircuitID)
	set(m, memberFlexID, r.FlexID)
	set(m, memberHostname, text(r.Hostname))
	set(m, "next-server", text(r.NextServer))
	set(m, "server-hostname", text(r.ServerHostname))
	set(m, "boot-file-name", text(r.BootFileName))
	if r.IPAddress.IsValid() {
		m[memberIPAddress] = r.IPAddress
	}
	if len(r.ClientClasses) > 0 {
		m[memberClientClasses] = texts(r.ClientClasses)
	}
	if len(r.OptionData) > 0 {
		m[memberOptionData] = r.OptionData
	}
	if len(r.UserContext) > 0 {
		m[memberUserContext] = userContext(r.UserContext)
	}
	return encode(m)
}

// UnmarshalJSON reads an option as Kea writes it.
func (o *OptionData) UnmarshalJSON(raw []byte) error {
	var m members
	if err := json.Unmarshal(raw, &m); err != nil {
		return fmt.Errorf("cannot read an option: %w", err)
	}
	var out OptionData
	err := errors.Join(
		m.take("name", (*text)(&out.Name)),
		m.take("code", &out.Code),
		m.take("space", (*text)(&out.Space)),
		m.take("data", (*text)(&out.Data)),
		m.take("always-send", &out.AlwaysSend),
		m.take("never-send", &out.NeverSend),
		m.take("csv-format", &out.CSVFormat),
		m.take(memberClientClasses, (*texts)(&out.ClientClasses)),
	)
	if err != nil {
		return fmt.Errorf("cannot read an option: %w", err)
	}
	out.Extra = m.rest()
	*o = out
	return nil
}

// MarshalJSON writes an option as Kea reads it, without what is not set.
func (o OptionData) MarshalJSON() ([]byte, error) {
	m := object(o.Extra)
	set(m, "name", text(o.Name))
	set(m, "code", o.Code)
	set(m, "space", text(o.Space))
	set(m, "data", text(o.Data))
	setBool(m, "always-send", o.AlwaysSend)
	setBool(m, "never-send", o.NeverSend)
	setBool(m, "csv-format", o.CSVFormat)
	if len(o.ClientClasses) > 0 {
		m[memberClientClasses] = texts(o.ClientClasses)
	}
	return encode(m)
}

// object starts a JSON object with the members that this client does not know; those it knows win.
func object(extra map[string]json.RawMessage) map[string]any {
	m := make(map[string]any, len(extra))
	for k, v := range maps.All(extra) {
		m[k] = v
	}
	return m
}

// set adds a member unless it is not set.
func set[T comparable](m map[string]any, name string, v T) {
	var zero T
	if v != zero {
		m[name] = v
	}
}

// setBool adds a member unless it is not set.
func setBool(m map[string]any, name string, v *bool) {
	if v != nil {
		m[name] = *v
	}
}
