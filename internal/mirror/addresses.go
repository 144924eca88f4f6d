// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"iter"
	"maps"
	"net/netip"
	"slices"
)

type addressKey struct {
	subnetID uint32
	address  netip.Addr
}

// addresses are hosts by their address.
type addresses struct {
	first map[addressKey]*entry
	// rest has the others of an address that several hosts have, which is rare.
	rest map[addressKey][]*entry
}

func newAddresses(room int) addresses {
	return addresses{first: make(map[addressKey]*entry, room), rest: map[addressKey][]*entry{}}
}

// clone returns a copy. The entries are the same.
func (a addresses) clone() addresses {
	out := addresses{first: maps.Clone(a.first), rest: maps.Clone(a.rest)}
	for k, all := range out.rest {
		out.rest[k] = slices.Clone(all)
	}
	return out
}

func addressOfEntry(e *entry) addressKey { return addressKey{e.SubnetID, e.IPAddress} }

// add adds a host, if it has an address.
func (a addresses) add(e *entry) {
	k := addressOfEntry(e)
	switch {
	case !e.IPAddress.IsValid():
	case a.first[k] == nil:
		a.first[k] = e
	default:
		a.rest[k] = append(a.rest[k], e)
	}
}

// remove takes a host out, if it is there.
func (a addresses) remove(e *entry) {
	k := addressOfEntry(e)
	rest := a.rest[k]
	switch {
	case a.first[k] != e:
		rest = slices.DeleteFunc(rest, func(o *entry) bool { return o == e })
	case len(rest) > 0:
		// Not in one assignment: the order in which that would take and delete it is not defined.
		a.first[k] = rest[0]
		rest = slices.Delete(rest, 0, 1)
	default:
		delete(a.first, k)
	}
	if len(rest) == 0 {
		delete(a.rest, k)
		return
	}
	a.rest[k] = rest
}

// drop takes all hosts of an address out.
func (a addresses) drop(k addressKey) {
	delete(a.first, k)
	delete(a.rest, k)
}

// of returns an iterator over the hosts with an address.
func (a addresses) of(k addressKey) iter.Seq[*entry] {
	return func(yield func(*entry) bool) {
		if e := a.first[k]; e == nil || !yield(e) {
			return
		}
		for _, e := range a.rest[k] {
			if !yield(e) {
				return
			}
		}
	}
}

// count returns how many hosts have an address.
func (a addresses) count(k addressKey) int {
	if a.first[k] == nil {
		return 0
	}
	return 1 + len(a.rest[k])
}
