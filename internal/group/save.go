// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

const (
	// saveDelay is how long reservations in memory have to be left alone before Kea saves them.
	saveDelay = 5 * time.Second
	// unsaveableDelay is when a configuration that cannot be saved without loss is looked at again,
	// unless Kea reads another one before: looking is as costly as saving.
	unsaveableDelay = 10 * time.Minute
)

// markUnsaved records that reservations in memory have changed.
func (s *server) markUnsaved(place kea.Target) {
	if place != kea.TargetMemory || !s.current.Load().persist {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unsavedSince = time.Now()
}

// save lets Kea write its configuration file once reservations in memory have not changed for a
// while.
func (s *server) save(ctx context.Context) {
	s.mu.RLock()
	since, retry := s.unsavedSince, s.retrySaveAt
	s.mu.RUnlock()
	if since.IsZero() || time.Since(since) < saveDelay || time.Now().Before(retry) {
		return
	}
	s.saveConfig(ctx, since)
}

// saveLast saves what is not saved yet when the loop ends, after which no other tick does.
func (s *server) saveLast(ctx context.Context) {
	s.mu.RLock()
	since, retry := s.unsavedSince, s.retrySaveAt
	s.mu.RUnlock()
	if since.IsZero() || time.Now().Before(retry) {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), saveDelay)
	defer cancel()
	s.saveConfig(ctx, since)
}

// retrySave lets a save that has failed be tried again at once.
func (s *server) retrySave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retrySaveAt = time.Time{}
}

// saveConfig lets Kea write its configuration, with the reservations in memory as they were last
// changed at the given time. It does not where that would empty options in the file: config-write
// writes what config-get returns.
func (s *server) saveConfig(ctx context.Context, since time.Time) {
	delay := s.interval()
	c, err := s.client().Configuration(ctx)
	switch {
	case err != nil:
		err = fmt.Errorf("cannot check whether saving would lose options: %w", err)
	case len(c.OpaqueOptions) > 0:
		err, delay = errUnsaveable(c), unsaveableDelay
	default:
		err = s.client().WriteConfig(ctx)
	}
	s.mu.Lock()
	if err == nil && s.unsavedSince.Equal(since) {
		s.unsavedSince, s.removalsSaved = time.Time{}, true
	}
	if err != nil {
		s.retrySaveAt = time.Now().Add(delay)
	}
	s.mu.Unlock()
	s.updateFacts(func(f *ServerFacts) { f.SaveErr = err })
}

// maxUnsavedRemovals bounds how many removals are remembered where saving fails for long.
const maxUnsavedRemovals = 10000

// removed records that a reservation has been removed for an owner. Until Kea has saved that, its
// configuration file may have the reservation, and a restart brings it back.
func (s *server) removed(at reservation.Store, k mirror.Key, owner reservation.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at.Place == kea.TargetMemory && s.current.Load().persist && len(s.unsavedRemovals) < maxUnsavedRemovals {
		s.unsavedRemovals[k] = owner
	}
}

// settleRemovals forgets the removals that Kea has saved, unless it has restarted: that may have been
// before it saved, with what had come back.
func (s *server) settleRemovals(restarted bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.removalsSaved && !restarted && s.unsavedSince.IsZero() {
		clear(s.unsavedRemovals)
	}
	s.removalsSaved = s.removalsSaved && !restarted
}

// writes records that there is a reservation again.
func (s *server) writes(k mirror.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.unsavedRemovals, k)
}

// removeAgain removes what had been removed, and not saved, before Kea read its configuration file. The
// resource has gone, so that nothing else would.
func (s *server) removeAgain(ctx context.Context, scan *mirror.Scan) error {
	s.mu.RLock()
	removals := maps.Clone(s.unsavedRemovals)
	s.mu.RUnlock()
	at := reservation.Store{Server: s.name, Place: kea.TargetMemory}
	for k, owner := range removals {
		if !scan.Lists(at.Place, k) {
			continue
		}
		got, err := s.fetchHost(ctx, at, k)
		if err != nil {
			return fmt.Errorf("cannot tell whether a removed reservation has come back: %w", err)
		}
		if has, marked := reservation.OwnerOf(got); !marked || has != owner {
			continue
		}
		if err := s.client().DeleteReservation(ctx, at.Place, k.SubnetID, k.HW); err != nil && !errors.Is(err, kea.ErrNotFound) {
			return fmt.Errorf("cannot remove a reservation that has come back: %w", err)
		}
		s.markUnsaved(at.Place)
		s.notify(s.mirror.PutHost(at, k, nil, ""))
	}
	return nil
}

// unsaveableError reports that the configuration has options which config-write would empty.
type unsaveableError struct{ options string }

// Error names the options and the remedy.
func (e *unsaveableError) Error() string {
	return "config-write is not sent, since it would erase the content of " + e.options + ", which Kea does not return: remove it from Kea's configuration"
}

func errUnsaveable(c kea.Configuration) error {
	return &unsaveableError{options: opaqueOptions(c.OpaqueOptions)}
}

// reportUnsaveable reports that the configuration cannot be saved, or that it can be again, as soon
// as that is known.
func (s *server) reportUnsaveable(settings mirror.Settings) {
	if !s.current.Load().persist || settings.Primary != kea.TargetMemory || s.configuration == nil {
		return
	}
	var unsaveable *unsaveableError
	switch {
	case len(s.configuration.OpaqueOptions) > 0:
		s.updateFacts(func(f *ServerFacts) { f.SaveErr = errUnsaveable(*s.configuration) })
	case errors.As(s.currentFacts().SaveErr, &unsaveable):
		s.retrySave()
		s.updateFacts(func(f *ServerFacts) { f.SaveErr = nil })
	}
}
