// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Left tells whether a server still holds something to release for an intent: a
// host with its mark, or where had is true one without a mark. It asks the
// servers, not the snapshots: who is told that nothing is left forgets about it.
// An error where a server cannot be asked, as that one may hold it.
func (g *Group) Left(ctx context.Context, in Intent, had bool) (bool, error) {
	left := false
	errs := make([]error, len(g.servers))
	for i, s := range g.servers {
		var l bool
		l, errs[i] = s.left(ctx, in, had, mark{cluster: g.cluster, resource: in.Resource})
		left = left || l
	}
	return left, errors.Join(errs...)
}

func (s *server) left(ctx context.Context, in Intent, had bool, me mark) (bool, error) {
	l, err := s.look(ctx, in)
	if err != nil {
		return false, err
	}
	for _, k := range s.hostsOf(l, in, me) {
		if err := s.reread(ctx, k); err != nil {
			return false, fmt.Errorf("cannot tell what server %s holds for %s: %w", s.name, in.HWAddress, err)
		}
		for _, r := range s.everywhere(k) {
			owner, marked := markOf(r)
			if (marked && owner.sameOwner(me)) || (!marked && had) {
				return true, nil
			}
		}
	}
	return false, nil
}

// hostsOf lists the hosts that a server may hold for an intent: the device's in
// the subnet, and those with the intent's mark wherever they are. A database keeps
// the hosts of a subnet that is gone from Kea, or that cannot be looked up now.
func (s *server) hostsOf(l look, in Intent, me mark) []hostKey {
	found := map[hostKey]struct{}{}
	if l.subnetFound {
		found[hostKey{l.subnet.ID, in.HWAddress}] = struct{}{}
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, st := range s.snap.hosts {
		for subnet := range st.subnets {
			k := hostKey{subnet, in.HWAddress}
			r, ok := st.byHost[k]
			if !ok {
				continue
			}
			if owner, marked := markOf(r); marked && owner.sameOwner(me) {
				found[k] = struct{}{}
			}
		}
	}
	return keys(found)
}

// everywhere gives what the snapshot has of a host, by place.
func (s *server) everywhere(k hostKey) map[kea.Target]*kea.Reservation {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := map[kea.Target]*kea.Reservation{}
	for place, st := range s.snap.hosts {
		if r, ok := st.byHost[k]; ok {
			out[place] = r
		}
	}
	return out
}

// Release removes the device's reservation from every server, wherever it is,
// unless it is marked as somebody else's, whom also Intent.Adopt does not take it
// from: what is let go of is not taken over first. It returns nil once every
// server has confirmed; with an error some may still hold it.
func (g *Group) Release(ctx context.Context, in Intent) error {
	in.Adopt = false
	errs := make([]error, len(g.servers))
	for i, s := range g.servers {
		errs[i] = s.release(ctx, in, g.cluster)
	}
	return errors.Join(errs...)
}

func (s *server) release(ctx context.Context, in Intent, cluster string) error {
	l, err := s.look(ctx, in)
	if err != nil {
		return err
	}
	me := mark{cluster: cluster, resource: in.Resource}
	for _, k := range s.hostsOf(l, in, me) {
		for place, r := range s.everywhere(k) {
			if _, other := foreign(r, me); other {
				continue
			}
			if err := s.drop(ctx, place, k, in, cluster); err != nil {
				return err
			}
		}
		s.forget(k)
	}
	return nil
}

// drop removes a reservation from one place, unless it is marked as somebody
// else's by now.
func (s *server) drop(ctx context.Context, place kea.Target, k hostKey, in Intent, cluster string) error {
	r, err := s.client.Reservation(ctx, place, k.subnet, k.hw)
	switch {
	case errors.Is(err, kea.ErrNotFound):
		s.learn(place, k, nil)
		return nil
	case err != nil:
		return fmt.Errorf("cannot read the reservation before removing it: %w", err)
	}
	s.learn(place, k, &r)
	if owner, other := foreign(&r, mark{cluster: cluster, resource: in.Resource}); other && !in.Adopt {
		return &BlockedError{State: OwnedByAnother, Message: fmt.Sprintf("the reservation of %s in %s belongs to %s", in.HWAddress, in.Subnet, owner)}
	}
	err = s.client.DeleteReservation(ctx, place, k.subnet, k.hw)
	s.wrote(place)
	if err != nil && !errors.Is(err, kea.ErrNotFound) {
		if rerr := s.rereadIn(ctx, place, k); rerr != nil {
			return errors.Join(wrap("cannot remove the reservation", err), rerr)
		}
		return wrap("cannot remove the reservation", err)
	}
	s.learn(place, k, nil)
	// Another resource may have waited for the device.
	t := newTouched()
	t.host(&r)
	s.tell(t)
	return nil
}
