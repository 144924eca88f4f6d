// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

const (
	// pageSize is how many hosts or leases one command reads. DHCP waits while Kea answers: 1,000
	// hold it up for 8 to 15 ms, a whole listing of 50,000 for 0.4 s (measured on Kea 3.0.3).
	pageSize = 1000
	// detailsPerScan bounds how many subnets' details a scan reads.
	detailsPerScan = 10
	// maxPause bounds the pause between pages.
	maxPause = 50 * time.Millisecond
)

// scan reads all that the server holds into the mirror.
func (s *server) scan(ctx context.Context) error {
	s.pages = 0
	scan := s.mirror.BeginScan(s.name, time.Now())
	if s.memoryLost {
		scan.SetMemoryLost()
	}
	settings, err := s.readAll(ctx, scan)
	if err == nil {
		err = ctx.Err() // A server of the same name may be in its place by now.
	}
	if err != nil {
		s.mirror.Abandon(scan)
		return err
	}
	changes := s.mirror.Commit(scan, settings, time.Now())
	s.snapshotTook()
	s.leaseLooks.ended = time.Now() // It has read all leases.
	s.scanFailingSince, s.memoryLost = time.Time{}, false
	s.dropWaiting()
	var subnetsErr error
	if s.mirror.LostAllSubnets(s.name) {
		subnetsErr = ErrSubnetsLost
	}
	warnings := s.warnings(settings)
	s.updateFacts(func(f *ServerFacts) { f.Storage, f.Warnings, f.SubnetsErr = settings.Primary, warnings, subnetsErr })
	s.reportUnsaveable(settings)
	returned := s.recovered()
	s.afterScan(ctx, returned, changes)
	return nil
}

// readAll fills a scan.
func (s *server) readAll(ctx context.Context, scan *mirror.Scan) (mirror.Settings, error) {
	if err := s.readSubnets(ctx, scan); err != nil {
		return mirror.Settings{}, err
	}
	if err := s.readHosts(ctx, scan); err != nil {
		return mirror.Settings{}, err
	}
	if err := s.inspect(ctx, scan); err != nil {
		return mirror.Settings{}, err
	}
	settings, err := s.settings(ctx, scan)
	if err != nil {
		return mirror.Settings{}, err
	}
	if err := s.confirm(ctx, scan, settings); err != nil {
		return mirror.Settings{}, err
	}
	if s.memoryLost {
		if err := s.removeAgain(ctx, scan); err != nil {
			return mirror.Settings{}, err
		}
	}
	if settings.LeasesKnown {
		leases := scan.BeginLeases(time.Now())
		err = s.pageLeases(ctx, func(page kea.LeasePage) error {
			s.pageTook(len(page.Leases)+len(page.Unreadable), page.Took)
			s.unreadable += len(page.Unreadable)
			leases.Add(page.Leases)
			if err := s.lookBetweenPages(ctx); err != nil {
				return err
			}
			return s.checkSize(scan)
		})
	}
	return settings, err
}

func (s *server) readSubnets(ctx context.Context, scan *mirror.Scan) error {
	if s.lacks(kea.HookSubnetCmds) {
		return nil
	}
	subnets, err := s.client().Subnets(ctx)
	if err != nil {
		return fmt.Errorf("cannot list subnets: %w", err)
	}
	if len(subnets) == 0 && s.mirror.Scanned(s.name).IsZero() && s.uptime < mirror.SubnetGrace {
		return ErrNoSubnets
	}
	scan.SetSubnets(subnets)
	s.readSubnetDetails(ctx)
	return nil
}

// readSubnetDetails brings the details of some of the subnets that were asked for up to date: of a
// few, so that the cost does not grow with their number. They are for information, so one that
// cannot be read stays as it was.
func (s *server) readSubnetDetails(ctx context.Context) {
	for _, id := range s.mirror.SubnetDetails(s.name, detailsPerScan) {
		d, err := s.client().Subnet(ctx, id)
		switch {
		case err == nil:
			s.notify(s.mirror.PutSubnetDetail(s.name, id, addressesOf(d)))
		case errors.Is(err, kea.ErrNotFound):
			s.mirror.ForgetSubnetDetail(s.name, id)
		}
	}
}

func (s *server) readHosts(ctx context.Context, scan *mirror.Scan) error {
	pages := s.client().ReservationPages
	s.unreadable = 0
	reader, elsewhere := s.group.readerOfDatabase(s)
	if elsewhere {
		s.mirror.CopyHosts(scan, reservation.Store{Server: reader, Place: kea.TargetDatabase})
	}
	if elsewhere || !s.mayHaveDatabase() {
		pages = s.client().MemoryPages
	}
	began := time.Now()
	for page, err := range pages(ctx, pageSize) {
		if err != nil {
			return fmt.Errorf("cannot read host reservations: %w", err)
		}
		s.pageTook(len(page.Hosts)+len(page.Unreadable), page.Took)
		if elsewhere && page.Source != kea.TargetMemory {
			return nil // Kea goes on to the database by itself, so that is there.
		}
		s.unreadable += len(page.Unreadable)
		if len(page.Hosts) > 0 {
			scan.AddHosts(page.Source, page.Hosts)
		}
		if err := s.checkSize(scan); err != nil {
			return fmt.Errorf("cannot read host reservations: %w", err)
		}
		if err := s.lookBetweenPages(ctx); err != nil {
			return err
		}
		if err := pause(ctx, time.Since(began)); err != nil {
			return err
		}
		began = time.Now()
	}
	if elsewhere {
		return s.checkWitness(ctx)
	}
	return nil
}

// readerOfDatabase returns the server through which the database of another one is read, if they are
// said to have the same: the first that can be used. False if the server is to read its own.
func (g *Group) readerOfDatabase(of *server) (string, bool) {
	if !g.isShared() || g.mirror.Settings(of.name).Primary != kea.TargetDatabase {
		return "", false
	}
	for _, s := range g.all() {
		if s == of {
			return "", false
		}
		recent := time.Since(g.mirror.Scanned(s.name)) < 2*s.snapshotEvery()
		if s.silent() == nil && recent && g.mirror.Settings(s.name).Primary == kea.TargetDatabase {
			return s.name, true
		}
	}
	return "", false
}

// confirm makes sure that what the pages lack is not there, before anything is taken for gone: a
// listing can be incomplete, and a Kea that has lost its database lists it as empty. After a
// restart of Kea memory is known to be lost.
func (s *server) confirm(ctx context.Context, scan *mirror.Scan, settings mirror.Settings) error {
	doubtful := s.mirror.Doubtful(scan)
	if s.memoryLost {
		delete(doubtful, kea.TargetMemory)
	}
	database := reservation.Store{Server: s.name, Place: kea.TargetDatabase}
	_, had := s.mirror.Witness(database, mirror.Key{})
	if settings.Database && scan.Count(kea.TargetDatabase) == 0 && (had && !s.databaseReadOnly() || s.databaseLost()) {
		if err := s.checkDatabase(ctx); err != nil {
			return err
		}
		delete(doubtful, kea.TargetDatabase)
	}
	for place, keys := range doubtful {
		for _, k := range keys {
			if err := s.confirmGone(ctx, reservation.Store{Server: s.name, Place: place}, k); err != nil {
				return err
			}
		}
	}
	return nil
}

// confirmGone reads a host that a listing lacks.
func (s *server) confirmGone(ctx context.Context, at reservation.Store, k mirror.Key) error {
	began := time.Now()
	r, err := s.fetchHost(ctx, at, k)
	if _, malformed := errors.AsType[*kea.MalformedError](err); malformed {
		s.mirror.KeepHost(at, k) // It is there. That it cannot be read affects it alone.
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot confirm that reservations are gone: %w", err)
	}
	if r != nil {
		s.notify(s.mirror.PutHost(at, k, r, ""))
	}
	return pause(ctx, time.Since(began))
}

// checkWitness makes sure that a server has a database that was read through another one, and of which
// it has listed nothing: it finds a host there. One that has lost it answers as if it were empty.
func (s *server) checkWitness(ctx context.Context) error {
	database := reservation.Store{Server: s.name, Place: kea.TargetDatabase}
	witness, had := s.mirror.Witness(database, mirror.Key{})
	if !had {
		return nil
	}
	r, err := s.fetchHost(ctx, database, witness)
	if _, malformed := errors.AsType[*kea.MalformedError](err); malformed || r != nil {
		return nil // It is there, even if it cannot be read.
	}
	if err != nil {
		return err
	}
	return s.checkDatabase(ctx)
}

// pause lets Kea serve DHCP for as long as a command took.
func pause(ctx context.Context, d time.Duration) error {
	if !sleep(ctx, min(d, maxPause)) {
		return ctx.Err() //nolint:wrapcheck // The caller's own.
	}
	return nil
}

// sleep waits; false when the context has ended.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
