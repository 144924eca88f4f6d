// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// ServerFacts is what the last look at a server found.
type ServerFacts struct {
	Name    string
	Version string
	// Storage is the place that reservations are written to; "" until found out.
	Storage kea.Target
	HAState string
	// MissingHooks are hook libraries that the provider needs and the server
	// does not load.
	MissingHooks []string
	// Warnings are what the server is configured to ignore, and what could not be
	// checked.
	Warnings []string
	// Err is why the server cannot be used; nil if it can.
	Err error
	// SaveErr is why memory hosts could not be saved; nil if they were, or are
	// not to be.
	SaveErr error
}

// ErrNoDatabase says that reservations are to be kept in a hosts-database that
// the server does not have.
var ErrNoDatabase = errors.New("Kea has no hosts-database: configure hosts-database in Kea, or set hosts.storage to Auto or Memory")

// ErrDatabaseReadOnly says that Kea may not write the hosts-database that
// reservations are to be kept in.
var ErrDatabaseReadOnly = errors.New("Kea may not write its hosts-database, which has readonly: true: set hosts.storage to Memory, or let Kea write it")

// ErrNoSubnets says that Kea answers and has no subnets.
var ErrNoSubnets = errors.New("Kea has no subnets: its configuration may not have arrived yet; add subnets to it")

// errNoAnswer says that the first look at a server has not come to an end.
var errNoAnswer = errors.New("it has not answered yet: check that kea-dhcp4 is running and not overloaded")

// firstLook is how long those who ask wait for the first look at a server.
const firstLook = 5 * time.Second

// server is one Kea server: its client, what it held when last looked at, and
// who waits for a newer look.
type server struct {
	name    string
	client  *kea.Client
	storage Storage
	cluster string
	notify  func(Touched)

	// interval is the time between snapshots.
	interval time.Duration
	// persist lets Kea save memory hosts.
	persist bool

	// kick asks the loop for a look before it is due.
	kick chan struct{}
	// looked is closed after the first look, whatever came of it.
	looked     chan struct{}
	lookedOnce sync.Once

	mu    sync.RWMutex
	snap  *snapshot // nil until the first one
	facts ServerFacts
	// storageFound is the place to write to that the last probe found; it holds
	// from the next snapshot on.
	storageFound kea.Target
	// database tells whether there is a hosts-database, written to or not.
	database bool
	// subnetDetails are what Kea gives the devices of a subnet, for the subnets
	// that were asked for; nil where it could not be read.
	subnetDetails map[uint32]*kea.SubnetDetail
	// waiting are the devices that wait for a lease.
	waiting map[hostKey]struct{}
	// learned are the hosts that were read back while a scan runs, which may
	// have read them before; nil while none runs.
	learned map[hostKey]struct{}
	// stale are hosts of which a write's outcome is not known.
	stale map[hostKey]struct{}
	// lost are the last known reservations of hosts that have gone without our
	// doing.
	lost map[hostKey]*kea.Reservation
	// echoes are what Kea made of writes, where it changed something.
	echoes map[hostKey]*echo
	// changed is when memory hosts were last written to and not yet saved; zero
	// if they are.
	changed time.Time
	// saveAfter is when saving them is tried, if that has failed before.
	saveAfter time.Time

	// Of the loop alone. boot and reload are the latest times at which Kea can have
	// started and read its configuration.
	boot, reload time.Time
	pid          int
	lastTick     time.Duration
	pages        int
	// missed is since when snapshots cannot be read; zero if they can.
	missed time.Time
}

func newServer(cfg ServerConfig, c Config) (*server, error) {
	client, err := kea.NewClient(cfg.Kea)
	if err != nil {
		return nil, fmt.Errorf("cannot use server %s: %w", cfg.Name, err)
	}
	return &server{
		name: cfg.Name, client: client, storage: c.Storage, cluster: c.Cluster, notify: c.Notify, interval: c.Interval, persist: c.Persist,
		kick: make(chan struct{}, 1), looked: make(chan struct{}),
		facts:         ServerFacts{Name: cfg.Name},
		subnetDetails: map[uint32]*kea.SubnetDetail{},
		waiting:       map[hostKey]struct{}{},
		stale:         map[hostKey]struct{}{},
		lost:          map[hostKey]*kea.Reservation{},
		echoes:        map[hostKey]*echo{},
	}, nil
}

// target is where reservations are written.
func (s *server) target() kea.Target {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts.Storage
}

// other is the place that is not written to, if the server has it.
func (s *server) other() (kea.Target, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.facts.Storage == kea.TargetDatabase {
		return kea.TargetMemory, true
	}
	_, ok := s.snap.hosts[kea.TargetDatabase]
	return kea.TargetDatabase, ok
}

// look gives what is known of an intent. It talks to the server only where the
// outcome of an earlier write is not known.
func (s *server) look(ctx context.Context, in Intent) (look, error) {
	if err := s.awaitFirst(ctx); err != nil {
		return look{}, err
	}
	l, stale, err := s.lookUp(in)
	if err != nil || !stale {
		return l, err
	}
	if err := s.reread(ctx, hostKey{l.subnet.ID, in.HWAddress}); err != nil {
		return look{}, fmt.Errorf("cannot tell what server %s holds after a failed write: %w", s.name, err)
	}
	l, _, err = s.lookUp(in)
	return l, err
}

// awaitFirst waits for the first look at the server, but not for one that hangs.
func (s *server) awaitFirst(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstLook)
	defer cancel()
	select {
	case <-s.looked:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cannot use server %s: %w", s.name, errNoAnswer)
	}
}

func (s *server) lookUp(in Intent) (look, bool, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.facts.Err != nil {
		return look{}, false, fmt.Errorf("cannot use server %s: %w", s.name, s.facts.Err)
	}
	if s.snap == nil {
		return look{}, false, fmt.Errorf("cannot use server %s: it has not been looked at", s.name)
	}
	l := look{server: s.name, subnets: s.snap.subnets, subnetsKnown: s.snap.subnetsKnown, leasesKnown: s.snap.leasesKnown}
	l.subnet, l.subnetFound = s.snap.resolve(in.Subnet)
	if !l.subnetFound {
		return l, false, nil
	}
	k := hostKey{l.subnet.ID, in.HWAddress}
	for place, st := range s.snap.hosts {
		if place == s.facts.Storage {
			l.here = st.byHost[k]
		} else {
			l.shadow, l.hides = st.byHost[k], place == kea.TargetMemory
		}
	}
	l.echo = s.echoes[k]
	if r, ok := s.lost[k]; ok {
		// One that was somebody else's is not ours to put back.
		if owner, marked := markOf(r); !marked || owner.sameOwner(mark{cluster: s.cluster, resource: in.Resource}) {
			l.lost = r
		}
	}
	l.holders = func(a netip.Addr) []*kea.Reservation {
		s.mu.RLock()
		defer s.mu.RUnlock()
		return s.snap.holders(l.subnet.ID, a, in.HWAddress)
	}
	l.leases = s.snap.leasesOf(in.HWAddress, l.subnet.ID, time.Now())
	_, stale := s.stale[k]
	return l, stale, nil
}

// await notes that a device waits for a lease, and asks for a newer look if it
// had not been waiting yet.
func (s *server) await(k hostKey) {
	s.mu.Lock()
	_, known := s.waiting[k]
	s.waiting[k] = struct{}{}
	s.mu.Unlock()
	if !known {
		s.wake()
	}
}

// settled notes that a device waits no longer.
func (s *server) settled(k hostKey) {
	s.mu.RLock()
	_, waiting := s.waiting[k]
	s.mu.RUnlock()
	if waiting {
		s.mu.Lock()
		delete(s.waiting, k)
		s.mu.Unlock()
	}
}

// forget drops what is remembered of a host that nobody wants any longer.
func (s *server) forget(k hostKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.waiting, k)
	delete(s.lost, k)
	delete(s.echoes, k)
}

func (s *server) wake() {
	select {
	case s.kick <- struct{}{}:
	default: // The loop has been asked already: those who ask at the same time share a look.
	}
}

// detail gives what the devices of a subnet get; nil if that cannot be read. It
// asks the server the first time; scans bring it up to date.
func (s *server) detail(ctx context.Context, id uint32) *kea.SubnetDetail {
	s.mu.RLock()
	d, ok := s.subnetDetails[id]
	known := s.snap != nil && s.snap.subnetsKnown
	s.mu.RUnlock()
	if ok || !known {
		return d
	}
	read, err := s.client.Subnet(ctx, id)
	if err == nil {
		d = &read
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Also where it failed, until the next scan: not everybody is to ask.
	s.subnetDetails[id] = d
	return d
}
