// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Repeated returns how many of the hosts that have been added were in the scan already. A host that
// is updated while it runs is seen twice; a listing that goes in a circle repeats all of them.
func (s *Scan) Repeated() int {
	return s.listed - s.Total()
}

// Total returns how many hosts have been added, each counted once.
func (s *Scan) Total() int {
	n := 0
	for _, h := range s.hosts {
		n += h.count
	}
	return n
}

// subnetMemory is about how many bytes a subnet takes.
const subnetMemory = 128

// Memory returns about how many bytes the scan takes.
func (s *Scan) Memory() int {
	n := s.leases.memory + len(s.subnets)*subnetMemory
	for _, h := range s.hosts {
		n += h.memory
	}
	return n
}

// leastRoom is how many bytes hosts that have gone may take in any case.
const leastRoom = 1 << 20

// roomForVanished returns how many bytes hosts may take that are remembered now though they have
// gone: with those that are remembered already, as many as the server has ever had. All hosts of a
// server can go at once, and a server that lists others each time must not make that more and more.
// It needs the lock.
func (m *Mirror) roomForVanished(at reservation.Store) int {
	s, ok := m.servers[at.Server]
	if !ok {
		return 0
	}
	room := max(s.most, s.had, leastRoom)
	for _, st := range s.stores {
		for _, e := range st.vanished {
			room -= e.Memory()
		}
	}
	return room
}

// memory returns about how many bytes the hosts of the server take.
func (s *server) memory() int {
	n := 0
	for _, st := range s.stores {
		n += st.memory
	}
	return n
}
