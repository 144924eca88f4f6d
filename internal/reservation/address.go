// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// unusable says why no host can have an address in a subnet; "" if one can. The zero prefix is one
// that the server does not tell.
func unusable(subnet netip.Prefix, address netip.Addr) string {
	switch {
	case !subnet.IsValid():
		return ""
	case !subnet.Contains(address):
		return fmt.Sprintf("%s is not inside %s", address, subnet)
	case subnet.Bits() > 30:
		// A /31 and a /32 have neither network nor broadcast address (RFC 3021).
		return ""
	case address == subnet.Masked().Addr():
		return fmt.Sprintf("%s is the network address of %s", address, subnet)
	case address == kea.LastAddress(subnet):
		return fmt.Sprintf("%s is the broadcast address of %s", address, subnet)
	}
	return ""
}

// describe names the holder of an address for people.
func describe(r *kea.Reservation, me Owner) string {
	id := "another host"
	for _, candidate := range []struct{ name, value string }{
		{"", string(r.HWAddress)}, {"client-id ", r.ClientID}, {"duid ", r.DUID}, {"circuit-id ", r.CircuitID}, {"flex-id ", r.FlexID},
	} {
		if candidate.value != "" {
			id = candidate.name + candidate.value
			break
		}
	}
	if r.Hostname != "" {
		id += fmt.Sprintf(" (hostname %s)", r.Hostname)
	}
	if r.SubnetID == 0 {
		id += " as a global reservation"
	}
	if owner, marked := OwnerOf(r); marked {
		id += ", which belongs to " + owner.nameFor(me)
	}
	return id
}

// maxPrefixes bounds how many subnets a message names.
const maxPrefixes = 10

// prefixes names the subnets that may be used, of those that a server has.
func prefixes(subnets []kea.Subnet, g Grant) string {
	subnets = slices.DeleteFunc(slices.Clone(subnets), func(s kea.Subnet) bool {
		_, allowed := g.Allows(s.Prefix)
		return !allowed
	})
	switch {
	case len(subnets) == 0 && g.Limited:
		return "none that may be used here"
	case len(subnets) == 0:
		return "no subnet at all"
	}
	names := make([]string, 0, maxPrefixes)
	for _, s := range subnets[:min(len(subnets), maxPrefixes)] {
		names = append(names, fmt.Sprintf("%s (subnet-id %d)", s.Prefix, s.ID))
	}
	if more := len(subnets) - len(names); more > 0 {
		names = append(names, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(names, ", ")
}
