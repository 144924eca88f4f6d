// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"encoding/json"
)

// What parts of a decoded host take, in bytes on 64 bits.
const (
	hostMemory   = 400 // Reservation, and what finds it
	optionMemory = 192 // OptionData, and the booleans that it points at
	stringMemory = 16
	anyMemory    = 32  // a value of user-context or Extra, and its place in a list
	mapMemory    = 288 // a map with room for a few entries
	entryMemory  = 32  // an entry of a map
	listedMemory = 224 // Host without its JSON, and what finds it (measured: see the tests of the mirror)
)

// Memory returns about how many bytes a reservation takes.
func (r *Reservation) Memory() int {
	n := hostMemory + len(r.HWAddress) + len(r.DUID) + len(r.ClientID) + len(r.CircuitID) + len(r.FlexID) +
		len(r.Hostname) + len(r.NextServer) + len(r.ServerHostname) + len(r.BootFileName)
	n += memoryOfStrings(r.ClientClasses) + memoryOfExtra(r.Extra)
	for i := range r.OptionData {
		o := &r.OptionData[i]
		n += optionMemory + len(o.Name) + len(o.Space) + len(o.Data) + memoryOfStrings(o.ClientClasses) + memoryOfExtra(o.Extra)
	}
	if r.UserContext != nil {
		n += memoryOf(r.UserContext)
	}
	return n
}

func memoryOfStrings(list []string) int {
	n := 0
	for _, s := range list {
		n += stringMemory + len(s)
	}
	return n
}

func memoryOfExtra(extra map[string]json.RawMessage) int {
	if extra == nil {
		return 0
	}
	n := mapMemory
	for k, v := range extra {
		n += entryMemory + len(k) + len(v)
	}
	return n
}

// memoryOf returns about how many bytes a decoded value takes.
func memoryOf(v any) int {
	n := anyMemory
	switch t := v.(type) {
	case string:
		n += len(t)
	case json.Number:
		n += len(t)
	case []any:
		for _, item := range t {
			n += memoryOf(item)
		}
	case map[string]any:
		n += mapMemory
		for k, item := range t {
			n += entryMemory + len(k) + memoryOf(item)
		}
	}
	return n
}
