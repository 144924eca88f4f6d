// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// freshLease is how old what is known of a device's leases may be when the address
// of one is reserved. The device keeps that address for good, so a lease that it
// has been given since must not be missed.
const freshLease = 2 * time.Second

func (s *server) readLeases(ctx context.Context) (map[kea.HWAddress][]kea.Lease, error) {
	all := map[kea.HWAddress][]kea.Lease{}
	s.pages = 1
	began := time.Now()
	for page, err := range s.client.LeasePages(ctx, pageSize) {
		if err != nil {
			return nil, fmt.Errorf("cannot read leases: %w", err)
		}
		s.pages++
		for _, l := range page.Leases {
			all[l.HWAddress] = append(all[l.HWAddress], l)
		}
		if err := pause(ctx, time.Since(began)); err != nil {
			return nil, err
		}
		began = time.Now()
	}
	now := time.Now()
	for hw, l := range all {
		if active := activeLeases(l, now); len(active) > 0 {
			all[hw] = active
		} else {
			delete(all, hw)
		}
	}
	return all, nil
}

// scanWaiting brings the leases of the devices that wait for one up to date: by
// asking for each where they are few, by paging where that is cheaper.
func (s *server) scanWaiting(ctx context.Context) error {
	s.mu.RLock()
	waiting := keys(s.waiting)
	known := s.snap.leasesKnown
	s.mu.RUnlock()
	if len(waiting) == 0 || !known {
		return nil
	}
	if len(waiting) > s.pages*lookupsPerPage {
		asked := time.Now()
		leases, err := s.readLeases(ctx)
		if err != nil {
			return err
		}
		s.setLeases(leases, asked)
		return nil
	}
	for _, k := range waiting {
		if err := s.askForLeases(ctx, k.hw); err != nil {
			return err
		}
	}
	return nil
}

// refreshLeases brings a device's leases up to date, unless they are just that:
// thousands that have waited together have been read together.
func (s *server) refreshLeases(ctx context.Context, hw kea.HWAddress) error {
	s.mu.RLock()
	fresh := s.snap.ageOfLeases(hw, time.Now()) < freshLease
	s.mu.RUnlock()
	if fresh {
		return nil
	}
	return s.askForLeases(ctx, hw)
}

func (s *server) askForLeases(ctx context.Context, hw kea.HWAddress) error {
	asked := time.Now()
	leases, err := s.client.LeasesByHWAddress(ctx, hw)
	if err != nil {
		return fmt.Errorf("cannot look up the lease of %s: %w", hw, err)
	}
	s.setLeasesOf(hw, activeLeases(leases, asked), asked)
	return nil
}

func (s *server) setLeases(leases map[kea.HWAddress][]kea.Lease, asked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := newTouched()
	next := newSnapshot(s.snap.taken)
	next.leases, next.leasesAsked, next.leasesKnown = leases, asked, true
	next.takeNewerLeases(s.snap)
	compareLeases(t, s.snap.leases, next.leases)
	s.snap.leases, s.snap.leasesAsked, s.snap.askedFor = next.leases, asked, next.askedFor
	s.tell(t)
}

func (s *server) setLeasesOf(hw kea.HWAddress, leases []kea.Lease, asked time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if asked.Before(s.snap.leasesAsked) {
		return // All have been asked for since.
	}
	before := s.snap.leases[hw]
	s.snap.setLeasesOf(hw, leases, asked)
	if !sameLeases(before, leases) {
		t := newTouched()
		t.HWAddresses[hw] = struct{}{}
		s.tell(t)
	}
}
