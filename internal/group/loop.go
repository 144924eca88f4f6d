// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Hook libraries that the provider needs (Kea ARM, "Hook Libraries").
const (
	hookHosts   = "libdhcp_host_cmds.so"
	hookSubnets = "libdhcp_subnet_cmds.so"
	hookLeases  = "libdhcp_lease_cmds.so"
)

// needed tells each hook library by a command that it brings.
var needed = []struct{ command, hook string }{
	{"reservation-get-page", hookHosts},
	{"subnet4-list", hookSubnets},
	{"lease4-get-page", hookLeases},
}

const (
	// beats is how many heartbeats there are in a snapshot interval: a restart of
	// Kea, and the lease of a device that waits for one, is seen this much sooner
	// than other changes, at one small command a beat.
	beats = 6
	// minGap is the least time between two looks.
	minGap = 200 * time.Millisecond
	// saveDelay lets memory hosts settle before Kea saves them.
	saveDelay = 5 * time.Second
)

// run looks at the server until the context ends: every beat, and when asked.
func (s *server) run(ctx context.Context) {
	defer s.client.Close()
	defer s.saveLast(ctx)
	for {
		s.tick(ctx)
		s.lookedOnce.Do(func() {
			close(s.looked)
			s.tell(Touched{Servers: true})
		})
		if !s.sleep(ctx) {
			return
		}
	}
}

// sleep waits for the next beat or for somebody who asks for a look; false when
// the context has ended.
func (s *server) sleep(ctx context.Context) bool {
	beat := time.NewTimer(max(s.interval/beats, minGap))
	defer beat.Stop()
	// Looks that are asked for take Kea a third of the time at the most.
	gap := time.NewTimer(max(minGap, 2*s.lastTick))
	defer gap.Stop()
	select {
	case <-gap.C:
	case <-ctx.Done():
		return false
	}
	select {
	case <-s.kick:
	case <-beat.C:
	case <-ctx.Done():
		return false
	}
	return true
}

// tick has one look at the server: how it is, and as much of what it holds as
// is due.
func (s *server) tick(ctx context.Context) {
	began := time.Now()
	err := s.refreshAll(ctx)
	if ctx.Err() != nil {
		return
	}
	// What Kea did not answer has taken it no time.
	s.lastTick = 0
	if err == nil && s.missed.IsZero() {
		s.lastTick = time.Since(began)
	}
	s.setErr(plain(err))
	if err == nil {
		s.save(ctx)
	}
}

func (s *server) refreshAll(ctx context.Context) error {
	restarted, ha, err := s.heartbeat(ctx)
	if err != nil {
		return err
	}
	s.mu.RLock()
	first, failing := s.snap == nil, s.facts.Err != nil
	due := first || time.Since(s.snap.taken) >= s.interval
	s.mu.RUnlock()
	if first || failing || restarted {
		if err := s.probe(ctx, ha); err != nil {
			return err
		}
		return s.scan(ctx)
	}
	if due {
		return s.scanAgain(ctx)
	}
	// A lease that cannot be looked up now is asked for again at the next beat, and
	// a server that is down tells so then.
	_ = s.scanWaiting(ctx)
	return nil
}

// scanAgain reads a snapshot because of its time alone. One failure may be a
// passing one, a page of many: what was read last holds for another beat then.
func (s *server) scanAgain(ctx context.Context) error {
	err := s.scan(ctx)
	if err == nil {
		return nil
	}
	if s.missed.IsZero() {
		s.missed = time.Now()
	}
	if time.Since(s.missed) < s.interval/beats {
		return nil
	}
	return err
}

// plain leaves out at which command a server was found not to answer: that is
// chance, and the text is to be stable.
func plain(err error) error {
	if u, ok := errors.AsType[*kea.UnreachableError](err); ok {
		return u
	}
	return err
}

// setErr notes why the server cannot be used, or that it can. Everybody hears of
// a change: those who could not be served, those who no longer can, and those who
// have told another reason and do not try again by themselves.
func (s *server) setErr(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.facts.Err
	s.facts.Err = err
	if (before == nil) != (err == nil) || (err != nil && before.Error() != err.Error()) {
		s.tell(Touched{All: true, Servers: true})
	}
}

// heartbeat asks the server how it is, and tells whether it was restarted or
// reloaded since the last time, which costs it its memory hosts. One failure may
// be a passing one, and turning 50,000 resources over is not free: it asks twice.
func (s *server) heartbeat(ctx context.Context) (restarted bool, haState string, err error) {
	asked := time.Now()
	st, err := s.client.Status(ctx)
	if _, ok := errors.AsType[*kea.UnreachableError](err); ok {
		asked = time.Now()
		st, err = s.client.Status(ctx)
	}
	if err != nil {
		return false, "", err
	}
	answered := time.Now()
	// In a container every Kea has the same pid: the time of its start tells. It is
	// known to a span, as an uptime is in whole seconds and an answer takes time.
	restarted = st.PID != s.pid || asked.Add(-st.Uptime-time.Second).After(s.boot) || asked.Add(-st.Reload-time.Second).After(s.reload)
	s.pid, s.boot, s.reload = st.PID, answered.Add(-st.Uptime), answered.Add(-st.Reload)
	for _, h := range st.HA {
		haState = h.State
	}
	s.setHAState(haState)
	return restarted, haState, nil
}

func (s *server) setHAState(state string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.facts.HAState != state {
		s.facts.HAState = state
		s.tell(Touched{Servers: true})
	}
}

// probe finds out what the server can do and where it keeps reservations.
func (s *server) probe(ctx context.Context, haState string) error {
	commands, err := s.client.ListCommands(ctx)
	if err != nil {
		return err
	}
	var missing []string
	for _, n := range needed {
		if !slices.Contains(commands, n.command) {
			missing = append(missing, n.hook)
		}
	}
	version, err := s.client.Version(ctx)
	if err != nil {
		return err
	}
	f := ServerFacts{Name: s.name, Version: version, HAState: haState, MissingHooks: missing}
	if contains(missing, hookHosts) {
		s.setFacts(f)
		return &kea.UnsupportedError{Command: "reservation-get-page", Hook: hookHosts}
	}
	database, err := s.client.ProbeDatabase(ctx)
	if err != nil {
		return fmt.Errorf("cannot find out whether Kea has a hosts-database: %w", err)
	}
	f.Storage = kea.TargetMemory
	switch {
	case s.storage == StorageDatabase && !database:
		s.setFacts(f)
		return ErrNoDatabase
	case database && s.storage != StorageMemory:
		f.Storage = kea.TargetDatabase
	}
	s.setFacts(f)
	s.setDatabase(database)
	return nil
}

func (s *server) setFacts(f ServerFacts) {
	s.mu.Lock()
	defer s.mu.Unlock()
	changed := f.Version != s.facts.Version || f.Storage != s.storageFound || !slices.Equal(f.MissingHooks, s.facts.MissingHooks)
	f.Err, f.SaveErr = s.facts.Err, s.facts.SaveErr
	s.storageFound, f.Storage = f.Storage, s.facts.Storage
	s.facts = f
	if changed {
		s.tell(Touched{Servers: true})
	}
}

func (s *server) setDatabase(has bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database = has
}

func (s *server) hasDatabase() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.database
}

func contains(hooks []string, hook string) bool { return slices.Contains(hooks, hook) }

// save lets Kea write its configuration once memory hosts have been still for a
// while, where that is wanted.
func (s *server) save(ctx context.Context) {
	s.mu.RLock()
	changed, after := s.changed, s.saveAfter
	s.mu.RUnlock()
	if !s.persist || changed.IsZero() || time.Since(changed) < saveDelay || time.Now().Before(after) {
		return
	}
	s.write(ctx, changed)
}

// saveLast saves what is not saved yet when the loop ends: nobody else will.
func (s *server) saveLast(ctx context.Context) {
	s.mu.RLock()
	changed := s.changed
	s.mu.RUnlock()
	if !s.persist || changed.IsZero() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveDelay)
	defer cancel()
	s.write(ctx, changed)
}

// write lets Kea write its configuration, with the memory hosts as they were
// changed last.
func (s *server) write(ctx context.Context, changed time.Time) {
	err := s.client.WriteConfig(ctx)
	s.mu.Lock()
	defer s.mu.Unlock()
	if err == nil && s.changed.Equal(changed) {
		s.changed = time.Time{}
	}
	if err != nil {
		// A file that cannot be written stays so until somebody mends it.
		s.saveAfter = time.Now().Add(s.interval)
	}
	if (err == nil) != (s.facts.SaveErr == nil) {
		s.tell(Touched{Servers: true})
	}
	s.facts.SaveErr = err
}
