// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// BlockedError reports that a reservation cannot be written as things are in Kea.
type BlockedError struct {
	State   reservation.State
	Message string
}

// Error returns what is in the way.
func (e *BlockedError) Error() string { return e.Message }

// attempts is how often a plan is made when Kea refuses a step and what is read after that calls
// for another one, such as an update where someone else has just added the host.
const attempts = 2

// Apply brings the servers to what the intent wants, and reads back what they made of it. It
// returns what could not be brought back with a reservation that had been lost. A *BlockedError if
// something in Kea is in the way.
func (g *Group) Apply(ctx context.Context, in reservation.Intent) (warnings []string, err error) {
	for range attempts {
		if err := g.prepare(ctx, in); err != nil {
			return nil, err
		}
		views, errs := g.views(in)
		if len(views) == 0 {
			return nil, g.join(errs)
		}
		plan := reservation.Decide(views, in, g.owner(in))
		if len(plan.Steps) == 0 {
			return nil, blocked(plan)
		}
		err = g.execute(ctx, plan.Steps, in)
		if err == nil {
			return plan.Warnings, nil
		}
		if !isRefusal(err) {
			return nil, err
		}
	}
	return nil, err
}

// blocked returns why a plan has no steps; nil if none are needed.
func blocked(p reservation.Plan) error {
	if !reservation.InfoOf(p.State).Blocked {
		return nil
	}
	return &BlockedError{State: p.State, Message: p.Message}
}

// isRefusal reports whether Kea refused a command, rather than not answering it.
func isRefusal(err error) bool {
	var r *kea.RejectedError
	var b *BlockedError
	return !errors.As(err, &b) && (errors.As(err, &r) || errors.Is(err, kea.ErrNotFound))
}

// prepare reads into the mirror what a plan must not be wrong about: the device's host in every
// store, and who has the addresses that may be written. Kea checks an address in the store that it
// writes to and in no other, and with ip-reservations-unique false not even there (contract suite,
// AddConflict and NotUnique).
func (g *Group) prepare(ctx context.Context, in reservation.Intent) error {
	views, errs := g.views(in)
	if len(views) == 0 {
		return g.join(errs)
	}
	for _, v := range views {
		if v.Primary && v.SubnetFound {
			if err := g.server(v.Store.Server).checkUnknownDatabase(ctx, v.Store); err != nil {
				return err
			}
			if err := g.server(v.Store.Server).readHostEverywhere(ctx, mirror.Key{SubnetID: v.Subnet.ID, HW: in.HWAddress}); err != nil {
				return err
			}
		}
	}
	views, _ = g.views(in)
	for _, v := range views {
		for _, a := range toCheck(v, reservation.Address(views, in)) {
			if _, err := g.server(v.Store.Server).readHolders(ctx, v.Subnet.ID, a, in.HWAddress); err != nil {
				return err
			}
		}
	}
	return nil
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

// execute takes the steps of a plan, in order. An error on one server does not keep the others from
// their steps.
func (g *Group) execute(ctx context.Context, steps []reservation.Step, in reservation.Intent) error {
	failed := map[string]error{}
	for _, step := range steps {
		name := step.Store.Server
		if failed[name] == nil {
			failed[name] = g.server(name).execute(ctx, step, in)
		}
	}
	return g.join(failed)
}
