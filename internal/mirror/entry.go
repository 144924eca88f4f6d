// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// entry is a host as it is kept. It is never modified, and several lists of hosts have the same one:
// a scan that finds a host as it was takes over its entry.
type entry struct {
	kea.Host

	// resource is the "namespace/name" that the host is marked with as this cluster's; "" if it is
	// not.
	resource string
	// unread is set for a host that Kea has accepted as it was, and that has not been read since.
	unread bool
}

// ours reports whether the host is marked as that of a resource of this cluster.
func (e *entry) ours() bool { return e.resource != "" }

// Memory returns about how many bytes the entry takes.
func (e *entry) Memory() int { return e.Host.Memory() + len(e.resource) }

// newEntry returns the entry of a host.
func (m *Mirror) newEntry(h kea.Host) *entry {
	e := &entry{Host: h}
	if owner, marked := e.owner(); marked && owner.Cluster == m.cluster {
		e.resource = owner.Resource
	}
	return e
}

func (e *entry) key() Key { return Key{e.SubnetID, e.HWAddress} }

// owner returns the owner that the host is marked with; false if e is nil or has no mark.
func (e *entry) owner() (reservation.Owner, bool) {
	if e == nil {
		return reservation.Owner{}, false
	}
	return reservation.OwnerOf(&kea.Reservation{UserContext: e.UserContext()})
}

// reservation parses the host; nil if e is nil.
func (e *entry) reservation() *kea.Reservation {
	if e == nil {
		return nil
	}
	r := e.Reservation()
	return &r
}
