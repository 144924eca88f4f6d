// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// confirm reads a reservation back after a write; nil if it is not there. Where
// it cannot be read, the host is noted as one whose state is not known.
func (s *server) confirm(ctx context.Context, want kea.Reservation) (*kea.Reservation, error) {
	k := hostKey{want.SubnetID, want.HWAddress}
	place := s.target()
	s.wrote(place)
	s.mu.Lock()
	s.stale[k] = struct{}{}
	s.mu.Unlock()
	if err := s.rereadIn(ctx, place, k); err != nil {
		return nil, fmt.Errorf("cannot read the reservation back: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stale, k)
	st, ok := s.snap.hosts[place]
	if !ok {
		return nil, fmt.Errorf("cannot tell what server %s holds: it has just got its %s for host reservations", s.name, place)
	}
	return st.byHost[k], nil
}

// wrote notes that memory hosts have changed, for those who have Kea save them.
func (s *server) wrote(place kea.Target) {
	if place != kea.TargetMemory {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.changed = time.Now()
}

// reread asks for a host in every place, and puts what it finds into the
// snapshot.
func (s *server) reread(ctx context.Context, k hostKey) error {
	if err := s.rereadIn(ctx, s.target(), k); err != nil {
		return err
	}
	if other, ok := s.other(); ok {
		if err := s.rereadIn(ctx, other, k); err != nil {
			return err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.stale, k)
	return nil
}

func (s *server) rereadIn(ctx context.Context, place kea.Target, k hostKey) error {
	r, err := s.client.Reservation(ctx, place, k.subnet, k.hw)
	switch {
	case err == nil:
		s.learn(place, k, &r)
	case errors.Is(err, kea.ErrNotFound):
		s.learn(place, k, nil)
	default:
		return err
	}
	return nil
}

// learn puts what a point read found into the snapshot; nil if nothing.
func (s *server) learn(place kea.Target, k hostKey, r *kea.Reservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st, ok := s.snap.hosts[place]
	if !ok {
		return
	}
	if s.learned != nil {
		s.learned[k] = struct{}{}
	}
	old := st.byHost[k]
	s.tellMoved(old, r)
	if r == nil {
		st.remove(k)
		s.lose(old)
		return
	}
	st.put(r)
	delete(s.lost, k)
}

// tellMoved wakes those who wait for an address that a host has had, and those
// who share a host whose owner has changed: the next snapshot will not differ
// from this one.
func (s *server) tellMoved(old, now *kea.Reservation) {
	if old == nil {
		return
	}
	t := newTouched()
	if old.IPAddress.IsValid() && (now == nil || now.IPAddress != old.IPAddress) {
		t.Addresses[old.IPAddress] = struct{}{}
	}
	before, _ := markOf(old)
	if now != nil {
		if after, _ := markOf(now); !before.sameOwner(after) {
			t.HWAddresses[old.HWAddress] = struct{}{}
		}
	}
	s.tell(t)
}

// lose notes a reservation of ours that has gone without our doing, as what a new
// one starts from. It needs the lock.
func (s *server) lose(r *kea.Reservation) {
	if r == nil {
		return
	}
	k := hostKey{r.SubnetID, r.HWAddress}
	if owner, marked := markOf(r); marked && owner.cluster == s.cluster && !s.held(k) {
		// A copy: r is one of a page of a thousand, all of which it would keep.
		c := r.Clone()
		s.lost[k] = &c
	}
}

// learnAddress reads who has an address, so that the next verdict names them. It
// is for that alone: an error changes nothing.
func (s *server) learnAddress(ctx context.Context, subnet uint32, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	place := s.target()
	if holders, err := s.client.ReservationsByAddress(ctx, place, subnet, a); err == nil {
		s.setHolders(place, addressKey{subnet, a}, holders)
	}
}

func (s *server) setHolders(place kea.Target, k addressKey, holders []kea.Reservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if st, ok := s.snap.hosts[place]; ok {
		st.setAddress(k, holders)
	}
}
