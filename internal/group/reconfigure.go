// SPDX-License-Identifier: Apache-2.0

package group

import (
	"slices"

	"github.com/vitistack/provider-kea/internal/mirror"
)

// Reconfigure has the group run with another configuration. What is known of servers that remain, under
// the same name and URL, is kept. Changes are notified of the resources that a server is concerned
// with: all of them for one that is added, and those that waited for one that is removed. An error if
// a server cannot be used at all; the group runs as before then. Cluster and Notify cannot be changed.
// It returns the servers that are no longer used, with what stays behind there.
func (g *Group) Reconfigure(c Config) ([]Departure, error) {
	departed, changes, err := g.reconfigure(c)
	if g.notify != nil && !changes.Empty() {
		g.notify(changes)
	}
	return departed, err
}

// reconfigure does that, and returns what is to be notified.
func (g *Group) reconfigure(c Config) ([]Departure, mirror.Changes, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var changes mirror.Changes
	var next, added []*server
	for _, sc := range c.Servers {
		if s := g.remaining(sc); s != nil {
			next = append(next, s)
			continue
		}
		s, err := newServer(sc, Config{Storage: c.Storage, Persist: c.Persist, Interval: c.Interval, Memory: c.Memory, Notify: g.notify}, g.mirror)
		if err != nil {
			return nil, changes, err
		}
		s.group = g
		s.othersBehind.Everything = true
		s.health.changed, s.facts.Initial = true, false
		next, added = append(next, s), append(added, s)
	}
	for i, sc := range c.Servers {
		if slices.Contains(added, next[i]) {
			continue
		}
		if err := next[i].configure(sc, c); err != nil {
			return nil, changes, err
		}
		next[i].requestFullRead()
	}
	var departed []Departure
	for _, s := range g.servers {
		if !slices.Contains(next, s) {
			departed = append(departed, Departure{Server: s.name, URL: s.current.Load().url, Reservations: g.mirror.Owned(s.name)})
			changes.Merge(g.remove(s))
		}
	}
	g.servers, g.shared = next, c.Shared
	if g.running != nil {
		for _, s := range added {
			g.start(s)
		}
	}
	return departed, changes, nil
}

// Departure is a server that is no longer used.
type Departure struct {
	Server, URL string
	// Reservations is how many it held, when it was last read, that are marked as this cluster's. They
	// stay there.
	Reservations int
}

// remaining returns the server that a configuration still describes; nil if there is none. It needs the
// lock.
func (g *Group) remaining(sc ServerConfig) *server {
	i := slices.IndexFunc(g.servers, func(s *server) bool { return s.name == sc.Name && s.current.Load().url == sc.Kea.URL })
	if i < 0 {
		return nil
	}
	return g.servers[i]
}

// remove ends the loop of a server and forgets what is known of it. It returns what waited for it, and
// needs the lock.
func (g *Group) remove(s *server) mirror.Changes {
	if s.stop != nil {
		s.stop()
	}
	g.mirror.Drop(s.name)
	c := s.takeBehind()
	c.Servers = true
	return c
}

// requestFullRead has the loop probe and read the server at once: it may be kept elsewhere from now on,
// or be reached with other credentials.
func (s *server) requestFullRead() {
	s.rereads.Store(true)
	s.requestTick()
}
