// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
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
	for attempt := range attempts {
		plan, failed := g.plan(ctx, in, attempt == 0)
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
