// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"errors"
	"fmt"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

var errNeverScanned = errors.New("it has not been read yet")

// Views returns what is known of an intent, one view for each store of the named servers, in their
// order and the primary store first. A server of which nothing can be said has an error instead.
func (m *Mirror) Views(names []string, in reservation.Intent, now time.Time) ([]reservation.View, map[string]error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var views []reservation.View
	errs := map[string]error{}
	for _, name := range names {
		s, ok := m.servers[name]
		if !ok {
			errs[name] = fmt.Errorf("cannot use server %s: %w", name, errNeverScanned)
			continue
		}
		if err := s.checkMissing(in.Subnet); err != nil {
			errs[name] = fmt.Errorf("cannot use server %s: %w", name, err)
			continue
		}
		views = append(views, s.views(name, in, now)...)
	}
	m.addHolders(views, in, now)
	return views, errs
}

// views returns the server's views, without holders and occupants.
func (s *server) views(name string, in reservation.Intent, now time.Time) []reservation.View {
	base := reservation.View{SubnetsKnown: s.settings.SubnetsKnown, Subnets: s.subnets, LeasesKnown: s.settings.LeasesKnown, Identifiers: s.settings.Identifiers}
	base.Subnet, base.SubnetFound = s.resolve(in.Subnet)
	if base.SubnetFound {
		if p, ok := s.settings.Policies[base.Subnet.ID]; ok {
			base.Policy = &p
		}
		base.Leases = s.leases.of(in.HWAddress, base.Subnet, now)
	}
	k := Key{base.Subnet.ID, in.HWAddress}
	out := make([]reservation.View, 0, len(s.stores))
	for _, place := range s.settings.places() {
		st, ok := s.stores[place]
		if !ok {
			continue
		}
		v := base
		v.Store, v.Primary = reservation.Store{Server: name, Place: place}, place == s.settings.Primary
		if v.SubnetFound {
			v.Host, v.Rewrite, v.Refusal = st.byKey[k].reservation(), st.rewrites[k], st.refusals[k]
			if v.Host == nil {
				v.Vanished = restorable(st.vanished[k].reservation(), in)
			}
		}
		out = append(out, v)
	}
	if len(out) == 2 && !out[0].Primary {
		out[0], out[1] = out[1], out[0]
	}
	return out
}

// restorable returns a reservation that has vanished, if it is the intent's to restore: not one that is
// marked as owned by another resource, which may be gone as well.
func restorable(r *kea.Reservation, in reservation.Intent) *kea.Reservation {
	if owner, marked := reservation.OwnerOf(r); marked && owner.Resource != in.Resource && !in.Adopt {
		return nil
	}
	return r
}

// addHolders adds who else has the addresses that the intent may end up with. It needs the lock.
func (m *Mirror) addHolders(views []reservation.View, in reservation.Intent, now time.Time) {
	addresses := reservation.Candidates(views, in)
	for i := range views {
		v := &views[i]
		if !v.SubnetFound {
			continue
		}
		s := m.servers[v.Store.Server]
		st := s.stores[v.Store.Place]
		subnets := []uint32{v.Subnet.ID}
		if v.Policy != nil && v.Policy.ReservationsGlobal {
			subnets = append(subnets, GlobalSubnetID)
		}
		for _, a := range addresses {
			for _, id := range subnets {
				v.Holders = append(v.Holders, st.holdersBut(addressKey{id, a}, in.HWAddress)...)
			}
			if l, ok := s.leases.at(a); ok && (l.State == kea.LeaseStateDeclined || (l.HWAddress != in.HWAddress && l.Active(now))) {
				v.Occupants = append(v.Occupants, l)
			}
		}
	}
}

// GlobalSubnetID is the subnet-id of global reservations.
const GlobalSubnetID = 0

// Copies returns the reservations of a device that a server may hold for an intent: those in the
// subnet, and those with the owner's mark wherever they are. A database keeps the hosts of a subnet
// that is gone from Kea, or that cannot be looked up now.
func (m *Mirror) Copies(name string, in reservation.Intent, owner reservation.Owner) []reservation.Copy {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return nil
	}
	sub, found := s.resolve(in.Subnet)
	var out []reservation.Copy
	for place, st := range s.stores {
		for id := range st.subnets {
			e, ok := st.byKey[Key{id, in.HWAddress}]
			if !ok {
				continue
			}
			if o, marked := e.owner(); (found && id == sub.ID) || (marked && in.Grant.IsOwn(o, owner)) {
				out = append(out, reservation.Copy{
					Store: reservation.Store{Server: name, Place: place}, Primary: place == s.settings.Primary, Host: e.Reservation(),
				})
			}
		}
	}
	return out
}

// Resolve returns the subnet that an intent names on a server.
func (m *Mirror) Resolve(name string, ref reservation.SubnetRef) (kea.Subnet, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return kea.Subnet{}, false
	}
	return s.resolve(ref)
}

// Stores returns the stores of a server, the primary one first; none if it has never been scanned.
func (m *Mirror) Stores(name string) []reservation.Store {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return nil
	}
	out := []reservation.Store{{Server: name, Place: s.settings.Primary}}
	for place := range s.stores {
		if place != s.settings.Primary {
			out = append(out, reservation.Store{Server: name, Place: place})
		}
	}
	return out
}

// Holds reports whether a host is known to be in a store.
func (m *Mirror) Holds(at reservation.Store, k Key) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	st := m.store(at)
	return st != nil && st.byKey[k] != nil
}

// Witness returns a host, other than k, that is known to be in a store: while Kea still finds it,
// the store is there. False if none is known.
func (m *Mirror) Witness(at reservation.Store, k Key) (Key, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var witness Key
	seen := 0
	if st := m.store(at); st != nil {
		for other := range st.byKey {
			if other == k {
				continue
			}
			if seen++; seen == 1 || other.less(witness) {
				witness = other
			}
			if seen == maxWitnesses {
				break
			}
		}
	}
	return witness, seen > 0
}

// maxWitnesses bounds how many hosts are considered as a witness. The least of them is taken, so that
// which one it is does not depend on chance where there are few.
const maxWitnesses = 8
