// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// settings are how a server is used. They are replaced as a whole.
type settings struct {
	url string
	// endpoint is what the URL leads to, however it is spelled.
	endpoint string
	client   *kea.Client
	storage  Storage
	persist  bool
	// interval is the time between snapshots.
	interval time.Duration
	// memory is how many bytes what is kept of the server may take.
	memory int
	// err is why the server cannot be used as it is configured; nil if it can.
	err error
}

// callerCommands is how many commands callers may have sent to a server at a time; the loop has
// another one. Kea works on one after the other, and serves no DHCP client meanwhile: with eight, an
// OFFER takes six times as long as with three while many reservations are written.
const callerCommands = 3

// server is one Kea server: its client, its health, and which devices wait for a lease.
type server struct {
	name     string
	mirror   *mirror.Mirror
	listener func(mirror.Changes)
	current  atomic.Pointer[settings]
	// turns has a place for each command of callers.
	turns chan struct{}
	group *Group
	// stop ends the loop.
	stop context.CancelFunc
	// rereads is set until the loop has read the server after its configuration has changed.
	rereads atomic.Bool
	// addressesUnique is whether Kea refuses an address that another host of the store has, by the
	// configuration that was read; false if that is not known.
	addressesUnique atomic.Bool

	// background has the goroutine that catches the server up.
	background sync.WaitGroup

	// tickNow asks the loop for a tick before it is due.
	tickNow chan struct{}
	// lookNow asks the loop to look for leases before it is due.
	lookNow chan struct{}
	// probed is closed after the first attempt to read the server, successful or not.
	probed     chan struct{}
	probedOnce sync.Once

	// shared has what callers want at the same time done once, see once.
	shared singleflight.Group
	// leaseDemand decides how leases are asked for.
	leaseDemand leaseDemand

	mu     sync.RWMutex
	health health
	facts  ServerFacts
	// announced are the facts that were last announced, and announcements when those were.
	announced     ServerFacts
	announcements pacer
	// behind are the devices to look at again once the server has been read: it could not be used when
	// they were looked at. othersBehind are those of subnets, or all.
	behind       map[kea.HWAddress]struct{}
	othersBehind mirror.Changes
	// instance is which running Kea the last probe found; "" if it cannot say.
	instance string
	// sharedDatabase is set once the server's hosts-database has turned out to be that of another
	// server of the group, though the configuration does not say so.
	sharedDatabase bool
	// capabilities that the last probe found.
	capabilities kea.Capabilities
	// took is about how long a command of callers takes, and busy how long all of them have taken.
	took, busy time.Duration
	// pagesTook is how long Kea takes for the pages of a snapshot, see pace.go.
	pagesTook time.Duration
	// heard is when the last page of a snapshot was read.
	heard time.Time
	// waiting are the devices that wait for a lease, and whether each has been looked up since it
	// began to.
	waiting map[mirror.Key]bool
	// unsavedSince is when reservations in memory were last written and not yet saved; zero if all
	// are saved. retrySaveAt is when saving is tried again after it has failed.
	unsavedSince, retrySaveAt time.Time
	// unsavedRemovals are the reservations in memory that have been removed since, and for whom.
	// removalsSaved is set once they are saved.
	unsavedRemovals map[mirror.Key]reservation.Owner
	removalsSaved   bool

	// databaseErr is what the last check of the hosts-database found, and databaseChecked when that
	// was.
	databaseErr     error
	databaseChecked time.Time

	// Of the loop alone, as what follows. endCatchUp ends the goroutine that catches the server up;
	// nil if there was none yet.
	endCatchUp context.CancelFunc
	// boot is when Kea has started, and reload the latest time at which it can have
	// read its configuration.
	boot   span
	reload time.Time
	pid    int
	// askedAt is when the last heartbeat that was answered was sent.
	askedAt time.Time
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
	leaseLooks leaseLooks
	// pages is how long Kea has taken for the pages of the scan that runs, lastPages what it took for
	// those of the last one, and roundTrip the least time that a heartbeat has taken; 0 before the first.
	pages, lastPages, roundTrip time.Duration
	// lastFullRead is when the last attempt to probe the server and read all of it began.
	lastFullRead time.Time
	// lookedAgain is when devices were last looked at again without a scan.
	lookedAgain time.Time
	// memoryLost is set from a restart or reload of Kea until a scan has succeeded.
	memoryLost bool
	// unreadable counts the hosts and leases of the last scan that cannot be parsed.
	unreadable int
	// scanFailingSince is since when scans fail; zero if they do not.
	scanFailingSince time.Time
}

func newServer(cfg ServerConfig, c Config, m *mirror.Mirror) (*server, error) {
	s := &server{
		name: cfg.Name, mirror: m, listener: c.Notify, turns: make(chan struct{}, callerCommands),
		tickNow: make(chan struct{}, 1), lookNow: make(chan struct{}, 1), probed: make(chan struct{}),
		facts: ServerFacts{Name: cfg.Name, Initial: true}, announced: ServerFacts{Name: cfg.Name}, waiting: map[mirror.Key]bool{}, behind: map[kea.HWAddress]struct{}{}, toInspect: true,
		unsavedRemovals: map[mirror.Key]reservation.Owner{},
	}
	return s, s.configure(cfg, c)
}

// configure has the server used in another way from now on.
func (s *server) configure(cfg ServerConfig, c Config) error {
	cfg.Kea.Admit = s.admit
	client, err := kea.NewClient(cfg.Kea)
	if err != nil {
		return fmt.Errorf("cannot use server %s: %w", cfg.Name, err)
	}
	last := s.current.Swap(&settings{
		url: cfg.Kea.URL, endpoint: endpointOf(cfg.Kea.URL), client: client, storage: c.Storage, persist: c.Persist,
		interval: c.Interval, memory: cmp.Or(c.Memory, OwnMemory), err: cfg.Err,
	})
	if last != nil {
		last.client.Close()
	}
	return nil
}

func (s *server) client() *kea.Client { return s.current.Load().client }

func (s *server) interval() time.Duration { return s.current.Load().interval }

// notify passes changes on. It must be called without a lock.
func (s *server) notify(c mirror.Changes) {
	if s.listener != nil && !c.Empty() {
		s.listener(c)
	}
}

// isProbed reports whether the first attempt to read the server has ended.
func (s *server) isProbed() bool {
	select {
	case <-s.probed:
		return true
	default:
		return false
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
