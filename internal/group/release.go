// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// WaitingError reports that a reservation is gone from every server that answers, and that others may
// still hold it.
type WaitingError struct {
	// Servers that are waited for.
	Servers []string
}

// Error names the servers and the ways out.
func (e *WaitingError) Error() string {
	return fmt.Sprintf("cannot remove the reservation from %s, which cannot be used now (see the status of the provider configuration): "+
		"it is removed there when that changes; to leave it there, set the annotation kea.crossplane.io/abandon: %s here, "+
		"or take the server out of spec.servers", strings.Join(e.Servers, ", "), strings.Join(e.Servers, ","))
}

// Remains reports whether a server still holds something to release for an intent: a host with its
// mark, or where wasReserved is true, and the subnet may be used, one without a mark. It asks the
// servers rather than the mirror: a resource that nothing remains of is forgotten. A server that
// does not answer holds what was last seen there; an error if nothing is known of one, or one
// cannot tell.
func (g *Group) Remains(ctx context.Context, in reservation.Intent, wasReserved bool) (bool, error) {
	wasReserved = wasReserved && g.Allows(in)
	var mu sync.Mutex // guards remains
	remains := false
	errs := g.onServers(g.all(), func(s *server, _ []error) error {
		left, err := s.remains(ctx, in, g.owner(in), wasReserved)
		if isAway(err) {
			left, err = g.lastHeld(s, in, wasReserved), nil
		}
		mu.Lock()
		defer mu.Unlock()
		remains = remains || len(left) > 0
		return err
	})
	if remains {
		return true, nil
	}
	return false, g.join(errs)
}

// Release removes the device's reservations that Remains reports, from all servers at once. It returns
// nil once every server has confirmed. A *WaitingError if those that answer have, and others are
// waited for: their resource is looked at again when they return.
func (g *Group) Release(ctx context.Context, in reservation.Intent, wasReserved bool) error {
	wasReserved = wasReserved && g.Allows(in)
	errs := g.onServers(g.all(), func(s *server, _ []error) error { return s.release(ctx, in, g.owner(in), wasReserved) })
	waiting := &WaitingError{}
	for _, s := range g.all() {
		if !isAway(errs[s.name]) {
			continue
		}
		errs[s.name] = nil
		if len(g.lastHeld(s, in, wasReserved)) > 0 {
			s.addBehind(in.HWAddress)
			waiting.Servers = append(waiting.Servers, s.name)
		}
	}
	if err := g.join(errs); err != nil {
		return err
	}
	if len(waiting.Servers) > 0 {
		return waiting
	}
	return nil
}

// Allows reports whether an intent may use its subnet, by what is known of the servers. What has
// its mark is released all the same.
func (g *Group) Allows(in reservation.Intent) bool {
	return reservation.Allowed(g.known(in, (*server).unusable).views, in)
}

// lastHeld returns what a server that does not answer may hold: what was last seen there, or if that
// is not known a copy without content. Nothing if the server is abandoned; and nothing of a database
// that another server releases it from.
func (g *Group) lastHeld(s *server, in reservation.Intent, wasReserved bool) []reservation.Copy {
	if slices.Contains(in.Abandon, s.name) {
		return nil
	}
	released := g.isShared() && slices.ContainsFunc(g.all(), g.releasesDatabase)
	sub, found := s.mirror.Resolve(s.name, in.Subnet)
	unconfirmed := found && s.mirror.Unconfirmed(s.name, mirror.Key{SubnetID: sub.ID, HW: in.HWAddress})
	// A database that is lost was read as an empty one.
	if s.mirror.Scanned(s.name).IsZero() || unconfirmed || s.databaseLost() && !released {
		return []reservation.Copy{{}}
	}
	owner := g.owner(in)
	copies := s.mirror.Copies(s.name, in, owner)
	if released {
		copies = slices.DeleteFunc(copies, func(c reservation.Copy) bool { return c.Store.Place == kea.TargetDatabase })
	}
	return reservation.Remains(copies, owner, in.Grant, wasReserved)
}

// releasesDatabase reports whether a server answers, and keeps reservations in its database.
func (g *Group) releasesDatabase(s *server) bool {
	return s.silent() == nil && g.mirror.Settings(s.name).Primary == kea.TargetDatabase
}

func (s *server) release(ctx context.Context, in reservation.Intent, owner reservation.Owner, wasReserved bool) error {
	left, err := s.remains(ctx, in, owner, wasReserved)
	if err != nil {
		return err
	}
	for _, c := range left {
		if err := s.remove(ctx, reservation.Step{Store: c.Store, Action: reservation.Remove, Want: c.Host}, in); err != nil {
			return err
		}
	}
	return nil
}

// remains returns what the server holds for an owner at this moment.
func (s *server) remains(ctx context.Context, in reservation.Intent, owner reservation.Owner, wasReserved bool) ([]reservation.Copy, error) {
	if err := s.silent(); err != nil {
		return nil, err
	}
	// Where the subnet is missing for a moment, nothing can be said.
	if _, errs := s.mirror.Views([]string{s.name}, in, time.Now()); errs[s.name] != nil {
		return nil, errs[s.name]
	}
	keys := map[mirror.Key]struct{}{}
	if sub, ok := s.mirror.Resolve(s.name, in.Subnet); ok {
		keys[mirror.Key{SubnetID: sub.ID, HW: in.HWAddress}] = struct{}{}
	}
	copies := s.mirror.Copies(s.name, in, owner)
	for _, c := range copies {
		keys[keyOf(c.Host)] = struct{}{}
	}
	known := slices.ContainsFunc(reservation.Remains(copies, owner, in.Grant, wasReserved), func(c reservation.Copy) bool {
		return c.Store.Place == kea.TargetMemory || !s.group.isShared() // Other servers read a shared database too.
	})
	left, err := s.readRemains(ctx, keys, in, owner, wasReserved)
	if err == nil && len(left) == 0 && known {
		// One answer is not enough to forget what was there: it can be another Kea's, where the address
		// of the server has just moved.
		left, err = s.readRemains(ctx, keys, in, owner, wasReserved)
	}
	if err != nil || len(left) > 0 {
		return left, err
	}
	return nil, s.confirmNothingRemains(ctx)
}

// readRemains reads hosts of a device into the mirror, and returns those that are left to remove.
func (s *server) readRemains(ctx context.Context, keys map[mirror.Key]struct{}, in reservation.Intent, owner reservation.Owner, wasReserved bool) ([]reservation.Copy, error) {
	for k := range keys {
		if err := s.readHostEverywhere(ctx, k); err != nil {
			return nil, fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, in.HWAddress, err)
		}
	}
	return reservation.Remains(s.mirror.Copies(s.name, in, owner), owner, in.Grant, wasReserved), nil
}

// confirmNothingRemains returns an error if Kea may have lost the database that the reservation is
// in. While no other host is known to be there, reading cannot tell, so that a command which would
// write does: what is deleted is not to be left behind.
func (s *server) confirmNothingRemains(ctx context.Context) error {
	if s.mirror.Settings(s.name).Primary != kea.TargetDatabase {
		return nil
	}
	return s.checkUnknownDatabase(ctx, reservation.Store{Server: s.name, Place: kea.TargetDatabase})
}
