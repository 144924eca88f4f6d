// SPDX-License-Identifier: Apache-2.0

package group

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// ServerFacts is what is known of a server beside what it holds.
type ServerFacts struct {
	Name    string
	Version string
	// Storage is where reservations are written; "" until that is known.
	Storage kea.Target
	HAState string
	// MissingHooks are hook libraries that the provider needs and the server does not load.
	MissingHooks []string
	// Warnings are what Kea is configured to ignore, and what could not be checked.
	Warnings []string
	// Err is why the server cannot be used; nil if it can.
	Err error
	// SubnetsErr is ErrSubnetsLost while the server lists none of the subnets that it listed
	// before; nil otherwise. The server can be used.
	SubnetsErr error
	// SaveErr is why reservations in memory could not be saved to Kea's configuration file; nil if
	// they were, or are not to be.
	SaveErr error
}

// Reasons why a server cannot be used as it is configured.
var (
	ErrNoDatabase       = errors.New("Kea has no hosts-database: configure hosts-database in Kea, or set hosts.storage to Auto or Memory")
	ErrDatabaseReadOnly = errors.New("Kea's hosts-database is read-only: set hosts.storage to Memory, or make the database writable in Kea's configuration")
	ErrDatabaseUnclear  = errors.New("cannot find out whether Kea has a hosts-database, since libdhcp_host_cache.so answers for one and the configuration cannot be read: set hosts.storage to Memory or Database")
	ErrSubnetsLost      = errors.New("Kea has no subnets any more: its configuration may not have arrived yet; they are taken for removed if they do not come back within a minute")
	ErrNoSubnets        = errors.New("Kea has just started and has no subnets: its configuration may not have arrived yet; an empty configuration is accepted a minute after the start")
)

// errNoAnswer says that the first attempt to read a server has not ended.
var errNoAnswer = errors.New("it has not answered yet: check that kea-dhcp4 is running and not overloaded")

// server is one Kea server: its client, its health, and which devices wait for a lease.
type server struct {
	name    string
	client  *kea.Client
	mirror  *mirror.Mirror
	storage Storage
	persist bool
	// interval is the time between snapshots.
	interval time.Duration
	listener func(mirror.Changes)

	// tickNow asks the loop for a tick before it is due.
	tickNow chan struct{}
	// probed is closed after the first attempt to read the server, successful or not.
	probed     chan struct{}
	probedOnce sync.Once

	mu    sync.RWMutex
	facts ServerFacts
	// capabilities that the last probe found.
	capabilities kea.Capabilities
	// waiting are the devices that wait for a lease.
	waiting map[mirror.Key]struct{}
	// unsavedSince is when reservations in memory were last written and not yet saved; zero if all
	// are saved. retrySaveAt is when saving is tried again after it has failed.
	unsavedSince, retrySaveAt time.Time

	// databaseErr is what the last check of the hosts-database found, and databaseChecked when that
	// was.
	databaseErr     error
	databaseChecked time.Time

	// Of the loop alone. boot and reload are the latest times at which Kea can have started and
	// read its configuration.
	boot, reload time.Time
	pid          int
	// uptime is the time since Kea last started or read its configuration.
	uptime time.Duration
	// toInspect is set until Kea's configuration has been read, once for each start or reload of
	// Kea.
	toInspect bool
	// inspectedEarly is set if that was so soon after Kea had read it that it may have read another
	// one since.
	inspectedEarly bool
	// configuration that was read then; nil if it could not, inspectErr says why.
	configuration *kea.Configuration
	inspectErr    error
	// database is whether Kea has a hosts-database, as far as that took a write command to find
	// out; nil if that has not been asked since Kea started.
	database   *bool
	lastTick   time.Duration
	leasePages int
	// lastFullRead is when the last attempt to probe the server and read all of it began.
	lastFullRead time.Time
	// memoryLost is set from a restart or reload of Kea until a scan has succeeded.
	memoryLost bool
	// unreadable counts the hosts and leases of the last scan that cannot be parsed.
	unreadable int
	// scanFailingSince is since when scans fail; zero if they do not.
	scanFailingSince time.Time
}

func newServer(cfg ServerConfig, c Config, m *mirror.Mirror) (*server, error) {
	client, err := kea.NewClient(cfg.Kea)
	if err != nil {
		return nil, fmt.Errorf("cannot use server %s: %w", cfg.Name, err)
	}
	return &server{
		name: cfg.Name, client: client, mirror: m, storage: c.Storage, persist: c.Persist, interval: c.Interval, listener: c.Notify,
		tickNow: make(chan struct{}, 1), probed: make(chan struct{}),
		facts: ServerFacts{Name: cfg.Name}, waiting: map[mirror.Key]struct{}{}, toInspect: true,
	}, nil
}

// notify passes changes on. It must be called without a lock.
func (s *server) notify(c mirror.Changes) {
	if s.listener != nil && !c.Empty() {
		s.listener(c)
	}
}

func (s *server) currentFacts() ServerFacts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts
}

// unusable returns why the server cannot be used; nil if it can.
func (s *server) unusable() error {
	if err := s.currentFacts().Err; err != nil {
		return fmt.Errorf("cannot use server %s: %w", s.name, err)
	}
	return nil
}

// updateFacts changes the facts, and says so if they are others than before.
func (s *server) updateFacts(update func(*ServerFacts)) {
	s.mu.Lock()
	before := s.facts
	update(&s.facts)
	changed := !sameFacts(before, s.facts)
	s.mu.Unlock()
	if changed {
		s.notify(mirror.Changes{Servers: true})
	}
}

func sameFacts(a, b ServerFacts) bool {
	return a.Version == b.Version && a.Storage == b.Storage && a.HAState == b.HAState && slices.Equal(a.MissingHooks, b.MissingHooks) &&
		slices.Equal(a.Warnings, b.Warnings) && text(a.Err) == text(b.Err) && text(a.SubnetsErr) == text(b.SubnetsErr) && text(a.SaveErr) == text(b.SaveErr)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// setErr records why the server cannot be used, or that it can. A change concerns every
// reservation: those that could not be served, those that no longer can, and those that have
// reported another reason and are not tried again by themselves.
func (s *server) setErr(err error) {
	changed := false
	s.updateFacts(func(f *ServerFacts) {
		changed = text(f.Err) != text(err)
		f.Err = err
	})
	if changed {
		s.notify(mirror.Changes{Everything: true})
	}
}

// lacks reports whether the server does not load a hook library.
func (s *server) lacks(hook string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Contains(s.capabilities.MissingHooks, hook)
}

// hostCache reports whether the server loads libdhcp_host_cache.so.
func (s *server) hostCache() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.capabilities.HostCache
}
