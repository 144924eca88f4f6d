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
	// catchUpBeat is the least time between two portions of devices.
	catchUpBeat = 100 * time.Millisecond
	// firstPortion is how many devices are looked at first.
	firstPortion = 4
	// leastCommandTime is what Kea needs for a command at least (0.25 ms for a reservation-get of
	// 3.0.3), in case the commands so far were faster.
	leastCommandTime = 250 * time.Microsecond
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
	if c.Everything {
		devices = s.mirror.OwnedDevices()
	}
	// Who waits for an address comes last: as a rule that is the device which has it.
	last := mirror.Changes{Everything: c.Everything, Addresses: c.Addresses}
	s.notify(mirror.Changes{Servers: c.Servers})
	s.background.Go(func() { s.catchUp(ctx, devices, last) })
}

// servesWithout reports whether a server of the group serves beside one.
func (g *Group) servesWithout(one *server) bool {
	return slices.ContainsFunc(g.all(), func(s *server) bool { return s != one && s.unusable() == nil })
}

// catchUp has devices looked at a few at a time, so that what is sent because of it leaves Kea at least
// half of its time for DHCP, and users do not wait for it; after that it notifies of the last changes.
// It returns early when the server ceases to serve: the rest is behind again.
func (s *server) catchUp(ctx context.Context, devices []kea.HWAddress, last mirror.Changes) {
	// A few at first: the server may be slower now than before.
	for most := firstPortion; len(devices) > 0; most = min(2*most, pageSize) {
		n, wait := portion(s.commandTime())
		n = min(n, most, len(devices))
		s.notify(mirror.Changes{HWAddresses: causes(devices[:n])})
		devices = devices[n:]
		if len(devices) == 0 {
			break
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		if s.unusable() != nil {
			s.addAllBehind(devices, last.Everything)
			return
		}
	}
	s.notify(last)
}

// portion returns how many devices may be looked at now, and after how long the next ones, where a
// command takes this long: twice the time that their commands take.
func portion(command time.Duration) (int, time.Duration) {
	each := 2 * catchUpCommands * max(command, leastCommandTime)
	n := max(1, int(catchUpBeat/each))
	return n, max(catchUpBeat, time.Duration(n)*each)
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
}

// commandTime returns about how long a command takes now.
func (s *server) commandTime() time.Duration {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.took
}
