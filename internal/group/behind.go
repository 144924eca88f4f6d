// SPDX-License-Identifier: Apache-2.0

package group

import (
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// addBehind remembers that a device is to be looked at again once the server has been read. It does
// nothing for a server that is no longer configured.
func (s *server) addBehind(hw kea.HWAddress) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind[hw] = struct{}{}
}

// TrackAway has a device looked at again when a server is read that is away now, and reports
// whether some server is, and whether all are. A caller may wait for that: had a server come back
// just before, it would not be among them.
func (g *Group) TrackAway(hw kea.HWAddress) (some, all bool) {
	all = true
	for _, s := range g.all() {
		if s.silent() == nil {
			all = false
			continue
		}
		s.addBehind(hw)
		// What is asked before that may have changed: it may have come back, or be no longer
		// configured.
		removed := g.server(s.name) != s
		some = some || s.silent() != nil && !removed
		all = all && s.unusable() != nil && !removed
	}
	return some, all
}

// addAllBehind does so for several devices, and for what other changes concern.
func (s *server) addAllBehind(devices []kea.HWAddress, others mirror.Changes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hw := range devices {
		s.behind[hw] = struct{}{}
	}
	s.othersBehind.Merge(others)
}

// takeBehind returns what is to be looked at again now.
func (s *server) takeBehind() mirror.Changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := s.othersBehind
	for hw := range s.behind {
		c.Merge(mirror.Changes{HWAddresses: map[kea.HWAddress]string{hw: ""}})
	}
	s.othersBehind = mirror.Changes{}
	clear(s.behind)
	return c
}
