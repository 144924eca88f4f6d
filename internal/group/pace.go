// SPDX-License-Identifier: Apache-2.0

package group

import (
	"time"
)

// Kea serves no DHCP client while it answers, so what snapshots cost it decides how often they are
// taken. Each page is followed by a pause (pause), and a snapshot by as much time as keeps its
// pages below a share of Kea's:
//
//	hosts and leases   pages   Kea needs for them   snapshot each
//	 1,000              2       20 ms                30 s, as configured
//	10,000             20      200 ms                30 s
//	50,000            100        1 s                 60 s
const (
	// pagesShare is which part of Kea's time the pages of snapshots may take: a sixtieth, so that
	// with heartbeats, and with sending what they have, it is below 2 %.
	pagesShare = 60
	// maxStretch bounds by how many times the interval is prolonged for that: what is changed
	// outside the provider has to be noticed at some time.
	maxStretch = 10
)

// intervalFor returns the time between two snapshots of which the pages of one take Kea some time.
func intervalFor(configured, pages time.Duration) time.Duration {
	return min(max(configured, pagesShare*pages), maxStretch*configured)
}

// snapshotEvery returns the time between two snapshots of the server.
func (s *server) snapshotEvery() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return intervalFor(s.interval(), s.pagesTook)
}

// lastHeard returns when a page was last read, if that was after some time, and that time
// otherwise.
func (s *server) lastHeard(after time.Time) time.Time {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.heard.Before(after) {
		return after
	}
	return s.heard
}

// pageTook records a page, and how long Kea has taken for one of some entries. Only full ones
// count: what is not a page costs little, and most of the time that it takes is the way to Kea and
// back.
func (s *server) pageTook(entries int, d time.Duration) {
	s.mu.Lock()
	s.heard = time.Now()
	s.mu.Unlock()
	if entries >= pageSize {
		s.pages += max(0, d-s.roundTrip)
	}
}

// snapshotTook records what the pages of a snapshot took, once it is complete. The lesser of the
// last two counts: where a machine stood still during one of them, the next is not to be put off
// for that.
func (s *server) snapshotTook() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pagesTook, s.lastPages = min(s.pages, s.lastPages), s.pages
}

// heartbeatTook records how long a heartbeat has taken. The shortest is the way to Kea and back.
func (s *server) heartbeatTook(d time.Duration) {
	if s.roundTrip == 0 || d < s.roundTrip {
		s.roundTrip = d
	}
}
