// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"net/netip"
	"time"
)

// States of a lease, as Kea numbers them.
const (
	LeaseStateDefault          = 0
	LeaseStateDeclined         = 1
	LeaseStateExpiredReclaimed = 2
	LeaseStateReleased         = 3
)

// InfiniteLifetime is the valid lifetime of a lease that never ends: 4294967295 seconds, all ones
// on the wire (RFC 2131, section 3.3).
const InfiniteLifetime = 4294967295 * time.Second

// Lease is one IPv4 lease. Kea lists leases of the past too: see Active.
type Lease struct {
	// IPAddress can lie outside the prefix of the subnet with SubnetID, after ids were renumbered.
	IPAddress netip.Addr
	// HWAddress is what the client sent: not always six bytes, empty for some reclaimed leases.
	HWAddress HWAddress
	// ClientID is the client identifier in hex with colons, as Kea writes it for leases; empty if
	// the client sent none.
	ClientID string
	SubnetID uint32
	// State is one of the LeaseState constants; newer Kea may know more.
	State int
	// CLTT is when the client last transacted, in whole seconds.
	CLTT time.Time
	// ValidLifetime counts from CLTT; InfiniteLifetime if it never ends.
	ValidLifetime time.Duration
	Hostname      string
}

// Infinite reports whether the lease never ends.
func (l Lease) Infinite() bool { return l.ValidLifetime == InfiniteLifetime }

// Expires returns when the lease ends; false if it never does.
func (l Lease) Expires() (time.Time, bool) {
	if l.Infinite() {
		return time.Time{}, false
	}
	return l.CLTT.Add(l.ValidLifetime), true
}

// Active reports whether the lease is in force: in the default state and not past its end. Kea
// leaves state 0 on a lease after its end, until it reclaims it, and keeps declined, reclaimed and
// released ones.
func (l Lease) Active(now time.Time) bool {
	if l.State != LeaseStateDefault {
		return false
	}
	end, ends := l.Expires()
	return !ends || now.Before(end)
}
