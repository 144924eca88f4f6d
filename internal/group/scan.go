// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

const (
	// pageSize is how many hosts or leases one command reads. DHCP waits while
	// Kea answers: 1,000 hold it up 8 to 15 ms, a whole listing of 50,000 for
	// 0.4 s (measured on Kea 3.0.3).
	pageSize = 1000
	// lookupsPerPage is how many single leases cost Kea about as much as a page.
	lookupsPerPage = 20
	// detailsPerScan bounds how many subnets' details a scan reads.
	detailsPerScan = 10
	// maxPause bounds the pause between pages.
	maxPause = 50 * time.Millisecond
)

// scan reads a whole snapshot and puts it in the place of the last one.
func (s *server) scan(ctx context.Context) error {
	start := time.Now()
	s.mu.Lock()
	s.learned = map[hostKey]struct{}{}
	staleBefore := keys(s.stale)
	missing := s.facts.MissingHooks
	s.mu.Unlock()

	next := newSnapshot(start)
	err := s.readSnapshot(ctx, next, missing)

	s.mu.Lock()
	defer s.mu.Unlock()
	learned := s.learned
	s.learned = nil
	if err != nil {
		return err
	}
	s.missed = time.Time{}
	for _, k := range staleBefore {
		if _, again := learned[k]; !again {
			delete(s.stale, k)
		}
	}
	s.swap(next, learned)
	return nil
}

func keys(m map[hostKey]struct{}) []hostKey {
	out := make([]hostKey, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

// swap makes next the snapshot. Hosts that were read back while it was taken
// keep what was read back, which is newer. It needs the lock.
func (s *server) swap(next *snapshot, learned map[hostKey]struct{}) {
	last := s.snap
	// Where to write changes together with what is known of it.
	moved := s.facts.Storage != s.storageFound
	s.snap, s.facts.Storage = next, s.storageFound
	if last == nil {
		return
	}
	next.takeNewerLeases(last)
	s.dropWaiting()
	for k := range learned {
		for place, st := range next.hosts {
			st.remove(k)
			if old, ok := last.hosts[place]; ok && old.byHost[k] != nil {
				st.put(old.byHost[k])
			}
		}
	}
	touched, gone := compare(last, next)
	for _, r := range gone {
		s.lose(r)
	}
	for k := range s.lost {
		if s.held(k) {
			delete(s.lost, k)
		}
	}
	touched.All, touched.Servers = touched.All || moved, moved
	s.tell(touched)
}

// dropWaiting forgets who waits for a lease in a subnet that Kea has no longer. It
// needs the lock.
func (s *server) dropWaiting() {
	if !s.snap.subnetsKnown {
		return
	}
	there := map[uint32]struct{}{}
	for _, sub := range s.snap.subnets {
		there[sub.ID] = struct{}{}
	}
	maps.DeleteFunc(s.waiting, func(k hostKey, _ struct{}) bool {
		_, ok := there[k.subnet]
		return !ok
	})
}

// held tells whether any place has a reservation of the host. It needs the lock.
func (s *server) held(k hostKey) bool {
	for _, st := range s.snap.hosts {
		if _, ok := st.byHost[k]; ok {
			return true
		}
	}
	return false
}

// tell passes on whom a change concerns. Config.Notify must not block.
func (s *server) tell(t Touched) {
	if s.notify != nil && !t.Empty() {
		s.notify(t)
	}
}

func (s *server) readSnapshot(ctx context.Context, snap *snapshot, missing []string) error {
	if !contains(missing, hookSubnets) {
		subnets, err := s.client.Subnets(ctx)
		if err != nil {
			return fmt.Errorf("cannot list subnets: %w", err)
		}
		snap.subnets, snap.subnetsKnown = subnets, true
		s.readSubnetDetails(ctx)
	}
	if err := s.readHosts(ctx, snap); err != nil {
		return err
	}
	if contains(missing, hookLeases) {
		return nil
	}
	snap.leasesKnown = true
	snap.leasesAsked = time.Now()
	leases, err := s.readLeases(ctx)
	snap.leases = leases
	return err
}

// readSubnetDetails brings the details of some of the subnets that were asked for
// up to date: of a few, so that the cost does not grow with how many there are;
// chance sees to it that all have their turn. They are for information, so that
// one that cannot be read is none.
func (s *server) readSubnetDetails(ctx context.Context) {
	s.mu.RLock()
	ids := make([]uint32, 0, detailsPerScan)
	for id := range s.subnetDetails {
		if len(ids) < detailsPerScan {
			ids = append(ids, id)
		}
	}
	s.mu.RUnlock()
	for _, id := range ids {
		d, err := s.client.Subnet(ctx, id)
		switch {
		case err == nil:
			s.setDetail(id, &d)
		case errors.Is(err, kea.ErrNotFound):
			s.mu.Lock()
			delete(s.subnetDetails, id)
			s.mu.Unlock()
		}
	}
}

// setDetail notes what the devices of a subnet get, and tells those who have a
// reservation there of a change in what is told of it.
func (s *server) setDetail(id uint32, d *kea.SubnetDetail) {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := s.subnetDetails[id]
	s.subnetDetails[id] = d
	if before != nil && slices.Equal(before.Routers, d.Routers) && slices.Equal(before.DNSServers, d.DNSServers) {
		return
	}
	t := newTouched()
	for _, st := range s.snap.hosts {
		for k := range st.byHost {
			if k.subnet == id {
				t.HWAddresses[k.hw] = struct{}{}
			}
		}
	}
	s.tell(t)
}

func (s *server) readHosts(ctx context.Context, snap *snapshot) error {
	snap.hosts[kea.TargetMemory] = newStore()
	if s.hasDatabase() {
		snap.hosts[kea.TargetDatabase] = newStore()
	}
	began := time.Now()
	for page, err := range s.client.ReservationPages(ctx, pageSize) {
		if err != nil {
			return fmt.Errorf("cannot read host reservations: %w", err)
		}
		st, ok := snap.hosts[page.Source]
		for i := range page.Reservations {
			if ok {
				st.put(&page.Reservations[i])
			}
		}
		if err := pause(ctx, time.Since(began)); err != nil {
			return err
		}
		began = time.Now()
	}
	return s.checkDatabase(ctx)
}

// checkDatabase makes sure that what the pages lacked is not there. A Kea that has
// lost its database and goes on serving (on-fail: serve-retry-continue) lists it
// as an empty one, and nobody's reservation is gone for that.
func (s *server) checkDatabase(ctx context.Context) error {
	if !s.hasDatabase() {
		return nil
	}
	has, err := s.client.ProbeDatabase(ctx)
	if err == nil && !has {
		err = ErrNoDatabase
	}
	if err != nil {
		return fmt.Errorf("cannot read host reservations from Kea's hosts-database: %w", err)
	}
	return nil
}

// pause lets Kea serve DHCP for as long as a page took.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(min(d, maxPause))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
