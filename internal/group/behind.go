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

// TrackAway has a device looked at again when a server that is away now has been read, and reports
// whether some server is away, and whether all are. A caller may rely on being woken by those: one
// that came back before the device was on its list is not counted.
func (g *Group) TrackAway(hw kea.HWAddress) (some, all bool) {
	all = true
	for _, s := range g.all() {
		if s.silent() == nil {
			all = false
			continue
		}
		s.addBehind(hw)
		// Since it was asked, it may have come back, or have been taken out of the configuration.
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
