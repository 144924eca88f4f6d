// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Remains reports whether a server still holds something to release for an intent: a host with its
// mark, or where wasReserved is true one without a mark. It asks the servers rather than the
// mirror: a resource that nothing remains of is forgotten. An error if a server cannot be asked, as
// that one may hold it.
func (g *Group) Remains(ctx context.Context, in reservation.Intent, wasReserved bool) (bool, error) {
	remains := false
	errs := make([]error, len(g.servers))
	for i, s := range g.servers {
		var left []reservation.Copy
		left, errs[i] = s.remains(ctx, in, g.owner(in), wasReserved)
		remains = remains || len(left) > 0
	}
	return remains, errors.Join(errs...)
}

// Release removes the device's reservations that Remains reports from every server. It returns nil
// once every server has confirmed; with an error some may still hold one.
func (g *Group) Release(ctx context.Context, in reservation.Intent, wasReserved bool) error {
	errs := make([]error, len(g.servers))
	for i, s := range g.servers {
		errs[i] = s.release(ctx, in, g.owner(in), wasReserved)
	}
	return errors.Join(errs...)
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
	if err := s.unusable(); err != nil {
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
	for _, c := range s.mirror.Copies(s.name, in, owner) {
		keys[keyOf(c.Host)] = struct{}{}
	}
	for k := range keys {
		if err := s.readHostEverywhere(ctx, k); err != nil {
			return nil, fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, in.HWAddress, err)
		}
	}
	left := reservation.Remains(s.mirror.Copies(s.name, in, owner), owner, wasReserved)
	if len(left) > 0 {
		return left, nil
	}
	return nil, s.confirmNothingRemains(ctx)
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
