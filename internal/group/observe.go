// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Observation is how an intent stands on the servers of a group.
type Observation struct {
	reservation.Observation

	// Detail is what the subnet gives its devices; nil if that is not known.
	Detail *kea.SubnetDetail
}

// Observe returns how an intent stands, by what is known of the servers: it reads the mirror and
// sends no command. An error if no server that may have the subnet can be used; that never means "not
// there".
func (g *Group) Observe(in reservation.Intent) (Observation, error) {
	k, err := g.atLast(in)
	if err != nil {
		return Observation{}, err
	}
	o := Observation{Observation: reservation.Observe(k.views, in, g.owner(in))}
	g.trackPlan(in, o.Plan, k)
	if o.State == reservation.NotAllowed {
		return o, nil
	}
	g.forgetRefusals(in, o.State, k.views)
	for _, sp := range o.Servers {
		if s := g.server(sp.Name); s != nil && sp.SubnetID != 0 && !sp.Away {
			s.trackWaiting(mirror.Key{SubnetID: sp.SubnetID, HW: in.HWAddress}, o.State)
		}
	}
	for _, name := range k.unread {
		o.Servers = append(o.Servers, reservation.ServerPlan{Name: name, State: reservation.Unknown, Message: k.errs[name].Error()})
	}
	slices.SortStableFunc(o.Servers, func(a, b reservation.ServerPlan) int { return g.position(a.Name) - g.position(b.Name) })
	for _, v := range k.views {
		if v.Primary && v.SubnetFound && o.Detail == nil {
			o.Detail, _ = g.mirror.SubnetDetail(v.Store.Server, v.Subnet.ID)
		}
	}
	return o, nil
}

// forgetRefusals drops the changes that Kea did not accept, unless they are still wanted.
func (g *Group) forgetRefusals(in reservation.Intent, state reservation.State, views []reservation.View) {
	for _, v := range views {
		if v.Refusal != nil && state != reservation.Refused {
			g.mirror.ForgetRefusal(v.Store, key(v, in))
		}
	}
}

// position returns the place of a server in the configuration.
func (g *Group) position(name string) int {
	return slices.IndexFunc(g.all(), func(s *server) bool { return s.name == name })
}

// Refresh asks the servers for what Observe needs and the mirror does not have, or not new enough:
// a host whose last write had no known outcome; and, where the address is to be taken from a lease,
// the device's reservation and lease at this moment. A device keeps its address for good, so
// neither a reservation that was made after the last scan nor a newer lease must be missed. With
// adds, what is missing is added next, which finds such a reservation (see Intent.LateInitialized),
// unless something is in the way of it. It sends no command otherwise, and none for an intent that
// may not use its subnet.
func (g *Group) Refresh(ctx context.Context, in reservation.Intent, adds bool) error {
	k, err := g.atLast(in)
	if err != nil {
		return err
	}
	if !reservation.Allowed(k.views, in) {
		return nil
	}
	fromLease := reservation.AddressComesFromLease(k.views, in)
	adopts := adoptsAddress(k.views, in, g.owner(in))
	errs := g.onEach(k.views, func(s *server, v reservation.View) error {
		s.readSubnetDetail(ctx, v)
		if fromLease && !adds || adopts || g.mirror.Unconfirmed(s.name, key(v, in)) {
			if err := s.refreshHost(ctx, key(v, in)); err != nil {
				return err
			}
		}
		if fromLease && v.LeasesKnown {
			return s.refreshLeases(ctx, in.HWAddress)
		}
		return nil
	})
	if err := g.unlessAway(in, errs); err != nil || !fromLease || !adds || g.isPending(in) {
		return err
	}
	return g.unlessAway(in, g.onEach(k.views, func(s *server, v reservation.View) error { return s.refreshHost(ctx, key(v, in)) }))
}

// refreshHost asks a server for a host.
func (s *server) refreshHost(ctx context.Context, k mirror.Key) error {
	if err := s.readHostEverywhere(ctx, k); err != nil {
		return fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, k.HW, err)
	}
	return nil
}

// isPending reports whether nothing is in the way of an intent, by what is known.
func (g *Group) isPending(in reservation.Intent) bool {
	return reservation.Decide(g.known(in, (*server).silent).views, in, g.owner(in)).State == reservation.Pending
}

// onEach calls a function for the primary view of each server that has the subnet and can be used, at
// once for all servers, and returns its result by server.
func (g *Group) onEach(views []reservation.View, do func(*server, reservation.View) error) map[string]error {
	tasks := map[string]func() error{}
	for _, v := range views {
		if s := g.server(v.Store.Server); s != nil && !v.Away && v.Primary && v.SubnetFound {
			tasks[s.name] = func() error { return do(s, v) }
		}
	}
	return atOnce(tasks)
}

// atOnce runs tasks, all at once, and returns their results.
func atOnce(tasks map[string]func() error) map[string]error {
	var wg sync.WaitGroup
	var mu sync.Mutex // guards errs
	errs := map[string]error{}
	for name, task := range tasks {
		run := func() {
			err := task()
			mu.Lock()
			defer mu.Unlock()
			errs[name] = err
		}
		if len(tasks) == 1 {
			run()
			break
		}
		wg.Go(run)
	}
	wg.Wait()
	return errs
}

// unlessAway returns the errors of servers that answered. Those of the others count only if no server
// is left: the device is looked at again when they return.
func (g *Group) unlessAway(in reservation.Intent, errs map[string]error) error {
	answered := map[string]error{}
	for name, err := range errs {
		if isAway(err) {
			g.server(name).addBehind(in.HWAddress)
			continue
		}
		answered[name] = err
	}
	if len(answered) == 0 && len(errs) > 0 {
		return g.join(errs)
	}
	return g.join(answered)
}

// adoptsAddress reports whether the address is to be that of a reservation which is not marked as
// the owner's, and which anyone may have changed since the last scan.
func adoptsAddress(views []reservation.View, in reservation.Intent, owner reservation.Owner) bool {
	return !in.Address.IsValid() && slices.ContainsFunc(views, func(v reservation.View) bool {
		o, _ := reservation.OwnerOf(v.Host)
		return v.Host != nil && o != owner
	})
}

// Expect says that an intent will be observed soon. It reports whether the intent needs the
// device's lease, and if so has the servers asked for it now.
func (g *Group) Expect(in reservation.Intent) bool {
	views := g.known(in, (*server).unusable).views
	if !reservation.Allowed(views, in) || !reservation.NeedsLease(views, in) {
		return false
	}
	for _, v := range views {
		if s := g.server(v.Store.Server); s != nil && !v.Away && v.Primary && v.SubnetFound && v.LeasesKnown {
			s.startWaiting(key(v, in))
		}
	}
	return true
}

// Forget drops what is remembered for an intent that no resource has any longer.
func (g *Group) Forget(in reservation.Intent) {
	g.mirror.Forget(in, g.owner(in))
	g.StopWaiting(in)
}

// StopWaiting has the servers no longer asked for the lease of an intent that waited for one.
func (g *Group) StopWaiting(in reservation.Intent) {
	for _, s := range g.all() {
		if sub, ok := g.mirror.Resolve(s.name, in.Subnet); ok {
			s.stopWaiting(mirror.Key{SubnetID: sub.ID, HW: in.HWAddress})
		}
	}
}

// readSubnetDetail asks for what the devices of a subnet get, the first time that it is needed. It
// is for information: what cannot be read is not known, until the next scan.
func (s *server) readSubnetDetail(ctx context.Context, v reservation.View) {
	if _, asked := s.mirror.SubnetDetail(s.name, v.Subnet.ID); asked || !v.SubnetsKnown {
		return
	}
	_ = s.once(fmt.Sprintf("subnet %d", v.Subnet.ID), func() error {
		var d *kea.SubnetDetail
		if read, err := s.client().Subnet(ctx, v.Subnet.ID); err == nil {
			d = addressesOf(read)
		}
		// The resources that ask see it in a moment; others of the subnet have asked nothing yet.
		_ = s.mirror.PutSubnetDetail(s.name, v.Subnet.ID, d)
		return nil
	})
}

// addressesOf returns what is kept of a subnet: the addresses that its devices get. Its options and
// pools can be many.
func addressesOf(d kea.SubnetDetail) *kea.SubnetDetail {
	return &kea.SubnetDetail{Subnet: d.Subnet, Routers: d.Routers, DNSServers: d.DNSServers}
}
