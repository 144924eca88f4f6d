// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

const (
	// catchUpCommands is about how many commands bring one device up to date: its host and the holders
	// of its address are read in each store, and it is written and read back.
	catchUpCommands = 6
	// catchUpBeat is the least time between two portions of devices, and how often it is seen whether
	// the next one is due.
	catchUpBeat = 100 * time.Millisecond
	// firstPortion is how many devices are looked at first.
	firstPortion = 4
)

// afterScan has the devices looked at that a scan concerns, and those that could not be while the server
// was not serving. Where others have served meanwhile, one that has returned is caught up gradually.
func (s *server) afterScan(ctx context.Context, returned bool, c mirror.Changes) {
	c.Merge(s.takeBehind())
	if !returned || !s.group.servesWithout(s) {
		s.notify(c)
		return
	}
	devices := slices.Sorted(maps.Keys(c.HWAddresses))
	if c.Everything || len(c.Subnets) > 0 {
		// Which devices the resources of a subnet have is not known here: all, rather than too many
		// at once.
		for _, hw := range s.mirror.OwnedDevices() {
			if _, first := c.HWAddresses[hw]; !first {
				devices = append(devices, hw)
			}
		}
	}
	// Who waits for an address comes last: as a rule that is the device which has it.
	last := mirror.Changes{Everything: c.Everything, Subnets: c.Subnets, Addresses: c.Addresses}
	s.notify(mirror.Changes{Servers: c.Servers})
	ctx, cancel := context.WithCancel(ctx)
	if s.endCatchUp != nil {
		s.endCatchUp() // It had more to do when the server went again: that is notified at once.
	}
	s.endCatchUp = cancel
	s.background.Go(func() {
		defer cancel()
		s.catchUp(ctx, devices, last)
	})
}

// servesWithout reports whether a server of the group serves beside one.
func (g *Group) servesWithout(one *server) bool {
	return slices.ContainsFunc(g.all(), func(s *server) bool { return s != one && s.unusable() == nil })
}

// catchUp has devices looked at a few at a time, so that what is sent meanwhile leaves Kea at least half
// of its time for DHCP, and users do not wait for it; after that it notifies of the last changes. It
// returns early, and notifies of the rest at once, when the context ends: that is when the server is
// removed, or has come back another time. When the server ceases to serve, the rest is behind again.
func (s *server) catchUp(ctx context.Context, devices []kea.HWAddress, last mirror.Changes) {
	began, before := time.Now(), s.busyTime()
	for n := firstPortion; len(devices) > 0; {
		portion, cost := devices[:min(n, len(devices))], s.busyTime()
		s.notify(mirror.Changes{HWAddresses: causes(portion)})
		if devices = devices[len(portion):]; len(devices) == 0 {
			break
		}
		// Twice as long as Kea has worked since the beginning, and at least a beat.
		for again := true; again; again = time.Since(began) < 2*(s.busyTime()-before) {
			if !sleep(ctx, catchUpBeat) {
				last.Merge(mirror.Changes{HWAddresses: causes(devices)})
				s.notify(last)
				return
			}
			if s.unusable() != nil {
				s.addAllBehind(devices, mirror.Changes{Everything: last.Everything, Subnets: last.Subnets})
				s.notify(mirror.Changes{Addresses: last.Addresses})
				return
			}
		}
		n = nextPortion(n, s.busyTime()-cost, s.commandTime())
	}
	s.notify(last)
}

// nextPortion returns how many devices are looked at next, after n have kept Kea busy for some time:
// more if that was none, and else as many as fill half a beat.
func nextPortion(n int, busy, command time.Duration) int {
	if busy == 0 {
		return min(2*n, pageSize)
	}
	return min(2*n, max(1, int(catchUpBeat/(2*catchUpCommands*max(command, time.Microsecond)))))
}

func causes(devices []kea.HWAddress) map[kea.HWAddress]string {
	out := make(map[kea.HWAddress]string, len(devices))
	for _, hw := range devices {
		out[hw] = ""
	}
	return out
}

// commandTook records how long a command of a caller has taken.
func (s *server) commandTook(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.took += (d - s.took) / 4 // A moving average.
	s.busy += d
}

// commandTime returns about how long a command takes now.
func (s *server) commandTime() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.took
}

// busyTime returns how long all commands of callers have taken. That is more than Kea has worked on
// them, as it works on one after the other.
func (s *server) busyTime() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.busy
}
