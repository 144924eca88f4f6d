// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"context"
	"errors"
	"net/netip"
	"slices"

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

// Apply brings the servers to what the intent wants, all at once, and reads back what they made of
// it. It returns what could not be brought back with a reservation that had been lost. A *BlockedError
// if something in Kea is in the way: nothing is written to any server then. A server that does not
// answer is no error while another one does: it is brought up to date when it returns.
func (g *Group) Apply(ctx context.Context, in reservation.Intent) (warnings []string, err error) {
	for range attempts {
		plan, failed := g.plan(ctx, in)
		if failed != nil {
			return nil, cmp.Or(err, failed) // The first says more.
		}
		if len(plan.Steps) == 0 {
			return nil, blocked(plan)
		}
		err = g.unlessAway(in, g.execute(ctx, plan.Steps, in))
		if err == nil {
			return plan.Warnings, nil
		}
		// A server that does not answer is left out of the next plan.
		if !isRefusal(err) && !isAway(err) {
			return nil, err
		}
	}
	return nil, err
}

// plan reads what a plan must not be wrong about, and makes it for the servers that answer.
func (g *Group) plan(ctx context.Context, in reservation.Intent) (reservation.Plan, error) {
	k := g.known(in, (*server).silent)
	if err := g.check(k); err != nil {
		g.trackBehind(in, k)
		return reservation.Plan{}, err
	}
	if !reservation.Allowed(k.views, in) {
		return reservation.Decide(k.views, in, g.owner(in)), nil
	}
	if err := g.prepare(ctx, in); err != nil {
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

// blocked returns why a plan has no steps; nil if none are needed.
func blocked(p reservation.Plan) error {
	if !reservation.InfoOf(p.State).Blocked {
		return nil
	}
	return &BlockedError{State: p.State, Message: kea.Printable(p.Message, kea.MaxMessage)}
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
	k := g.known(in, (*server).silent)
	if err := g.check(k); err != nil {
		g.trackBehind(in, k)
		return err
	}
	err := g.unlessAway(in, g.onEach(k.views, func(s *server, v reservation.View) error {
		if err := s.checkUnknownDatabase(ctx, v.Store); err != nil {
			return err
		}
		return s.readHostEverywhere(ctx, key(v, in))
	}))
	if err != nil {
		return err
	}
	k = g.known(in, (*server).silent)
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

// subnetsOfHolders returns the ids under which another host may have an address of the subnet: its own,
// and that of global reservations, where Kea looks for these.
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

// execute takes the steps of a plan, those of each server in order, and all servers at once. An error
// on one does not keep the others from their steps.
func (g *Group) execute(ctx context.Context, steps []reservation.Step, in reservation.Intent) map[string]error {
	own := map[string][]reservation.Step{}
	for _, step := range steps {
		own[step.Store.Server] = append(own[step.Store.Server], step)
	}
	var involved []*server
	for _, s := range g.all() {
		if len(own[s.name]) > 0 {
			involved = append(involved, s)
		}
	}
	return g.onServers(involved, func(s *server, before []error) error {
		if err := errors.Join(before...); err != nil && g.isShared() {
			// A copy in the memory of a server must not go before the database has the reservation.
			return err
		}
		return s.executeAll(ctx, own[s.name], in, len(before) > 0)
	})
}

// onServers calls a function for each server, at once for all, and returns its result by server. Those
// with databases come one after the other, and get the results of those before: two databases of which
// the configuration does not say so may be one, and two updates of a host at the same time lose it.
func (g *Group) onServers(servers []*server, do func(s *server, before []error) error) map[string]error {
	tasks := map[string]func() error{}
	var chain []*server
	for _, s := range servers {
		if g.mirror.Settings(s.name).Primary == kea.TargetDatabase {
			chain = append(chain, s)
			continue
		}
		tasks[s.name] = func() error { return do(s, nil) }
	}
	results := make([]error, 0, len(chain))
	if len(chain) > 0 {
		tasks[""] = func() error {
			for _, s := range chain {
				results = append(results, do(s, results))
			}
			return nil
		}
	}
	errs := atOnce(tasks)
	delete(errs, "")
	for i, s := range chain {
		errs[s.name] = results[i]
	}
	return errs
}

// executeAll takes the steps of one server, in order; after those of another one with a database, if
// after is set.
func (s *server) executeAll(ctx context.Context, steps []reservation.Step, in reservation.Intent, after bool) error {
	for _, step := range steps {
		if after && step.Store.Place == kea.TargetDatabase && s.hasAlready(ctx, step) {
			continue
		}
		if err := s.execute(ctx, step, in); err != nil {
			return err
		}
	}
	return nil
}

// hasAlready reports whether the database is as the step would make it: another server has just
// written to it.
func (s *server) hasAlready(ctx context.Context, step reservation.Step) bool {
	got, err := s.fetchHost(ctx, step.Store, keyOf(step.Want))
	if err != nil || got == nil || step.Action == reservation.Remove || !reservation.Same(step.Want, *got) {
		return false
	}
	s.notify(s.mirror.PutHost(step.Store, keyOf(step.Want), got, ""))
	s.updateFacts(func(f *ServerFacts) {
		if !s.sharedDatabase {
			s.sharedDatabase = true
			f.Warnings = append(slices.Clone(f.Warnings), sharedDatabaseWarning)
		}
	})
	return true
}
