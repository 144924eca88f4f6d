// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Storage tells where the servers are to keep reservations.
type Storage string

// Places to keep reservations in.
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
	// Persist saves memory hosts to Kea's configuration file after changes.
	Persist bool
	// Interval between snapshots.
	Interval time.Duration
	// Cluster is the UID that marks of ownership carry.
	Cluster string
	// Notify hears whom a change in Kea concerns. It must not block.
	Notify func(Touched)
}

// Group is the Kea servers of one provider configuration. It may be used by
// several goroutines at once.
type Group struct {
	servers []*server
	cluster string
}

// New makes a group. It talks to no server before Run.
func New(c Config) (*Group, error) {
	g := &Group{cluster: c.Cluster}
	for _, sc := range c.Servers {
		s, err := newServer(sc, c)
		if err != nil {
			return nil, err
		}
		g.servers = append(g.servers, s)
	}
	return g, nil
}

// Run looks at the servers until the context ends. Observe, Ensure and Release
// wait for its first look.
func (g *Group) Run(ctx context.Context) {
	var wg sync.WaitGroup
	for _, s := range g.servers {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Wait()
}

// Servers tells what the last look at each server found, in the order of the
// configuration.
func (g *Group) Servers() []ServerFacts {
	out := make([]ServerFacts, 0, len(g.servers))
	for _, s := range g.servers {
		s.mu.RLock()
		out = append(out, s.facts)
		s.mu.RUnlock()
	}
	return out
}

// Probed tells whether every server has been looked at, whatever came of it.
func (g *Group) Probed() bool {
	for _, s := range g.servers {
		select {
		case <-s.looked:
		default:
			return false
		}
	}
	return true
}

// Observe tells how an intent stands: a look into the snapshots, and at the
// servers themselves where an address is to be taken from a lease. An error where
// no server can be asked; that is never "not there".
func (g *Group) Observe(ctx context.Context, in Intent) (Observation, error) {
	looks, errs := g.look(ctx, in)
	if leased(reached(looks), in) {
		g.lookAgain(ctx, in, looks, errs)
	}
	address := choose(reached(looks), in)
	o := Observation{State: Reserved, Address: address, Servers: make([]ServerObservation, len(g.servers))}
	for i, s := range g.servers {
		if errs[i] != nil {
			o.Servers[i] = ServerObservation{Name: s.name, State: Unknown, Message: errs[i].Error()}
			continue
		}
		l := *looks[i]
		v := decide(l, in, address, g.cluster)
		s.note(hostKey{l.subnet.ID, in.HWAddress}, v.state)
		o.add(l, v, mark{cluster: g.cluster, resource: in.Resource})
		o.Servers[i] = serverObservation(s.name, l, v)
		if l.subnetFound && o.Detail == nil {
			o.Detail = s.detail(ctx, l.subnet.ID)
		}
	}
	if len(reached(looks)) == 0 {
		return Observation{}, errors.Join(errs...)
	}
	o.Lease = newestLease(reached(looks))
	return o, nil
}

// leased tells whether nothing but a lease tells the address to reserve.
func leased(looks []look, in Intent) bool {
	return choose(looks, in).IsValid() && !in.Address.IsValid() && !choose(withoutLeases(looks), in).IsValid()
}

func withoutLeases(looks []look) []look {
	out := slices.Clone(looks)
	for i := range out {
		out[i].leases = nil
	}
	return out
}

// lookAgain brings the looks up to date with what the servers hold of the device
// at this moment: a reservation that was made after the last snapshot counts more
// than the lease, and a newer lease more than an older one. It costs a command or
// two for each look until the address is reserved, which is the next thing to do.
func (g *Group) lookAgain(ctx context.Context, in Intent, looks []*look, errs []error) {
	for i, s := range g.servers {
		if errs[i] != nil || !looks[i].subnetFound {
			continue
		}
		err := s.reread(ctx, hostKey{looks[i].subnet.ID, in.HWAddress})
		if err == nil && looks[i].leasesKnown {
			err = s.refreshLeases(ctx, in.HWAddress)
		}
		if err == nil {
			*looks[i], _, err = s.lookUp(in)
		}
		if err != nil {
			looks[i], errs[i] = nil, fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, in.HWAddress, err)
		}
	}
}

// Expect says that an intent will be observed soon. If it will need the device's
// lease, the look for it begins now, and Expect tells so.
func (g *Group) Expect(in Intent) bool {
	looking := false
	for _, s := range g.servers {
		l, _, err := s.lookUp(in)
		if err == nil && l.subnetFound && l.leasesKnown && !choose([]look{l}, in).IsValid() {
			s.await(hostKey{l.subnet.ID, in.HWAddress})
			looking = true
		}
	}
	return looking
}

// note keeps the list of those who wait for a lease.
func (s *server) note(k hostKey, st State) {
	if st == AwaitingLease {
		s.await(k)
	} else {
		s.settled(k)
	}
}

// look looks at every server. Either looks[i] or errs[i] is not nil.
func (g *Group) look(ctx context.Context, in Intent) ([]*look, []error) {
	looks, errs := make([]*look, len(g.servers)), make([]error, len(g.servers))
	for i, s := range g.servers {
		l, err := s.look(ctx, in)
		if err != nil {
			errs[i] = err
			continue
		}
		looks[i] = &l
	}
	return looks, errs
}

func reached(looks []*look) []look {
	out := make([]look, 0, len(looks))
	for _, l := range looks {
		if l != nil {
			out = append(out, *l)
		}
	}
	return out
}

// rank orders states by how much they are in the way: the worst is the group's.
var rank = map[State]int{
	Reserved: 0, Unknown: 1, Pending: 2, AwaitingLease: 3, HookMissing: 4,
	SubnetNotFound: 5, AddressNotInSubnet: 6, AddressConflict: 7, OwnedByAnother: 8,
}

// add takes one server into the observation.
func (o *Observation) add(l look, v verdict, me mark) {
	if rank[v.state] > rank[o.State] {
		o.State, o.Message = v.state, v.message
	}
	if v.write != writeNothing || v.dropShadow {
		o.Write = true
		o.Diff = strings.TrimPrefix(o.Diff+"; "+v.diff, "; ")
	}
	if o.Subnet.ID == 0 && l.subnetFound {
		o.Subnet = l.subnet
	}
	o.LeasesKnown = o.LeasesKnown || l.leasesKnown
	for _, r := range []*kea.Reservation{effective(l), l.here, l.shadow} {
		if r == nil {
			continue
		}
		if o.Held.SubnetID == 0 {
			o.Held = *r
		}
		owner, marked := markOf(r)
		o.Exists = o.Exists || !marked || owner.sameOwner(me)
	}
}

func serverObservation(name string, l look, v verdict) ServerObservation {
	so := ServerObservation{Name: name, State: v.state, Exists: l.here != nil || l.shadow != nil}
	if l.subnetFound {
		so.SubnetID = l.subnet.ID
	}
	if v.state != Reserved {
		so.Message = v.message
	}
	return so
}

// Ensure writes the intent to every server that does not hold it yet, and reads
// it back. It goes on after an error, so that one server does not keep the others
// from theirs. A *BlockedError says that something in Kea is in the way.
func (g *Group) Ensure(ctx context.Context, in Intent) error {
	looks, errs := g.look(ctx, in)
	address := choose(reached(looks), in)
	for i, s := range g.servers {
		if errs[i] != nil {
			continue
		}
		errs[i] = s.ensure(ctx, in, address, g.cluster)
	}
	return errors.Join(errs...)
}

// Forget drops what is remembered of an intent that nobody has any longer.
func (g *Group) Forget(in Intent) {
	for _, s := range g.servers {
		s.mu.RLock()
		var sub kea.Subnet
		found := false
		if s.snap != nil {
			sub, found = s.snap.resolve(in.Subnet)
		}
		s.mu.RUnlock()
		if found {
			s.forget(hostKey{sub.ID, in.HWAddress})
		}
	}
}
