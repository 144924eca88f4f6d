// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// HasSubnet reports whether a server that can be used has a subnet, by what is known: it sends no
// command. Notify is called with the subnet, Everything or Servers when that may have changed.
func (g *Group) HasSubnet(subnet reservation.SubnetRef) bool {
	views := g.known(reservation.Intent{Subnet: subnet}, (*server).unusable).views
	return slices.ContainsFunc(views, func(v reservation.View) bool { return v.Primary && v.SubnetFound && !v.Away })
}

// MarkedBy returns the resource, as namespace/name, that a device's reservation in a subnet is marked
// with; "" if no server has one that is marked with a resource of this cluster. It sends no command.
func (g *Group) MarkedBy(subnet reservation.SubnetRef, hw kea.HWAddress) string {
	for _, v := range g.known(reservation.Intent{Subnet: subnet, HWAddress: hw}, (*server).unusable).views {
		if o, marked := reservation.OwnerOf(v.Host); v.SubnetFound && marked && o.Cluster == g.cluster {
			return o.Resource
		}
	}
	return ""
}
