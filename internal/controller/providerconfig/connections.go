// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// Ref names a provider configuration. Namespace is empty for a
// ClusterProviderConfig.
type Ref struct {
	Kind, Namespace, Name string
}

// String returns the kind and the name, for messages.
func (r Ref) String() string { return fmt.Sprintf("%s %q", r.Kind, r.Name) }

// RefFor returns the provider configuration that a resource in a namespace means by
// a kind and a name.
func RefFor(namespace, kind, name string) Ref {
	if kind == v1alpha1.ClusterProviderConfigKind {
		namespace = ""
	}
	return Ref{Kind: kind, Namespace: namespace, Name: name}
}

// Connections has the group of Kea servers of each provider configuration. It may be
// used by several goroutines at once.
type Connections struct {
	mu      sync.Mutex // guards entries, changed and listeners
	entries map[Ref]*connection
	// changed is closed, and replaced, when an entry changes.
	changed   chan struct{}
	listeners []func(Ref, mirror.Changes)
	running   sync.WaitGroup
}

// Wait waits for the groups to end, after the context that they run in has ended:
// one may have reservations to save.
func (c *Connections) Wait() { c.running.Wait() }

// connection is a running group, or the reason why there is none.
type connection struct {
	// fingerprint of the configuration and the Secrets that the group was made of.
	fingerprint string
	group       *group.Group
	err         error
	stop        context.CancelFunc
}

// NewConnections returns an empty Connections.
func NewConnections() *Connections {
	return &Connections{entries: map[Ref]*connection{}, changed: make(chan struct{})}
}

// Listen adds a function that is called from now on with the provider configuration
// that changed and what the change concerns. It must not block.
func (c *Connections) Listen(fn func(Ref, mirror.Changes)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listeners = append(c.listeners, fn)
}

func (c *Connections) notify(ref Ref, t mirror.Changes) {
	c.mu.Lock()
	listeners := slices.Clone(c.listeners)
	c.mu.Unlock()
	for _, fn := range listeners {
		fn(ref, t)
	}
}

// Group returns the group of a provider configuration, or the reason why there is
// none. It blocks until the configuration has been reconciled, or ctx ends.
func (c *Connections) Group(ctx context.Context, ref Ref) (*group.Group, error) {
	for {
		c.mu.Lock()
		e, changed := c.entries[ref], c.changed
		c.mu.Unlock()
		if e != nil {
			return e.group, e.err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, fmt.Errorf("cannot wait for %s to be read: %w", ref, ctx.Err())
		}
	}
}

// Open returns the group of a provider configuration if there is one. It does not
// block.
func (c *Connections) Open(ref Ref) (*group.Group, bool) {
	e, ok := c.lookup(ref)
	if !ok {
		return nil, false
	}
	return e.group, e.group != nil
}

// Usable reports whether a server of a provider configuration answers. Listeners
// are called when that changes.
func (c *Connections) Usable(ref Ref) bool {
	g, ok := c.Open(ref)
	return ok && slices.ContainsFunc(g.Servers(), func(f group.ServerFacts) bool { return f.Err == nil })
}

// lookup returns the entry of a provider configuration, if there is one.
func (c *Connections) lookup(ref Ref) (*connection, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[ref]
	return e, ok
}

// set replaces a connection, and stops the old one; nil removes it. Listeners are
// called for all that use the provider configuration.
func (c *Connections) set(ref Ref, e *connection) {
	c.mu.Lock()
	old := c.entries[ref]
	if e == nil {
		delete(c.entries, ref)
	} else {
		c.entries[ref] = e
	}
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	if old != nil && old.stop != nil {
		old.stop()
	}
	c.notify(ref, mirror.Changes{Everything: true})
}

// fail records why a provider configuration cannot be used. Listeners are called
// only if the reason is a new one.
func (c *Connections) fail(ref Ref, err error) {
	if e, ok := c.lookup(ref); ok && e.group == nil && e.err.Error() == err.Error() {
		return
	}
	c.set(ref, &connection{err: err})
}

// open returns a running group. It starts one unless that of the same fingerprint
// runs. The group runs until it is replaced or ctx ends.
func (c *Connections) open(ctx context.Context, ref Ref, cfg group.Config, fingerprint string) (*group.Group, error) {
	if e, ok := c.lookup(ref); ok && e.group != nil && e.fingerprint == fingerprint {
		return e.group, nil
	}
	cfg.Notify = func(t mirror.Changes) { c.notify(ref, t) }
	g, err := group.New(cfg)
	if err != nil {
		c.fail(ref, err)
		return nil, err
	}
	ctx, stop := context.WithCancel(ctx)
	c.running.Go(func() { g.Run(ctx) })
	c.set(ref, &connection{fingerprint: fingerprint, group: g, stop: stop})
	return g, nil
}
