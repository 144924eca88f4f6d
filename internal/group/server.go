// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
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
	// HAState is the state of the first of HA, the high-availability relationships that the server
	// takes part in; empty without the hook library.
	HAState string
	HA      []kea.HAStatus
	// State is whether the server serves, and Since is when it began to, or ceased to.
	State Health
	Since time.Time
	// MissingHooks are hook libraries that the provider needs and the server does not load.
	MissingHooks []string
	// Warnings are what Kea is configured to ignore, and what could not be checked.
	Warnings []string
	// Err is why the server cannot be used; nil if State is Up or Suspect.
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
	// ErrSeveralProcesses reports that a load balancer, or a name with several addresses, leads to
	// servers that each have reservations of their own.
	ErrSeveralProcesses = errors.New("answers come from more than one kea-dhcp4, as behind a load balancer: the url must lead to one; name each server by itself in spec.servers")
	ErrSubnetsLost      = errors.New("Kea has no subnets any more: its configuration may not have arrived yet; they are taken for removed if they do not come back within a minute")
	ErrNoSubnets        = errors.New("Kea has just started and has no subnets: its configuration may not have arrived yet; an empty configuration is accepted a minute after the start")
)

// Reasons why a server is not used now.
var (
	// errNoAnswer says that the first attempt to read a server has not ended.
	errNoAnswer = errors.New("it has not answered yet: check that kea-dhcp4 is running and not overloaded")
	errSuspect  = errors.New("it did not answer a command: check that kea-dhcp4 is running and not overloaded")
	errUnsteady = errors.New("it comes and goes: it is used again once it has answered for a whole snapshotInterval")
)

// notUsedError reports that a command was not sent, as the server cannot be used now.
type notUsedError struct {
	server string
	err    error
}

// Error names the server and the reason.
func (e *notUsedError) Error() string {
	return fmt.Sprintf("cannot use server %s: %v", e.server, e.err)
}

// Unwrap returns the reason.
func (e *notUsedError) Unwrap() error { return e.err }

// isAway reports whether an error means that a server does not answer, or is known not to.
func isAway(err error) bool {
	var unreachable *kea.UnreachableError
	var notUsed *notUsedError
	return errors.As(err, &unreachable) || errors.As(err, &notUsed)
}

// settings are how a server is used. They are replaced as a whole.
type settings struct {
	url     string
	client  *kea.Client
	storage Storage
	persist bool
	// interval is the time between snapshots.
	interval time.Duration
	// err is why the server cannot be used as it is configured; nil if it can.
	err error
}

// callerCommands is how many commands callers may have sent to a server at a time; the loop has
// another one. Kea works on one after the other, and serves no DHCP client meanwhile.
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

	// tickNow asks the loop for a tick before it is due.
	tickNow chan struct{}
	// probed is closed after the first attempt to read the server, successful or not.
	probed     chan struct{}
	probedOnce sync.Once

	mu     sync.RWMutex
	health health
	facts  ServerFacts
	// behind are the devices to look at again once the server has been read: it could not be used when
	// they were looked at. everythingBehind is set where that is all of them.
	behind           map[kea.HWAddress]struct{}
	everythingBehind bool
	// instance is which running Kea the last probe found; "" if it cannot say.
	instance string
	// sharedDatabase is set once the server's hosts-database has turned out to be that of another
	// server of the group, though the configuration does not say so.
	sharedDatabase bool
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
	// answeredAt is when the last heartbeat was answered.
	answeredAt time.Time
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
		tickNow: make(chan struct{}, 1), probed: make(chan struct{}),
		facts: ServerFacts{Name: cfg.Name}, waiting: map[mirror.Key]struct{}{}, behind: map[kea.HWAddress]struct{}{}, toInspect: true,
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
	last := s.current.Swap(&settings{url: cfg.Kea.URL, client: client, storage: c.Storage, persist: c.Persist, interval: c.Interval, err: cfg.Err})
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

func (s *server) currentFacts() ServerFacts {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.facts
}

// unusable returns why nothing can be said of what the server holds now; nil if something can.
func (s *server) unusable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.health.serves() {
		return nil
	}
	return &notUsedError{server: s.name, err: cmp.Or(s.facts.Err, errNoAnswer)}
}

// silent returns why no command of a caller is sent to the server; nil if one is.
func (s *server) silent() error {
	if err := s.unusable(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.health.state == Suspect {
		return &notUsedError{server: s.name, err: errSuspect}
	}
	return nil
}

// loopKey marks the context of a server's loop, and settleKey that of commands which settle a write.
type (
	loopKey   struct{}
	settleKey struct{}
)

// settling returns a context for commands that find out what became of a write: they are sent though
// the write itself was not answered. That may be the fault of the connection; a server that hangs is
// not asked again.
func settling(ctx context.Context, werr error) context.Context {
	if errors.Is(werr, context.DeadlineExceeded) {
		return ctx
	}
	return context.WithValue(ctx, settleKey{}, true)
}

// admit lets a few commands of callers through at a time, while the server answers, and those of the
// loop always.
func (s *server) admit(ctx context.Context) (done func(error), err error) {
	if ctx.Value(loopKey{}) != nil {
		return func(error) {}, nil
	}
	check := s.silent
	if ctx.Value(settleKey{}) != nil {
		check = s.unusable
	}
	if err := check(); err != nil {
		return nil, err
	}
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return nil, fmt.Errorf("cannot wait for commands that were sent to server %s before: %w", s.name, ctx.Err())
	}
	if err := check(); err != nil {
		<-s.turns
		return nil, err
	}
	return func(err error) {
		<-s.turns
		_, unanswered := errors.AsType[*kea.UnreachableError](err)
		s.outcome(!unanswered)
	}, nil
}

// outcome records whether a command was answered. If not, the loop is to find out whether the server
// still answers.
func (s *server) outcome(answered bool) {
	s.mu.Lock()
	suspect := false
	if answered {
		s.health.commandAnswered()
	} else {
		suspect = s.health.commandFailed()
	}
	s.mu.Unlock()
	if suspect {
		s.requestTick()
	}
}

// addBehind remembers that a device is to be looked at again once the server has been read. It does
// nothing for a server that is no longer configured.
func (s *server) addBehind(hw kea.HWAddress) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.behind[hw] = struct{}{}
}

// takeBehind returns what is to be looked at again now.
func (s *server) takeBehind() mirror.Changes {
	s.mu.Lock()
	defer s.mu.Unlock()
	c := mirror.Changes{Everything: s.everythingBehind}
	for hw := range s.behind {
		c.Merge(mirror.Changes{HWAddresses: map[kea.HWAddress]string{hw: ""}})
	}
	s.everythingBehind = false
	clear(s.behind)
	return c
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

// updateFacts changes the facts, and says so if they are others than before.
func (s *server) updateFacts(update func(*ServerFacts)) {
	s.mu.Lock()
	before := s.facts
	update(&s.facts)
	s.facts.State, s.facts.Since = s.health.state, s.health.since
	changed := !sameFacts(before, s.facts)
	s.mu.Unlock()
	if changed {
		s.notify(mirror.Changes{Servers: true})
	}
}

func sameFacts(a, b ServerFacts) bool {
	return a.Version == b.Version && a.Storage == b.Storage && slices.Equal(a.HA, b.HA) && slices.Equal(a.MissingHooks, b.MissingHooks) &&
		reported(a.State) == reported(b.State) && a.Since.Equal(b.Since) &&
		slices.Equal(a.Warnings, b.Warnings) && text(a.Err) == text(b.Err) && text(a.SubnetsErr) == text(b.SubnetsErr) && text(a.SaveErr) == text(b.SaveErr)
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// reported returns the state that is worth a report: whether a Suspect server is Up or Down turns out
// in a moment.
func reported(h Health) Health {
	if h == Suspect {
		return Up
	}
	return h
}

// failed records why the server cannot be used. That alone concerns no reservation: what was last
// seen of each still holds.
func (s *server) failed(err error) {
	s.updateFacts(func(f *ServerFacts) {
		s.health.failed(time.Now(), s.interval())
		f.Err = err
	})
}

// recovered records that all of the server has been read, and has the devices looked at that could
// not be before.
func (s *server) recovered() {
	s.updateFacts(func(f *ServerFacts) {
		s.health.read(time.Now())
		f.Err = nil
	})
	s.notify(s.takeBehind())
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
