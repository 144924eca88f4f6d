// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Storage is where the servers are to keep reservations.
type Storage string

// Where servers can keep reservations.
const (
	// StorageAuto takes the hosts-database where there is one, memory elsewhere.
	StorageAuto     Storage = "Auto"
	StorageMemory   Storage = "Memory"
	StorageDatabase Storage = "Database"
)

// ServerConfig names a server and says how to reach it.
type ServerConfig struct {
	Name string
	Kea  kea.Config
	// Err is why the server cannot be used as it is configured; nil if it can. No command is sent
	// to it then.
	Err error
}

// Config of a group.
type Config struct {
	// Servers of the group, at least one, with names that differ.
	Servers []ServerConfig
	Storage Storage
	// Shared means that the hosts-databases of all servers are one: it is written through one of
	// them.
	Shared bool
	// Persist saves reservations in memory to Kea's configuration file after changes.
	Persist bool
	// Interval between snapshots.
	Interval time.Duration
	// Memory is how many bytes what is kept of one server may take, see memory.go; 0 is OwnMemory.
	Memory int
	// Cluster is the UID in the marks of ownership.
	Cluster string
	// Notify is called with what a change in Kea concerns, by several goroutines at once. It must
	// not block.
	Notify func(mirror.Changes)
}

// Group is the Kea servers of one provider configuration. Its methods may be called by several
// goroutines at once.
type Group struct {
	cluster string
	mirror  *mirror.Mirror
	notify  func(mirror.Changes)
	// begun is when the servers were first asked.
	begun time.Time

	mu      sync.RWMutex // guards what follows
	servers []*server
	shared  bool
	// running has the context and the goroutines of the servers, once Run has been called.
	running context.Context //nolint:containedctx // Servers that are added later run in it.
	loops   sync.WaitGroup
}

// New returns a group. It sends no command before Run.
func New(c Config) (*Group, error) {
	g := &Group{cluster: c.Cluster, mirror: mirror.New(c.Cluster), notify: c.Notify, shared: c.Shared, begun: time.Now()}
	for _, sc := range c.Servers {
		s, err := newServer(sc, c, g.mirror)
		if err != nil {
			return nil, err
		}
		s.group = g
		g.servers = append(g.servers, s)
	}
	return g, nil
}

// Run reads the servers until the context ends.
func (g *Group) Run(ctx context.Context) {
	g.mu.Lock()
	g.running = ctx
	for _, s := range g.servers {
		g.start(s) //nolint:contextcheck // It runs in that of the group, which is ctx.
	}
	g.mu.Unlock()
	<-ctx.Done()
	g.loops.Wait()
}

// errEnded is that of commands which callers would send after the group has ended: its servers may
// be another process's by now.
var errEnded = errors.New("cannot send commands to Kea any more: the provider configuration is closed here")

// ended returns nil until the group has ended.
func (g *Group) ended() error {
	g.mu.RLock()
	defer g.mu.RUnlock()
	if g.running != nil && g.running.Err() != nil {
		return errEnded
	}
	return nil
}

// start starts the loop of a server. It needs the lock.
func (g *Group) start(s *server) {
	ctx, stop := context.WithCancel(g.running)
	s.stop = stop
	g.loops.Go(func() { s.run(ctx) })
}

// all returns the servers, in the order of the configuration.
func (g *Group) all() []*server {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.servers
}

// Servers returns what is known of each server, in the order of the configuration.
func (g *Group) Servers() []ServerFacts {
	all := g.all()
	out := make([]ServerFacts, 0, len(all))
	for _, s := range all {
		out = append(out, s.currentFacts())
	}
	return out
}

// Orphans returns how many devices have a reservation on a server that is marked as that of a
// resource of this cluster which does not exist; see mirror.Mirror.Orphans. Nothing is known of a
// server whose LastRead is zero.
func (g *Group) Orphans(exists func(resource string, hw kea.HWAddress) (bool, error)) (int, error) {
	return g.mirror.Orphans(exists)
}

// ForgetVanished drops what is remembered of reservations that have gone from Kea and whose
// resource does not exist; see mirror.Mirror.ForgetVanished.
func (g *Group) ForgetVanished(exists func(resource string, hw kea.HWAddress) (bool, error)) error {
	return g.mirror.ForgetVanished(exists)
}

// Probed reports whether the first attempt to read every server has ended, successfully or not.
func (g *Group) Probed() bool {
	return !slices.ContainsFunc(g.all(), func(s *server) bool { return !s.isProbed() })
}

// firstScan is how long devices are left alone for the first attempt to read the servers, from its
// beginning or the last page that was read.
const firstScan = 5 * time.Second

// UntilTried returns for how long a device should be left alone, since there has not been an
// attempt to read every server yet; 0 if there has, or if it does not get on, as with a server that
// hangs. It does not block: a change that concerns the device is notified when a server has been
// read.
func (g *Group) UntilTried(hw kea.HWAddress) time.Duration {
	left := g.untilTried()
	if left == 0 {
		return 0
	}
	for _, s := range g.all() {
		if !s.isProbed() {
			s.addBehind(hw)
		}
	}
	if g.Probed() { // just now, and perhaps without the device in what it notified
		return 0
	}
	return left
}

func (g *Group) untilTried() time.Duration {
	left := time.Duration(0)
	for _, s := range g.all() {
		if !s.isProbed() {
			left = max(left, time.Until(s.lastHeard(g.begun).Add(firstScan)))
		}
	}
	return left
}

// AwaitTried waits until every server has been tried, for firstScan at most, or ctx ends: for a
// caller that has found the group before UntilTried could be asked, and keeps a worker waiting.
func (g *Group) AwaitTried(ctx context.Context) {
	ctx, cancel := context.WithDeadline(ctx, g.begun.Add(firstScan))
	defer cancel()
	for _, s := range g.all() {
		select {
		case <-s.probed:
		case <-ctx.Done():
			return
		}
	}
}

// owner of what a resource makes.
func (g *Group) owner(in reservation.Intent) reservation.Owner {
	return reservation.Owner{Cluster: g.cluster, Resource: in.Resource}
}

func (g *Group) server(name string) *server {
	for _, s := range g.all() {
		if s.name == name {
			return s
		}
	}
	return nil
}

// join returns the errors of servers, in the order of the configuration. Those of servers that have
// been removed meanwhile come first.
func (g *Group) join(errs map[string]error) error {
	all := make([]error, 0, len(errs))
	for _, name := range slices.SortedFunc(maps.Keys(errs), func(a, b string) int { return g.position(a) - g.position(b) }) {
		all = append(all, errs[name])
	}
	return errors.Join(all...)
}
