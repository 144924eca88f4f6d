// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

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
// sends no command. An error if no server can be used; that never means "not there".
func (g *Group) Observe(in reservation.Intent) (Observation, error) {
	views, errs := g.views(in)
	if len(views) == 0 {
		return Observation{}, g.join(errs)
	}
	o := Observation{Observation: reservation.Observe(views, in, g.owner(in))}
	for _, v := range views {
		if v.Refusal != nil && o.State != reservation.Refused {
			g.mirror.ForgetRefusal(v.Store, mirror.Key{SubnetID: v.Subnet.ID, HW: in.HWAddress})
		}
	}
	for i := range o.Servers {
		if o.Servers[i].SubnetID == 0 {
			continue
		}
		g.server(o.Servers[i].Name).trackWaiting(mirror.Key{SubnetID: o.Servers[i].SubnetID, HW: in.HWAddress}, o.State)
	}
	for _, s := range g.servers {
		if err, failed := errs[s.name]; failed {
			o.Servers = append(o.Servers, reservation.ServerPlan{Name: s.name, State: reservation.Unknown, Message: err.Error()})
		}
	}
	if o.Subnet.ID != 0 {
		for _, v := range views {
			if v.Primary && v.SubnetFound && o.Detail == nil {
				o.Detail, _ = g.mirror.SubnetDetail(v.Store.Server, v.Subnet.ID)
			}
		}
	}
	return o, nil
}

// join returns the errors of servers, in the order of the configuration.
func (g *Group) join(errs map[string]error) error {
	all := make([]error, 0, len(errs))
	for _, s := range g.servers {
		all = append(all, errs[s.name])
	}
	return errors.Join(all...)
}

// Refresh asks the servers for what Observe needs and the mirror does not have, or not new enough:
// a host whose last write had no known outcome; and, where the address is to be taken from a lease,
// the device's reservation and lease at this moment. A device keeps its address for good, so
// neither a reservation that was made after the last scan nor a newer lease must be missed. It
// sends no command otherwise.
func (g *Group) Refresh(ctx context.Context, in reservation.Intent) error {
	views, errs := g.views(in)
	if len(views) == 0 {
		return g.join(errs)
	}
	fromLease := reservation.AddressComesFromLease(views, in)
	for _, v := range views {
		if !v.Primary || !v.SubnetFound {
			continue
		}
		s, k := g.server(v.Store.Server), mirror.Key{SubnetID: v.Subnet.ID, HW: in.HWAddress}
		s.readSubnetDetail(ctx, v)
		var err error
		if fromLease || g.mirror.Unconfirmed(s.name, k) || adoptsAddress(views, in, g.owner(in)) {
			err = s.readHostEverywhere(ctx, k)
		}
		if err == nil && fromLease && v.LeasesKnown {
			err = s.refreshLeases(ctx, in.HWAddress)
		}
		if err != nil {
			return fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, in.HWAddress, err)
		}
	}
	return nil
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
	views, _ := g.views(in)
	if !reservation.NeedsLease(views, in) {
		return false
	}
	for _, v := range views {
		if v.Primary && v.SubnetFound && v.LeasesKnown {
			g.server(v.Store.Server).startWaiting(mirror.Key{SubnetID: v.Subnet.ID, HW: in.HWAddress})
		}
	}
	return true
}

// Forget drops what is remembered for an intent that no resource has any longer.
func (g *Group) Forget(in reservation.Intent) {
	g.mirror.Forget(in, g.owner(in))
	for _, s := range g.servers {
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
	var d *kea.SubnetDetail
	if read, err := s.client.Subnet(ctx, v.Subnet.ID); err == nil {
		d = &read
	}
	// The resource that asks sees it in a moment; others of the subnet have asked nothing yet.
	_ = s.mirror.PutSubnetDetail(s.name, v.Subnet.ID, d)
}

// freshLease is how old what is known of a device's leases may be when the address of one is
// reserved.
const freshLease = 2 * time.Second

// refreshLeases asks for a device's leases, unless that was done just now: thousands of devices
// that wait together are asked about together.
func (s *server) refreshLeases(ctx context.Context, hw kea.HWAddress) error {
	if s.mirror.AgeOfLeases(s.name, hw, time.Now()) < freshLease {
		return nil
	}
	return s.readLeasesOf(ctx, hw)
}
