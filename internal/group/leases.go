// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// lookupsPerPage is how many lookups of single leases cost Kea about as much as a page.
const lookupsPerPage = 20

// pageLeases reads all leases, page by page, until add returns an error.
func (s *server) pageLeases(ctx context.Context, add func([]kea.Lease) error) error {
	s.leasePages = 0
	began := time.Now()
	for page, err := range s.client().LeasePages(ctx, pageSize) {
		if err != nil {
			return fmt.Errorf("cannot read leases: %w", err)
		}
		s.leasePages++
		s.unreadable += len(page.Unreadable)
		if err := add(page.Leases); err != nil {
			return fmt.Errorf("cannot read leases: %w", err)
		}
		if err := pause(ctx, time.Since(began)); err != nil {
			return err
		}
		began = time.Now()
	}
	return nil
}

// readLeasesOfWaiting brings the leases of the devices that wait for one up to date: by asking for
// each where they are few, by paging where that is cheaper.
func (s *server) readLeasesOfWaiting(ctx context.Context) error {
	waiting := s.currentlyWaiting()
	if len(waiting) == 0 || s.lacks(kea.HookLeaseCmds) {
		return nil
	}
	if len(waiting) > s.leasePages*lookupsPerPage {
		asked := time.Now()
		all, err := s.allLeases(ctx)
		if err != nil {
			return err
		}
		s.notify(s.mirror.PutLeases(s.name, all, asked))
		return nil
	}
	for _, k := range waiting {
		if err := s.readLeasesOf(ctx, k.HW); err != nil {
			return err
		}
	}
	return nil
}

// allLeases returns all leases.
func (s *server) allLeases(ctx context.Context) ([]kea.Lease, error) {
	var all []kea.Lease
	memory, limit := 0, s.current.Load().memory
	err := s.pageLeases(ctx, func(page []kea.Lease) error {
		all = append(all, page...)
		for i := range page {
			memory += page[i].Memory()
		}
		if memory > limit {
			return errTooMuch(limit)
		}
		return nil
	})
	return all, err
}

// readLeasesOf asks for a device's leases.
func (s *server) readLeasesOf(ctx context.Context, hw kea.HWAddress) error {
	asked := time.Now()
	leases, err := s.client().LeasesByHWAddress(ctx, hw)
	if err != nil {
		return fmt.Errorf("cannot look up the lease of %s: %w", hw, err)
	}
	s.notify(s.mirror.PutLeasesOf(s.name, hw, leases, asked))
	return nil
}

// trackWaiting keeps the list of devices that wait for a lease, by the state of their reservation.
func (s *server) trackWaiting(k mirror.Key, state reservation.State) {
	if state == reservation.AwaitingLease {
		s.startWaiting(k)
	} else {
		s.stopWaiting(k)
	}
}

// startWaiting records that a device waits for a lease, and asks for a tick if it is a new one.
func (s *server) startWaiting(k mirror.Key) {
	s.mu.Lock()
	_, known := s.waiting[k]
	s.waiting[k] = struct{}{}
	s.mu.Unlock()
	if !known {
		s.requestTick()
	}
}

// stopWaiting records that a device waits no longer.
func (s *server) stopWaiting(k mirror.Key) {
	s.mu.RLock()
	_, waits := s.waiting[k]
	s.mu.RUnlock()
	if waits {
		s.mu.Lock()
		delete(s.waiting, k)
		s.mu.Unlock()
	}
}

func (s *server) currentlyWaiting() []mirror.Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]mirror.Key, 0, len(s.waiting))
	for k := range s.waiting {
		out = append(out, k)
	}
	return out
}

// dropWaiting forgets the devices that wait for a lease in a subnet that Kea no longer has.
func (s *server) dropWaiting() {
	for _, k := range s.currentlyWaiting() {
		if _, ok := s.mirror.Resolve(s.name, reservation.SubnetRef{ID: k.SubnetID}); !ok {
			s.stopWaiting(k)
		}
	}
}
