// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// Groups has the group of Kea servers of each provider configuration. Its methods may be called by
// several goroutines at once, but for Open, Fail and Close of the same provider configuration.
type Groups struct {
	mu      sync.Mutex // guards entries, changed and listeners
	entries map[Ref]entry
	// changed is closed, and replaced, when an entry is added, replaced or removed.
	changed   chan struct{}
	listeners []func(Ref, mirror.Changes)
	running   sync.WaitGroup
}

// entry is a running group, or the reason why there is none.
type entry struct {
	// fingerprint of the configuration and the Secrets that the group was last configured with.
	fingerprint string
	// servers are the names of those whose commands are counted.
	servers []string
	group   *group.Group
	err     error
	stop    context.CancelFunc
}

// NewGroups returns an empty Groups.
func NewGroups() *Groups {
	return &Groups{entries: map[Ref]entry{}, changed: make(chan struct{})}
}

// Wait waits for the groups to end, after the context that they run in has ended: one may have
// reservations to save.
func (g *Groups) Wait() { g.running.Wait() }

// Listen adds a function that is called from now on with the provider configuration that changed
// and what the change concerns. It must not block.
func (g *Groups) Listen(fn func(Ref, mirror.Changes)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.listeners = append(g.listeners, fn)
}

func (g *Groups) notify(ref Ref, c mirror.Changes) {
	g.mu.Lock()
	listeners := slices.Clone(g.listeners)
	g.mu.Unlock()
	for _, fn := range listeners {
		fn(ref, c)
	}
}

// Group returns the group of a provider configuration, or the reason why there is none. It blocks
// until the configuration has been reconciled, or ctx ends.
func (g *Groups) Group(ctx context.Context, ref Ref) (*group.Group, error) {
	for {
		g.mu.Lock()
		e, ok := g.entries[ref]
		changed := g.changed
		g.mu.Unlock()
		if ok {
			return e.group, e.err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot wait for %s to be read: %w", ref, ctx.Err())
		}
	}
}

// Running returns the group of a provider configuration, and whether there is one. It does not
// block.
func (g *Groups) Running(ref Ref) (*group.Group, bool) {
	e, _ := g.entry(ref)
	return e.group, e.group != nil
}

// Sharing returns the provider configurations that are known to reach a server of another one,
// which is among them: two resources of a device then concern the same reservation. It does not
// block.
func (g *Groups) Sharing(ref Ref) []Ref {
	out := []Ref{ref}
	g.mu.Lock()
	defer g.mu.Unlock()
	own := g.entries[ref].group
	for other, e := range g.entries {
		if other != ref && own != nil && e.group != nil && own.Shares(e.group) {
			out = append(out, other)
		}
	}
	return out
}

// Usable reports whether a server of a provider configuration can be used. Listeners are called
// when that changes.
func (g *Groups) Usable(ref Ref) bool {
	running, ok := g.Running(ref)
	return ok && slices.ContainsFunc(running.Servers(), func(f group.ServerFacts) bool { return f.Err == nil && f.State != "" })
}

// entry returns the entry of a provider configuration, and whether there is one.
func (g *Groups) entry(ref Ref) (entry, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e, ok := g.entries[ref]
	return e, ok
}

// Open returns the running group of a provider configuration. It starts one if there is none, and
// reconfigures the one that runs if that has another fingerprint: what the group knows stays, and
// listeners are called with what the group itself finds to have changed. A group that was started
// runs until Fail or Close, or until ctx ends. An error is also that of users, as after Fail. It
// returns, too, the servers that are no longer used.
func (g *Groups) Open(ctx context.Context, ref Ref, cfg group.Config, fingerprint string) (*group.Group, []group.Departure, error) {
	e, _ := g.entry(ref)
	if e.group != nil && e.fingerprint == fingerprint {
		return e.group, nil, nil
	}
	g.countCommands(&cfg, ref)
	cfg.Notify = func(c mirror.Changes) { g.notify(ref, c) }
	if e.group == nil {
		started, err := g.start(ctx, ref, cfg, fingerprint)
		if err == nil {
			forgetServers(ref, e.servers, names(cfg))
		}
		return started, nil, err
	}
	before := e.servers
	e.fingerprint, e.servers = fingerprint, names(cfg)
	g.mu.Lock()
	g.entries[ref] = e
	g.mu.Unlock()
	forgetServers(ref, before, e.servers)
	departed, err := e.group.Reconfigure(cfg) //nolint:contextcheck // Servers that are added run as long as the group.
	if err != nil {
		g.Fail(ref, err)
		return nil, nil, err //nolint:wrapcheck // It names the server.
	}
	return e.group, departed, nil
}

// start makes a group and runs it.
func (g *Groups) start(ctx context.Context, ref Ref, cfg group.Config, fingerprint string) (*group.Group, error) {
	made, err := group.New(cfg)
	if err != nil {
		g.Fail(ref, err)
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	g.replace(ref, &entry{fingerprint: fingerprint, servers: names(cfg), group: made, stop: stop})
	g.running.Go(func() { made.Run(ctx) })
	return made, nil
}

func names(cfg group.Config) []string {
	out := make([]string, 0, len(cfg.Servers))
	for _, s := range cfg.Servers {
		out = append(out, s.Name)
	}
	return out
}

// Fail records why a provider configuration cannot be used, and ends its group. Listeners are called
// only if the reason is a new one.
func (g *Groups) Fail(ref Ref, err error) {
	e, ok := g.entry(ref)
	if ok && e.group == nil && e.err.Error() == err.Error() {
		return
	}
	g.replace(ref, &entry{err: err, servers: e.servers})
}

// Close ends the group of a provider configuration that is gone, and drops its metrics.
func (g *Groups) Close(ref Ref) {
	g.replace(ref, nil)
	forgetCommands(ref)
}

// Release ends the group of a provider configuration that another process serves, if it was served
// here until now.
func (g *Groups) Release(ref Ref) {
	if _, ok := g.entry(ref); ok {
		g.Close(ref)
	}
}

// replace replaces an entry, and ends the group of the old one; nil removes it. Listeners are called
// for all that use the provider configuration.
func (g *Groups) replace(ref Ref, e *entry) {
	g.mu.Lock()
	old := g.entries[ref]
	if e == nil {
		delete(g.entries, ref)
	} else {
		g.entries[ref] = *e
	}
	close(g.changed)
	g.changed = make(chan struct{})
	g.mu.Unlock()
	if old.stop != nil {
		old.stop()
	}
	g.notify(ref, mirror.Changes{Everything: true})
}
