// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// Devices that wait for a lease are looked up when one may have come. Kea says cheaply when the
// leases of a subnet last changed, so that is asked more often than the rest, and nothing is read
// while it stays the same:
//
//	asked    at once for devices that begin to wait, also between the pages of a snapshot
//	         all lookups, each heartbeat if Kea does not say when leases change
//	         once a second, by default, while a device of the subnet has begun to wait lately, or
//	         leases have changed
//	         less often, down to each heartbeat, the longer nothing has happened, the more subnets
//	         have devices that wait, and the longer reading leases takes
const (
	// looksPerSnapshot is how many looks there are in a snapshot interval at most, and
	// subnetsPerLook how many subnets may be asked about at that rate.
	looksPerSnapshot = 30
	subnetsPerLook   = 4
	// idleLooks is the least number of looks since something has happened, before they become
	// fewer.
	idleLooks = 60
	// looksShare is which part of the time reading leases may take between two heartbeats: a
	// quarter, and half of that is pauses.
	looksShare = 4
)

// leaseLooks is when leases of devices that wait were last looked for, and what was found. It
// belongs to the loop of a server.
type leaseLooks struct {
	// asked is set if devices have begun to wait since the last look.
	asked bool
	// ended is when the last look or snapshot ended, lasted how long the look took in all, and
	// failed is set if it did not succeed.
	ended  time.Time
	lasted time.Duration
	failed bool
	// changed is when the leases of each subnet with devices that wait had last changed, in Kea's
	// words, when its devices were last looked up; "" if Kea cannot say.
	changed map[uint32]string
	// moved is when a device was last new, or leases had changed.
	moved time.Time
	// took is how long reading leases has taken the last time; 0 if nothing had to be read.
	took time.Duration
}

// due returns when the next look is due; false if that is not before the next heartbeat.
func (l *leaseLooks) due(interval time.Duration, now time.Time) (time.Time, bool) {
	if l.asked {
		// Those that are asked for take Kea a third of the time at most.
		return l.ended.Add(max(minGap, 2*l.lasted)), true
	}
	gap, ok := l.gap(interval, now)
	return l.ended.Add(gap), ok
}

// gap returns how long after the last look the next one is due; false if that is not before the
// next heartbeat.
func (l *leaseLooks) gap(interval time.Duration, now time.Time) (time.Duration, bool) {
	for _, c := range l.changed {
		if c == "" {
			return 0, false
		}
	}
	least := max(interval/looksPerSnapshot, minGap)
	subnets := time.Duration(len(l.changed)) * least / subnetsPerLook
	gap := max(least, subnets, now.Sub(l.moved)/idleLooks, looksShare*l.took)
	return gap, len(l.changed) > 0 && gap < interval/ticksPerSnapshot
}

// lookForLeases looks up the devices that wait for a lease, those only that may have got one since
// it was done last.
func (s *server) lookForLeases(ctx context.Context) error {
	select {
	case <-s.lookNow: // All that have asked are among those that wait.
	default:
	}
	return s.look(func() error { return s.lookUpWaiting(ctx) })
}

// look looks for leases, and records that.
func (s *server) look(do func() error) error {
	began := time.Now()
	err := do()
	l := &s.leaseLooks
	l.asked, l.ended, l.lasted, l.failed = false, time.Now(), time.Since(began), err != nil
	return err
}

func (s *server) lookUpWaiting(ctx context.Context) error {
	waiting := s.currentlyWaiting()
	s.leaseLooks.took = 0
	if len(waiting) == 0 || !s.listsLeases() {
		s.leaseLooks.changed = nil
		return nil
	}
	changed, err := s.leasesChanged(ctx, waiting)
	if err != nil {
		return err
	}
	var concerned []mirror.Key
	added := 0
	for k, lookedUp := range waiting {
		now := changed[k.SubnetID]
		if !lookedUp || now == "" || now != s.leaseLooks.changed[k.SubnetID] {
			concerned = append(concerned, k)
		}
		if !lookedUp {
			added++
		}
	}
	if len(concerned) > 0 {
		began := time.Now()
		s.leaseLooks.moved = began
		if err := s.readLeasesOfWaiting(ctx, concerned, added); err != nil {
			return err
		}
		s.leaseLooks.took = time.Since(began)
	}
	s.leaseLooks.changed = changed
	return nil
}

func (s *server) listsLeases() bool { return s.unusable() == nil && !s.lacks(kea.HookLeaseCmds) }

// lookBetweenPages looks up the devices that have begun to wait while a scan runs, which takes
// seconds in a large fleet. It does not where all leases would be read for that, which the scan is
// about to do. It returns an error only if Kea does not answer.
func (s *server) lookBetweenPages(ctx context.Context) error {
	select {
	case <-s.lookNow:
		s.leaseLooks.asked = true
	default:
	}
	due, _ := s.leaseLooks.due(s.interval(), time.Now())
	if !s.leaseLooks.asked || time.Now().Before(due) || !s.listsLeases() {
		return nil
	}
	added := s.newlyWaiting()
	if s.pagesAreFewer(len(added), len(added)) {
		return nil
	}
	err := s.look(func() error { return s.readLeasesOfWaiting(ctx, added, len(added)) })
	s.leaseLooks.asked = true // After the scan: when the leases of their subnet last changed is not known yet.
	if _, unreachable := errors.AsType[*kea.UnreachableError](err); !unreachable {
		err = nil // Whatever it is, the next tick tries again.
	}
	return err
}

// requestLook asks the loop to look for leases. Requests that are made at the same time share one.
func (s *server) requestLook() {
	select {
	case s.lookNow <- struct{}{}:
	default:
	}
}

// leasesChanged returns for each subnet in which devices wait when its leases last changed; "" if
// Kea does not say, or if there are so many subnets that it is cheaper to read all leases. An
// answer that cannot be read says nothing either: the devices are looked up then.
func (s *server) leasesChanged(ctx context.Context, waiting map[mirror.Key]bool) (map[uint32]string, error) {
	changed := map[uint32]string{}
	for k := range waiting {
		changed[k.SubnetID] = ""
	}
	if len(changed) > max(s.leaseDemand.pageCount(), 1)*lookupsPerPage {
		return changed, nil
	}
	for id := range changed {
		c, err := s.client().LeasesChanged(ctx, id)
		if _, unreachable := errors.AsType[*kea.UnreachableError](err); unreachable {
			return nil, err //nolint:wrapcheck // It names the command.
		}
		changed[id] = c // "" with an error
	}
	return changed, nil
}
