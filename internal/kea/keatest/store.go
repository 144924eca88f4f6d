// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"math"
	"slices"
	"sync"

	"github.com/vitistack/provider-kea/internal/kea"
)

// store is one place that holds hosts, in the order in which they came.
type store struct {
	mu    sync.Mutex
	last  uint64
	hosts []host
}

// host is a reservation with the id that Kea counts it by; an updated one gets a new id.
type host struct {
	id uint64
	kea.Reservation
}

func newStore() *store { return &store{} }

func (t *store) clone() *store {
	t.mu.Lock()
	defer t.mu.Unlock()
	return &store{last: t.last, hosts: slices.Clone(t.hosts)}
}

// clash is why a host cannot be added.
type clash int

const (
	noClash clash = iota
	sameIdentifier
	sameAddress
)

// add adds a host unless it clashes with another.
func (t *store) add(r kea.Reservation, unique bool) clash {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, h := range t.hosts {
		switch {
		case h.SubnetID != r.SubnetID:
		case identify(h.Reservation) == identify(r):
			return sameIdentifier
		case unique && r.IPAddress.IsValid() && h.IPAddress == r.IPAddress:
			return sameAddress
		}
	}
	t.last++
	t.hosts = append(t.hosts, host{t.last, r.Clone()})
	return noClash
}

// remove removes the hosts that fit, and says how many there were.
func (t *store) remove(fits func(kea.Reservation) bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.hosts)
	t.hosts = slices.DeleteFunc(t.hosts, func(h host) bool { return fits(h.Reservation) })
	return before - len(t.hosts)
}

// find gives the hosts that fit, up to limit, with an id above from.
func (t *store) find(from uint64, limit int, fits func(kea.Reservation) bool) []host {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []host
	for _, h := range t.hosts {
		if h.id > from && len(out) < limit && fits(h.Reservation) {
			out = append(out, host{h.id, h.Clone()})
		}
	}
	return out
}

// Database is a hosts-database. It outlives the servers in front of it, and several can share it.
type Database struct{ store }

// NewDatabase makes an empty one.
func NewDatabase() *Database { return &Database{} }

// databaseState is a server's connection to its database.
type databaseState struct {
	of *Database
	// breaking: gone, and not noticed yet. lost: noticed, and taken from the list of back ends (on-fail: serve-retry-continue).
	breaking, lost bool
}

// LoseDatabase cuts the server off its database, as an outage does where Kea is told to go on (on-fail: serve-retry-continue): the next command that
// needs it is told "connectivity lost". From then on reads of it answer "not found", and writes that there is none.
func (s *Server) LoseDatabase() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database.breaking = true
}

// RestoreDatabase ends the outage. Nothing is lost.
func (s *Server) RestoreDatabase() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.database.breaking, s.database.lost = false, false
}

// Reservations lists what is kept in one place.
func (s *Server) Reservations(target kea.Target) []kea.Reservation {
	hosts := s.place(target).find(0, math.MaxInt, func(kea.Reservation) bool { return true })
	out := make([]kea.Reservation, 0, len(hosts))
	for _, h := range hosts {
		out = append(out, h.Reservation)
	}
	return out
}

// PutReservation adds or replaces a host, without any check, as somebody else would. It is kept in the form in which Kea answers.
func (s *Server) PutReservation(target kea.Target, r kea.Reservation) {
	s.DropReservation(target, r)
	if err := canonical(&r); err != nil {
		panic("keatest: " + err.Error())
	}
	s.place(target).add(r, false)
}

// DropReservation removes the host with the subnet-id and identifier of r, if there is one, as somebody else would.
func (s *Server) DropReservation(target kea.Target, r kea.Reservation) {
	if err := canonical(&r); err != nil {
		panic("keatest: " + err.Error())
	}
	s.place(target).remove(func(h kea.Reservation) bool { return h.SubnetID == r.SubnetID && identify(h) == identify(r) })
}

// place gives a store to look at from outside of commands.
func (s *Server) place(target kea.Target) *store {
	s.mu.Lock()
	defer s.mu.Unlock()
	if target == kea.TargetMemory {
		return s.memory
	}
	if s.database.of == nil {
		panic("keatest: this server has no database")
	}
	return &s.database.of.store
}
