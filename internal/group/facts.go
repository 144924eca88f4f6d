// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// ServerFacts is what is known of a server beside what it holds.
type ServerFacts struct {
	Name    string
	Version string
	// Storage is where reservations are written; "" until that is known.
	Storage kea.Target
	// HAState is the state of the first of HA, the high-availability relationships that the server
	// takes part in; empty without the hook library.
	HAState string
	HA      []kea.HAStatus
	// State is whether the server serves, and Since is when it began to, or ceased to. A Suspect
	// server is reported as Up.
	State Health
	Since time.Time
	// Initial means that the server has neither begun to serve nor ceased to since the group was
	// opened: it may have been so before Since. A server that was added later is not Initial.
	Initial bool
	// LastRead is when all that the server holds was last read, and Reservations is how many host
	// reservations there were; the zero time if it has not been read yet.
	LastRead     time.Time
	Reservations int
	// MissingHooks are hook libraries that the provider needs and the server does not load.
	MissingHooks []string
	// Warnings are what Kea is configured to ignore, and what could not be checked.
	Warnings []string
	// Err is why the server cannot be used; nil if State is Up.
	Err error
	// SubnetsErr is ErrSubnetsLost while the server lists none of the subnets that it listed
	// before; nil otherwise. The server can be used.
	SubnetsErr error
	// SaveErr is why reservations in memory could not be saved to Kea's configuration file; nil if
	// they were, or are not to be.
	SaveErr error
}

func (s *server) currentFacts() ServerFacts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts
}

// updateFacts changes the facts, and announces them if they are others than was last announced. A
// server that gives others all the time is not announced each time: see pacer.
func (s *server) updateFacts(update func(*ServerFacts)) {
	now := time.Now()
	s.mu.Lock()
	before := s.facts
	update(&s.facts)
	s.facts.Err, s.facts.SaveErr = steady(before.Err, s.facts.Err), steady(before.SaveErr, s.facts.SaveErr)
	s.facts.State, s.facts.Since, s.facts.Initial = reported(s.health.state), s.health.since, !s.health.changed
	changed := !sameFacts(s.announced, s.facts) && s.announcements.may(now)
	if changed {
		s.announced = s.facts
	}
	s.mu.Unlock()
	if changed {
		s.notify(mirror.Changes{Servers: true})
	}
}

// sameFacts reports whether there is nothing new to report. When the server was last read is not news:
// it changes with each snapshot. Errors are of the same kind if they have the same text: one whose text
// alone has changed was not taken over, see steady.
func sameFacts(a, b ServerFacts) bool {
	return a.Version == b.Version && a.Storage == b.Storage && slices.Equal(a.HA, b.HA) && slices.Equal(a.MissingHooks, b.MissingHooks) &&
		a.State == b.State && a.Since.Equal(b.Since) && a.Reservations == b.Reservations &&
		slices.Equal(a.Warnings, b.Warnings) && text(a.Err) == text(b.Err) && text(a.SubnetsErr) == text(b.SubnetsErr) && text(a.SaveErr) == text(b.SaveErr)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// reported returns the state that is worth a report: whether a Suspect server is Up or Down turns out
// in a moment.
func reported(h Health) Health {
	if h == Suspect {
		return Up
	}
	return h
}

// failed records why the server cannot be used. That alone concerns no reservation: what was last
// seen of each still holds.
func (s *server) failed(err error) {
	s.updateFacts(func(f *ServerFacts) {
		s.health.failed(time.Now(), s.interval())
		f.Err = err
	})
}

// recovered records that all of the server has been read, and reports whether it did not serve before.
func (s *server) recovered() (returned bool) {
	lastRead, reservations := s.mirror.Scanned(s.name), s.mirror.Reservations(s.name)
	s.updateFacts(func(f *ServerFacts) {
		returned = !s.health.serves()
		s.health.read(time.Now())
		f.Err = nil
		f.LastRead, f.Reservations = lastRead, reservations
	})
	return returned
}
