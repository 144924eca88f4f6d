// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// subnetIndex finds the place of a subnet in a list. It is never modified.
type subnetIndex struct {
	byPrefix map[netip.Prefix]int
	byID     map[uint32]int
}

// indexOf returns the index of a list. Of several subnets with one prefix or id, the first one counts.
func indexOf(subnets []kea.Subnet) subnetIndex {
	x := subnetIndex{make(map[netip.Prefix]int, len(subnets)), make(map[uint32]int, len(subnets))}
	for i, sub := range subnets {
		if _, ok := x.byPrefix[sub.Prefix]; !ok {
			x.byPrefix[sub.Prefix] = i
		}
		if _, ok := x.byID[sub.ID]; !ok {
			x.byID[sub.ID] = i
		}
	}
	return x
}

func (x subnetIndex) find(ref reservation.SubnetRef) (int, bool) {
	if ref.Prefix.IsValid() {
		i, ok := x.byPrefix[ref.Prefix]
		return i, ok
	}
	i, ok := x.byID[ref.ID]
	return i, ok
}
