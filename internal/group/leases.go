// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// freshLease is how old what is known of a device's leases may be when the address of one is
// reserved.
const freshLease = 2 * time.Second

// lookupsPerPage is how many lookups of single leases cost Kea about as much as a page. It is what
// counts for devices that are looked up at every tick.
const lookupsPerPage = 20

// pageLeases reads all leases, page by page, until add returns an error.
func (s *server) pageLeases(ctx context.Context, add func(kea.LeasePage) error) error {
	pages, took := 0, time.Duration(0)
	began := time.Now()
	for page, err := range s.client().LeasePages(ctx, pageSize) {
		if err != nil {
			return fmt.Errorf("cannot read leases: %w", err)
		}
		pages++
		took += time.Since(began)
		if err := add(page); err != nil {
			return fmt.Errorf("cannot read leases: %w", err)
		}
		if err := pause(ctx, time.Since(began)); err != nil {
			return err
		}
		began = time.Now()
	}
	s.leaseDemand.read(pages, took)
	return nil
}

// readLeasesOfWaiting brings the leases of devices that wait for one up to date: by asking for each
// where they are few, by paging where that is cheaper. For those that have begun to wait since they
// were last looked up (added), that is counted in commands: they are as a rule about to be
// reserved.
func (s *server) readLeasesOfWaiting(ctx context.Context, waiting []mirror.Key, added int) error {
	if s.pagesAreFewer(len(waiting), added) {
		if err := s.readAllLeases(ctx); err != nil {
			return err
		}
		s.lookedUp(waiting)
		return nil
	}
	for _, k := range waiting {
		if err := s.readLeasesOf(ctx, k.HW); err != nil {
			return err
		}
		s.lookedUp([]mirror.Key{k})
	}
	return nil
}

// pagesAreFewer reports whether it is cheaper to read all leases than those of some devices that
// wait. added of them are new.
func (s *server) pagesAreFewer(waiting, added int) bool {
	pages := s.leaseDemand.pageCount()
	return added > pages || waiting > pages*lookupsPerPage
}

// lookedUp records that devices that wait have been looked up since they began to.
func (s *server) lookedUp(keys []mirror.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		if _, ok := s.waiting[k]; ok {
			s.waiting[k] = true
		}
	}
}

// refreshLeases asks for a device's leases, unless that was done just now: thousands of devices
// that come or wait together are asked about together.
func (s *server) refreshLeases(ctx context.Context, hw kea.HWAddress) error {
	all := s.leaseDemand.need(time.Now())
	fresh := func() bool { return s.mirror.AgeOfLeases(s.name, hw, time.Now()) < freshLease }
	if fresh() {
		return nil
	}
	if all && s.readAllLeases(ctx) == nil && fresh() {
		return nil
	}
	return s.readLeasesOf(ctx, hw)
}

// readAllLeases brings all leases up to date. Callers at the same time share one reading.
func (s *server) readAllLeases(ctx context.Context) error {
	return s.once("leases", func() error {
		all, err := s.allLeases(ctx)
		if err == nil {
			s.notify(s.mirror.PutLeases(s.name, all))
		}
		return err
	})
}

// once has something done for those who want it at the same time: the first of them does it, and
// all get its error.
func (s *server) once(what string, do func() error) error {
	_, err, _ := s.shared.Do(what, func() (any, error) { return nil, do() })
	return err //nolint:wrapcheck // It is that of do.
}

// allLeases returns all leases.
func (s *server) allLeases(ctx context.Context) (*mirror.LeaseListing, error) {
	all, limit := mirror.NewLeaseListing(time.Now()), s.current.Load().memory
	err := s.pageLeases(ctx, func(page kea.LeasePage) error {
		all.Add(page.Leases)
		if all.Memory() > limit {
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

// startWaiting records that a device waits for a lease, and has it looked up if it is a new one.
func (s *server) startWaiting(k mirror.Key) {
	s.mu.Lock()
	_, known := s.waiting[k]
	if !known {
		s.waiting[k] = false
	}
	s.mu.Unlock()
	if !known {
		s.requestLook()
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

// currentlyWaiting returns the devices that wait, and whether each has been looked up since it
// began to.
func (s *server) currentlyWaiting() map[mirror.Key]bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return maps.Clone(s.waiting)
}

// newlyWaiting returns the devices that have not been looked up since they began to wait.
func (s *server) newlyWaiting() []mirror.Key {
	s.mu.RLock()
	defer s.mu.RUnlock()
	var out []mirror.Key
	for k, lookedUp := range s.waiting {
		if !lookedUp {
			out = append(out, k)
		}
	}
	return out
}

// dropWaiting forgets the devices that wait for a lease in a subnet that Kea no longer has.
func (s *server) dropWaiting() {
	for k := range s.currentlyWaiting() {
		if _, ok := s.mirror.Resolve(s.name, reservation.SubnetRef{ID: k.SubnetID}); !ok {
			s.stopWaiting(k)
		}
	}
}
