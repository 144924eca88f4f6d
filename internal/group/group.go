// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"maps"
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
}

// Config of a group.
type Config struct {
	// Servers of the group, at least one, with names that differ.
	Servers []ServerConfig
	Storage Storage
	// Persist saves reservations in memory to Kea's configuration file after changes.
	Persist bool
	// Interval between snapshots.
	Interval time.Duration
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
	servers []*server
	mirror  *mirror.Mirror
}

// New returns a group. It sends no command before Run.
func New(c Config) (*Group, error) {
	g := &Group{cluster: c.Cluster, mirror: mirror.New(c.Cluster)}
	for _, sc := range c.Servers {
		s, err := newServer(sc, c, g.mirror)
		if err != nil {
			return nil, err
		}
		g.servers = append(g.servers, s)
	}
	return g, nil
}

// Run reads the servers until the context ends.
func (g *Group) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range g.servers {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
}

// Servers returns what is known of each server, in the order of the configuration.
func (g *Group) Servers() []ServerFacts {
	out := make([]ServerFacts, 0, len(g.servers))
	for _, s := range g.servers {
		out = append(out, s.currentFacts())
	}
	return out
}

// Probed reports whether the first attempt to read every server has ended, successfully or not.
func (g *Group) Probed() bool {
	for _, s := range g.servers {
		select {
		case <-s.probed:
		default:
			return false
		}
	}
	return true
}

// firstScan is how long callers wait for the first attempt to read a server.
const firstScan = 5 * time.Second

// Await waits until the first attempt to read every server has ended, but not for one that hangs:
// an error says which.
func (g *Group) Await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, firstScan)
	defer cancel()
	for _, s := range g.servers {
		select {
		case <-s.probed:
		case <-ctx.Done():
			return fmt.Errorf("cannot use server %s: %w", s.name, errNoAnswer)
		}
	}
	return nil
}

// views returns what is known of an intent on the servers that can be used, and why the others
// cannot.
func (g *Group) views(in reservation.Intent) ([]reservation.View, map[string]error) {
	errs := map[string]error{}
	var usable []string
	for _, s := range g.servers {
		if err := s.unusable(); err != nil {
			errs[s.name] = err
			continue
		}
		usable = append(usable, s.name)
	}
	views, more := g.mirror.Views(usable, in, time.Now())
	maps.Copy(errs, more)
	return views, errs
}

// owner of what a resource makes.
func (g *Group) owner(in reservation.Intent) reservation.Owner {
	return reservation.Owner{Cluster: g.cluster, Resource: in.Resource}
}

func (g *Group) server(name string) *server {
	for _, s := range g.servers {
		if s.name == name {
			return s
		}
	}
	return nil
}
