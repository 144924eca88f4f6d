// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// reads are what is read before a plan is made, so that it is not wrong about that.
type reads struct {
	// hosts are the device's hosts in every store, and holders are who has the addresses that may
	// be written.
	hosts, holders bool
}

// everything is read before all writes but those that Kea checks itself.
var everything = reads{hosts: true, holders: true}

// plan reads what a plan must not be wrong about, and makes it for the servers that answer. With
// trusting, it does not read what Kea checks itself: that refuses what would be wrong.
func (g *Group) plan(ctx context.Context, in reservation.Intent, trusting bool) (reservation.Plan, error) {
	k := g.known(in, (*server).silent)
	if err := g.check(k); err != nil {
		g.trackBehind(in, k)
		return reservation.Plan{}, err
	}
	if !reservation.Allowed(k.views, in) {
		return reservation.Decide(k.views, in, g.owner(in)), nil
	}
	needed := everything
	if trusting {
		needed = g.readsBefore(k, in)
	}
	if err := g.prepare(ctx, in, needed); err != nil {
		return reservation.Plan{}, err
	}
	k = g.known(in, (*server).silent)
	if err := g.check(k); err != nil {
		g.trackBehind(in, k)
		return reservation.Plan{}, err
	}
	p := reservation.Decide(k.views, in, g.owner(in))
	g.trackPlan(in, p, k)
	return p, nil
}

// readsBefore returns what is to be read before the plan that would be made by what is known. Kea
// refuses to add a host that the store has, and an address that another host of the store has,
// unless it is configured not to (contract suite, AddConflict and NotUnique). That is all there is
// to check where one server with one store is written to, and has nothing of the device that is
// known. Of several servers none may be written to if another one refuses; hosts of another store,
// and global ones, are not checked; and whatever is updated or adopted is read first.
func (g *Group) readsBefore(k known, in reservation.Intent) reads {
	all := g.all()
	if len(all) != 1 || len(k.views) != 1 || k.views[0].Store != (reservation.Store{Server: all[0].name, Place: kea.TargetMemory}) {
		return everything
	}
	v, s := k.views[0], all[0]
	if v.Host != nil || s.hostCache() || g.mirror.Unconfirmed(s.name, key(v, in)) || (v.Policy != nil && v.Policy.ReservationsGlobal) {
		return everything
	}
	p := reservation.Decide(k.views, in, g.owner(in))
	if p.State != reservation.Pending || len(p.Steps) != 1 || p.Steps[0].Action != reservation.Add {
		return everything
	}
	return reads{holders: !s.addressesUnique.Load()}
}

// prepare reads into the mirror what a plan must not be wrong about: the device's host in every
// store, and who has the addresses that may be written. Kea checks an address in the store that it
// writes to and in no other, and with ip-reservations-unique false not even there (contract suite,
// AddConflict and NotUnique).
func (g *Group) prepare(ctx context.Context, in reservation.Intent, needed reads) error {
	if needed.hosts {
		if err := g.prepareHosts(ctx, in); err != nil {
			return err
		}
	}
	if !needed.holders {
		return nil
	}
	k := g.known(in, (*server).silent)
	address := reservation.Address(k.views, in)
	return g.unlessAway(in, g.onEach(k.views, func(s *server, v reservation.View) error {
		for _, a := range toCheck(v, address) {
			for _, id := range subnetsOfHolders(v) {
				if _, err := s.readHolders(ctx, id, a, in.HWAddress); err != nil {
					return err
				}
			}
		}
		return nil
	}))
}

// prepareHosts reads the device's host in every store.
func (g *Group) prepareHosts(ctx context.Context, in reservation.Intent) error {
	k := g.known(in, (*server).silent)
	if err := g.check(k); err != nil {
		g.trackBehind(in, k)
		return err
	}
	return g.unlessAway(in, g.onEach(k.views, func(s *server, v reservation.View) error {
		if err := s.checkUnknownDatabase(ctx, v.Store); err != nil {
			return err
		}
		return s.readHostEverywhere(ctx, key(v, in))
	}))
}

// subnetsOfHolders returns the ids under which another host may have an address of the subnet: its
// own, and that of global reservations, where Kea looks for these.
func subnetsOfHolders(v reservation.View) []uint32 {
	if v.Policy != nil && v.Policy.ReservationsGlobal {
		return []uint32{v.Subnet.ID, mirror.GlobalSubnetID}
	}
	return []uint32{v.Subnet.ID}
}

// toCheck returns the addresses that may be written to a server and that the device does not have
// there: the one to reserve, and the one that it had before its reservation vanished.
func toCheck(v reservation.View, address netip.Addr) []netip.Addr {
	if !v.Primary || !v.SubnetFound {
		return nil
	}
	var out []netip.Addr
	if address.IsValid() && (v.Host == nil || v.Host.IPAddress != address) {
		out = append(out, address)
	}
	if v.Host == nil && v.Vanished != nil && v.Vanished.IPAddress.IsValid() && v.Vanished.IPAddress != address {
		out = append(out, v.Vanished.IPAddress)
	}
	return out
}
