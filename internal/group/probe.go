// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// inspectLimit is up to how many hosts in memory Kea's whole configuration is read: it has all of
// them in it, and DHCP waits meanwhile (10,000 hosts: about 0.3 s, measured on Kea 3.0.3).
const inspectLimit = 10000

// probe finds out what the server can do. It sends no command that would write.
func (s *server) probe(ctx context.Context) error {
	if err := s.identify(ctx); err != nil {
		return err
	}
	if err := s.checkDistinct(); err != nil {
		return err
	}
	c, err := s.client().Probe(ctx)
	if err != nil {
		return err //nolint:wrapcheck // It names the command.
	}
	s.mu.Lock()
	s.capabilities = c
	s.mu.Unlock()
	s.updateFacts(func(f *ServerFacts) { f.Version, f.MissingHooks = c.Version, c.MissingHooks })
	if slices.Contains(c.MissingHooks, kea.HookHostCmds) {
		return &kea.UnsupportedError{Command: "reservation-get-page", Hook: kea.HookHostCmds}
	}
	return nil
}

// settledAfter is how long ago Kea must have read its configuration for what it says to be final.
// Two reloads within two seconds can look like one, as Kea counts in whole seconds.
const settledAfter = 3 * time.Second

// inspect reads Kea's configuration, once for each time that Kea has read it itself, and once more
// if that was just now. What it says is checked where it can be read, and reported as not checked
// where it cannot.
func (s *server) inspect(ctx context.Context, scan *mirror.Scan) error {
	settled, again := s.uptime >= settledAfter, !s.toInspect
	if again && (!s.inspectedEarly || !settled) {
		return nil
	}
	if scan.Count(kea.TargetMemory) > inspectLimit {
		if !again {
			s.configuration = nil
			s.addressesUnique.Store(false)
			s.inspectErr = fmt.Errorf("config-get is not sent to a Kea with more than %d hosts in memory, which it would list", inspectLimit)
		}
		s.toInspect, s.inspectedEarly = false, false
		return nil
	}
	c, err := s.client().Configuration(ctx)
	var unreachable *kea.UnreachableError
	var malformed *kea.MalformedError
	switch {
	case errors.As(err, &unreachable) || ctx.Err() != nil:
		return err //nolint:wrapcheck // It says that the server is down. The next scan asks again.
	case err == nil:
		s.configuration, s.inspectErr = &c, nil
	case !again:
		s.configuration, s.inspectErr = nil, steady(s.inspectErr, err)
	}
	s.addressesUnique.Store(s.configuration != nil && s.configuration.AddressesUnique)
	// An answer that was cut off is asked for again.
	s.toInspect = !again && errors.As(err, &malformed)
	s.inspectedEarly = !again && !settled
	return nil
}

// settings puts together what the probe, the configuration and a scan say about where reservations
// are kept, and what Kea makes of them. An error if the server cannot be used as it is configured.
func (s *server) settings(ctx context.Context, scan *mirror.Scan) (mirror.Settings, error) {
	database, err := s.hasDatabase(ctx, scan)
	if err != nil {
		return mirror.Settings{}, err
	}
	out := mirror.Settings{
		Primary: kea.TargetMemory, Database: database,
		SubnetsKnown: !s.lacks(kea.HookSubnetCmds), LeasesKnown: !s.lacks(kea.HookLeaseCmds),
	}
	if s.configuration != nil {
		out.Policies, out.Identifiers = s.configuration.Subnets, s.configuration.Identifiers
	}
	switch {
	case s.current.Load().storage == StorageDatabase && !database:
		return mirror.Settings{}, ErrNoDatabase
	case database && s.current.Load().storage != StorageMemory && s.databaseReadOnly():
		return mirror.Settings{}, ErrDatabaseReadOnly
	case database && s.current.Load().storage != StorageMemory:
		out.Primary = kea.TargetDatabase
	}
	return out, nil
}

// hasDatabase reports whether Kea has a hosts-database. Reading tells in most cases; else a command
// that would write is sent, once for each start of Kea.
func (s *server) hasDatabase(ctx context.Context, scan *mirror.Scan) (bool, error) {
	s.mu.RLock()
	c := s.capabilities
	s.mu.RUnlock()
	switch {
	case s.configuration != nil:
		return len(s.configuration.HostDatabases) > 0, nil
	case scan.Count(kea.TargetDatabase) > 0:
		return true, nil
	case !c.HostBackend:
		return false, nil
	case s.database != nil:
		return *s.database, nil
	case c.HostCache && s.current.Load().storage == StorageAuto:
		return false, ErrDatabaseUnclear
	case c.HostCache:
		return s.current.Load().storage == StorageDatabase, nil
	}
	has, err := s.client().ProbeDatabase(ctx)
	var unauthorized *kea.UnauthorizedError
	switch {
	case errors.As(err, &unauthorized):
		// An account that may only read needs no answer: it writes nowhere.
		has, err = s.current.Load().storage == StorageDatabase, nil
	case err != nil:
		return false, fmt.Errorf("cannot find out whether Kea has a hosts-database that can be written: %w", err)
	}
	s.database = &has
	return has, err
}

// mayHaveDatabase reports whether the server can have a hosts-database: not without a back end for
// it.
func (s *server) mayHaveDatabase() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.capabilities.HostBackend
}

// databaseReadOnly reports whether Kea's configuration says that the hosts-database is not to be
// written.
func (s *server) databaseReadOnly() bool {
	return s.configuration != nil && !slices.ContainsFunc(s.configuration.HostDatabases, func(d kea.HostDatabase) bool { return !d.ReadOnly })
}
