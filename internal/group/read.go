// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// readHostEverywhere reads a host from every store of the server into the mirror.
func (s *server) readHostEverywhere(ctx context.Context, k mirror.Key) error {
	for _, at := range s.mirror.Stores(s.name) {
		if err := s.readHost(ctx, at, k); err != nil {
			return err
		}
	}
	return nil
}

// readHost reads a host from one store into the mirror.
func (s *server) readHost(ctx context.Context, at reservation.Store, k mirror.Key) error {
	r, err := s.fetchHost(ctx, at, k)
	if err != nil {
		return err
	}
	s.notify(s.mirror.PutHost(at, k, r, ""))
	return nil
}

// fetchHost returns a host as one store has it; nil if it is not there. A Kea that has lost its
// database and goes on serving (on-fail: serve-retry-continue) finds no host in it, so a miss
// counts only while another host is found.
func (s *server) fetchHost(ctx context.Context, at reservation.Store, k mirror.Key) (*kea.Reservation, error) {
	r, err := s.client().Reservation(ctx, at.Place, k.SubnetID, k.HW)
	switch {
	case err == nil:
		return &r, nil
	case !errors.Is(err, kea.ErrNotFound):
		return nil, err //nolint:wrapcheck // Callers say what they read the host for.
	case at.Place != kea.TargetDatabase:
		return nil, nil //nolint:nilnil // No host and no error: it is not there.
	}
	witness, ok := s.mirror.Witness(at, k)
	if !ok && s.mirror.Holds(at, k) {
		return nil, s.checkDatabase(ctx)
	}
	if !ok {
		return nil, nil //nolint:nilnil // As above. None is known that could be lost.
	}
	_, err = s.client().Reservation(ctx, at.Place, witness.SubnetID, witness.HW)
	if errors.Is(err, kea.ErrNotFound) {
		err = s.checkDatabase(ctx)
	}
	return nil, err //nolint:wrapcheck // As above.
}

// checkDatabase returns an error unless Kea has its hosts-database. It is for the rare case in
// which reading cannot tell, as it sends a command that would write, and which Kea logs as an error
// if the database is lost: at most one is sent in each interval then.
func (s *server) checkDatabase(ctx context.Context) error {
	s.mu.RLock()
	lost, checked := s.databaseErr, s.databaseChecked
	s.mu.RUnlock()
	if lost != nil && time.Since(checked) < s.interval() {
		return lost
	}
	has, err := s.client().ProbeDatabase(ctx)
	var unauthorized *kea.UnauthorizedError
	switch {
	case errors.As(err, &unauthorized), kea.IsReadOnly(err):
		// A database that refuses to be written is there; an account that may not write does no harm.
		err = nil
	case err == nil && !has:
		err = ErrNoDatabase
	}
	if err != nil {
		err = fmt.Errorf("cannot tell what Kea's hosts-database holds: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.databaseErr, s.databaseChecked = err, time.Now()
	return err
}

// databaseLost reports whether the last check of the hosts-database found that it is lost.
func (s *server) databaseLost() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.databaseErr != nil
}

// checkUnknownDatabase returns an error if the store is a database that may be lost: while no host is
// known to be in it, reading cannot tell an empty database from a lost one. The server cannot be used
// then, until a scan has found its database.
func (s *server) checkUnknownDatabase(ctx context.Context, at reservation.Store) error {
	if _, known := s.mirror.Witness(at, mirror.Key{}); known || at.Place != kea.TargetDatabase {
		return nil
	}
	if err := s.checkDatabase(ctx); err != nil {
		s.failed(err)
		return err
	}
	return nil
}

// readHolders reads who has an address in every store of the server into the mirror, and reports
// whether a device other than hw has.
func (s *server) readHolders(ctx context.Context, subnetID uint32, a netip.Addr, hw kea.HWAddress) (taken bool, err error) {
	for _, at := range s.mirror.Stores(s.name) {
		holders, err := s.client().ReservationsByAddress(ctx, at.Place, subnetID, a)
		if err != nil {
			return taken, fmt.Errorf("cannot look up who has %s: %w", a, err)
		}
		s.notify(s.mirror.PutHolders(at, subnetID, a, holders))
		taken = taken || slices.ContainsFunc(holders, func(r kea.Reservation) bool { return r.HWAddress != hw })
	}
	return taken, nil
}
