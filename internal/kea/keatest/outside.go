// SPDX-License-Identifier: Apache-2.0

package keatest

import "github.com/vitistack/provider-kea/internal/kea"

// This file has what a test does to the stores directly, as other users of Kea would.

// databaseState is a server's connection to its database.
type databaseState struct {
	of *Database
	// breaking: gone, and not noticed yet. lost: noticed, and removed from the list of back ends
	// (on-fail: serve-retry-continue).
	breaking, lost bool
}

// LoseDatabase cuts the server off its database, as an outage does with a Kea that is configured to
// go on (on-fail: serve-retry-continue): the next command that needs it is answered "connectivity
// lost". From then on reads of it are answered "not found", and writes that there is none.
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

// Reservations returns what is kept in one store, the content of opaque options included.
func (s *Server) Reservations(target kea.Target) []kea.Reservation {
	hosts := s.place(target).find(func(kea.Reservation) bool { return true })
	out := make([]kea.Reservation, 0, len(hosts))
	for _, h := range hosts {
		out = append(out, h.Reservation)
	}
	return out
}

// PutReservation adds or replaces a host, without any check. It is kept in the form in which Kea
// keeps it.
func (s *Server) PutReservation(target kea.Target, r kea.Reservation) { s.put(target, r, false) }

// KeepInFile has the hosts that are in memory now survive restarts and reloads, as those do that a
// person writes into the configuration file. Unlike config-write it keeps all of them.
func (s *Server) KeepInFile() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.persisted = s.memory.clone()
}

// PutUnreadable adds or replaces a host like PutReservation. It is answered so that it cannot be
// parsed.
func (s *Server) PutUnreadable(target kea.Target, r kea.Reservation) { s.put(target, r, true) }

func (s *Server) put(target kea.Target, r kea.Reservation, unreadable bool) {
	s.DropReservation(target, r)
	s.place(target).add(host{Reservation: s.canonical(r), unreadable: unreadable}, false)
}

// DropReservation removes the host with the subnet-id and identifier of r, if there is one.
func (s *Server) DropReservation(target kea.Target, r kea.Reservation) {
	r = s.canonical(r)
	s.place(target).remove(func(h kea.Reservation) bool { return h.SubnetID == r.SubnetID && identify(h) == identify(r) })
}

func (s *Server) canonical(r kea.Reservation) kea.Reservation {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.options.canonical(&r); err != nil {
		panic("keatest: " + err.Error())
	}
	return r
}

// place returns a store to use from outside of commands.
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
