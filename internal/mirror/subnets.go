// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// SubnetGrace is how long a subnet that a server no longer lists is not taken for removed: a
// sidecar may send Kea its configuration some time after Kea has started.
const SubnetGrace = time.Minute

// ErrSubnetMissing reports that a server does not list a subnet which it listed until a short while
// ago.
var ErrSubnetMissing = errors.New("its configuration may not have arrived yet; the subnet is taken for removed if it does not come back within a minute")

// resolve returns the subnet that a reference names. A subnet-id is taken as it is where the server
// cannot list its subnets.
func (s *server) resolve(ref reservation.SubnetRef) (kea.Subnet, bool) {
	if !ref.Prefix.IsValid() && !s.settings.SubnetsKnown {
		return kea.Subnet{ID: ref.ID}, true
	}
	i, ok := s.index.find(ref)
	if !ok {
		return kea.Subnet{}, false
	}
	return s.subnets[i], true
}

func names(ref reservation.SubnetRef, sub kea.Subnet) bool {
	if ref.Prefix.IsValid() {
		return sub.Prefix == ref.Prefix
	}
	return sub.ID == ref.ID
}

// checkMissing returns an error if the referenced subnet is one that the server has just stopped
// listing.
func (s *server) checkMissing(ref reservation.SubnetRef) error {
	for sub := range s.missing {
		if names(ref, sub) {
			return fmt.Errorf("Kea does not list %s any more: %w", ref, ErrSubnetMissing)
		}
	}
	return nil
}

// updateMissing records which subnets the next reading lacks, and adds those that have come or gone
// to the changes: one that is missing for a short time has not gone.
func (s *server) updateMissing(c *Changes, next []kea.Subnet, now time.Time) {
	before, after := set(s.subnets), set(next)
	ids, prefixes := map[uint32]struct{}{}, map[netip.Prefix]struct{}{}
	for _, sub := range s.subnets {
		if _, listed := after[sub]; !listed {
			s.missing[sub] = now
		}
	}
	for _, sub := range next {
		_, back := s.missing[sub]
		if _, had := before[sub]; !back && !had {
			c.subnet(sub)
		}
		delete(s.missing, sub)
		ids[sub.ID], prefixes[sub.Prefix] = struct{}{}, struct{}{}
	}
	for sub, since := range s.missing {
		_, sameID := ids[sub.ID]
		_, samePrefix := prefixes[sub.Prefix]
		if sameID || samePrefix || now.Sub(since) >= SubnetGrace || len(s.missing) > maxMissing {
			delete(s.missing, sub)
			c.subnet(sub)
		}
	}
	s.subnets = next
}

// maxMissing bounds how many subnets can be missing for a short time: as many as a server can have.
const maxMissing = 100_000

func set(subnets []kea.Subnet) map[kea.Subnet]struct{} {
	out := make(map[kea.Subnet]struct{}, len(subnets))
	for _, sub := range subnets {
		out[sub] = struct{}{}
	}
	return out
}

// missingIDs returns the ids of the subnets that are missing for a short time.
func (s *server) missingIDs() map[uint32]bool {
	out := make(map[uint32]bool, len(s.missing))
	for sub := range s.missing {
		out[sub.ID] = true
	}
	return out
}

// SubnetDetail returns what the devices of a subnet get; nil if it could not be read. The second
// result is false if it has not been asked for.
func (m *Mirror) SubnetDetail(name string, id uint32) (*kea.SubnetDetail, bool) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	s, ok := m.servers[name]
	if !ok {
		return nil, false
	}
	d, known := s.details[id]
	return d, known
}

// PutSubnetDetail records what the devices of a subnet get; nil if it could not be read. The hosts
// of the subnet are concerned if that has changed since it was last known.
func (m *Mirror) PutSubnetDetail(name string, id uint32, d *kea.SubnetDetail) Changes {
	m.mu.Lock()
	defer m.mu.Unlock()
	var c Changes
	s, ok := m.servers[name]
	if !ok {
		return c
	}
	before := s.details[id]
	s.details[id] = d
	if d == nil || before != nil && slices.Equal(before.Routers, d.Routers) && slices.Equal(before.DNSServers, d.DNSServers) {
		return c
	}
	for _, st := range s.stores {
		for k := range st.byKey {
			if k.SubnetID == id {
				c.device(k.HW, "")
			}
		}
	}
	return c
}

// ForgetSubnetDetail drops a subnet that is gone.
func (m *Mirror) ForgetSubnetDetail(name string, id uint32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if s, ok := m.servers[name]; ok {
		delete(s.details, id)
	}
}

// SubnetDetails returns the ids of up to limit subnets whose details were asked for. Which they are
// is left to chance, so that all have their turn.
func (m *Mirror) SubnetDetails(name string, limit int) []uint32 {
	m.mu.RLock()
	defer m.mu.RUnlock()
	var out []uint32
	if s, ok := m.servers[name]; ok {
		for id := range s.details {
			if len(out) == limit {
				break
			}
			out = append(out, id)
		}
	}
	return out
}
