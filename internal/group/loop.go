// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

const (
	// ticksPerSnapshot is how many heartbeats there are in a snapshot interval: a restart of Kea,
	// and the lease of a device that waits for one, is noticed this much sooner than other changes,
	// at one small command each.
	ticksPerSnapshot = 6
	// minGap is the least time between two ticks, and between two looks for leases.
	minGap = 200 * time.Millisecond
)

// run reads the server until the context ends: at every tick, and when asked.
func (s *server) run(ctx context.Context) {
	defer func() { s.client().Close() }()
	defer s.background.Wait()
	ctx = context.WithValue(ctx, loopKey{}, true)
	defer s.saveLast(ctx)
	for {
		s.tick(ctx)
		s.probedOnce.Do(func() {
			close(s.probed)
			// Also where the server could not be read: its facts are waited for, and so are devices
			// that have been left alone meanwhile.
			c := s.takeBehind()
			c.Servers = true
			s.notify(c)
		})
		if !s.sleep(ctx) {
			return
		}
	}
}

// sleep waits for the next tick, or until one is asked for, and looks for leases meanwhile; false
// when the context has ended.
func (s *server) sleep(ctx context.Context) bool {
	wait := max(s.interval()/ticksPerSnapshot, minGap)
	tick := time.Now().Add(wait)
	next := time.NewTimer(wait)
	defer next.Stop()
	// Ticks that are asked for take Kea a third of the time at most.
	gap := time.NewTimer(max(minGap, 2*s.lastTick))
	defer gap.Stop()
	var asked <-chan struct{}
	for {
		look, stop := s.nextLook(tick)
		select {
		case <-look:
			if s.lookForLeases(ctx) != nil {
				return ctx.Err() == nil // A tick finds out what is wrong.
			}
			continue
		case <-s.lookNow:
			s.leaseLooks.asked = true
			stop()
			continue
		case <-gap.C:
			asked = s.tickNow
			stop()
			continue
		case <-asked:
		case <-next.C:
		case <-ctx.Done():
			stop()
			return false
		}
		stop()
		return true
	}
}

// nextLook returns a channel that is ready when leases are to be looked for; never if the next tick
// is not much later. stop has to be called.
func (s *server) nextLook(tick time.Time) (look <-chan time.Time, stop func() bool) {
	due, ok := s.leaseLooks.due(s.interval(), time.Now())
	if !ok || due.Add(minGap).After(tick) {
		return nil, func() bool { return false }
	}
	t := time.NewTimer(time.Until(due))
	return t.C, t.Stop
}

// requestTick asks the loop for a tick. Requests that are made at the same time share one.
func (s *server) requestTick() {
	select {
	case s.tickNow <- struct{}{}:
	default:
	}
}

// tick asks the server how it is, and reads as much of what it holds as is due.
func (s *server) tick(ctx context.Context) {
	began := time.Now()
	err := s.read(ctx)
	if ctx.Err() != nil {
		return
	}
	// What Kea did not answer has taken it no time.
	s.lastTick = 0
	if err == nil && s.scanFailingSince.IsZero() {
		s.lastTick = time.Since(began)
	}
	switch {
	case err == nil:
		s.save(ctx)
	case errors.Is(err, errUnsteady):
		s.updateFacts(func(f *ServerFacts) { f.Err = err })
	default:
		s.failed(withoutCommand(err))
	}
}

func (s *server) read(ctx context.Context) error {
	restarted, err := s.ask(ctx)
	if err != nil {
		return err
	}
	scanned := s.mirror.Scanned(s.name)
	first, failing := scanned.IsZero(), s.unusable() != nil
	rereads := s.rereads.Swap(false)
	if rereads {
		s.toInspect, s.database = true, nil // Another account may see more, and storage may be another.
	}
	if first || failing || restarted || rereads {
		if !restarted && !rereads && s.fullRetryHeld() {
			return s.currentFacts().Err
		}
		s.lastFullRead = time.Now()
		if err := s.probe(ctx); err != nil {
			return err
		}
		return s.scan(ctx)
	}
	if time.Since(scanned) >= s.snapshotEvery() {
		return s.scanAgain(ctx)
	}
	s.lookAgain()
	if l := s.leaseLooks; l.failed || time.Since(l.ended) >= minGap { // Otherwise it was just done.
		// A lease that cannot be looked up now is asked for again at the next tick, and a server
		// that is down is noticed then.
		_ = s.lookForLeases(ctx)
	}
	return nil
}

// ask asks the server how it is, and reports whether it was restarted or reloaded. An error if it
// is not to be used.
func (s *server) ask(ctx context.Context) (restarted bool, err error) {
	if err := s.current.Load().err; err != nil {
		return false, err
	}
	restarted, err = s.heartbeat(ctx)
	if err == nil && s.mirror.Scanned(s.name).IsZero() {
		// Twice before anything is written: a load balancer may lead to another server each time.
		_, err = s.heartbeat(ctx)
	}
	if restarted {
		s.toInspect, s.database, s.memoryLost = true, nil, true
		s.addressesUnique.Store(false) // Its configuration may be another one.
		s.retrySave()
		s.addAllBehind(s.mirror.ForgetRefusals(s.name), mirror.Changes{})
	}
	if err != nil {
		return restarted, err
	}
	s.settleRemovals(restarted)
	if s.answered() {
		return restarted, errUnsteady
	}
	return restarted, s.checkDistinct()
}

// lookAgain has the devices looked at that could not be while the server was Suspect. That is done
// at most once in an interval, as a server that answers heartbeats and nothing else makes it so
// again.
func (s *server) lookAgain() {
	if time.Since(s.lookedAgain) < s.interval() {
		return
	}
	if c := s.takeBehind(); !c.Empty() {
		s.lookedAgain = time.Now()
		s.notify(c)
	}
}

// fullRetryHeld reports whether it is too early to read a failing server in full again. One that
// could not be reached, and now answers its heartbeat, is read at once. Any other failure is one
// that Kea answered: as a rule a person has to do something, and reading all hosts at every tick
// does not help.
func (s *server) fullRetryHeld() bool {
	err := s.currentFacts().Err
	var unreachable *kea.UnreachableError
	return err != nil && !errors.As(err, &unreachable) && !errors.Is(err, errUnsteady) && time.Since(s.lastFullRead) < s.interval()
}

// scanAgain scans the server because of the time alone. One failure may be a passing one, a page of
// many: what was read last holds for another tick then.
func (s *server) scanAgain(ctx context.Context) error {
	err := s.scan(ctx)
	if err == nil {
		return nil
	}
	if s.scanFailingSince.IsZero() {
		s.scanFailingSince = time.Now()
	}
	if time.Since(s.scanFailingSince) < s.interval()/ticksPerSnapshot {
		return nil
	}
	return err
}

// withoutCommand drops the command name from the error of an unreachable server: which command
// failed first is arbitrary, and would make the condition flap.
func withoutCommand(err error) error {
	if u, ok := errors.AsType[*kea.UnreachableError](err); ok {
		return u
	}
	return err
}

// heartbeat asks the server how it is, and reports whether it was restarted or reloaded since the
// last time, which costs it its reservations in memory. One failure may be a passing one, and
// waking 50,000 resources is not free: it asks twice.
func (s *server) heartbeat(ctx context.Context) (restarted bool, err error) {
	asked := time.Now()
	st, err := s.client().Status(ctx)
	if _, ok := errors.AsType[*kea.UnreachableError](err); ok {
		asked = time.Now()
		st, err = s.client().Status(ctx)
	}
	if err != nil {
		return false, err //nolint:wrapcheck // It names the command.
	}
	answered := time.Now()
	s.heartbeatTook(answered.Sub(asked))
	// In a container every Kea has the same pid: the time of its start identifies it. That is known
	// to a span, as an uptime is in whole seconds and an answer takes time.
	boot := span{asked.Add(-st.Uptime - time.Second), answered.Add(-st.Uptime)}
	restarted = st.PID != s.pid || boot.after(s.boot, 0) || asked.Add(-st.Reload-time.Second).After(s.reload)
	// A process that was there when another one answered has not replaced it.
	different := st.PID != s.pid || boot.after(s.boot, clockSlack) || s.boot.after(boot, clockSlack)
	another := s.pid != 0 && different && boot.latest.Before(s.askedAt)
	s.pid, s.boot, s.reload, s.askedAt = st.PID, boot, answered.Add(-st.Reload), asked
	s.uptime = min(st.Uptime, st.Reload)
	haState := ""
	if len(st.HA) > 0 {
		haState = st.HA[0].State
	}
	s.updateFacts(func(f *ServerFacts) { f.HAState, f.HA = haState, st.HA })
	if another {
		return true, ErrSeveralProcesses
	}
	return restarted, nil
}

// span is when something happened, as far as that is known.
type span struct{ earliest, latest time.Time }

// clockSlack is by how much two clocks may drift apart from one heartbeat to the next.
const clockSlack = time.Second

// after reports whether it was later for certain, by more than the slack.
func (s span) after(o span, slack time.Duration) bool { return s.earliest.After(o.latest.Add(slack)) }

// answered records that the heartbeat was answered, and reports whether the server has to answer
// for longer before it is read. One that answers and cannot be used as it is does not return by
// that.
func (s *server) answered() (unsteady bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	var unreachable *kea.UnreachableError
	if s.health.state == Suspect || errors.As(s.facts.Err, &unreachable) || errors.Is(s.facts.Err, ErrSeveralProcesses) {
		s.health.answered(now)
	}
	return s.health.unsteady(now, s.interval())
}
