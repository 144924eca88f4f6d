// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"
)

// States of a lease, as Kea numbers them.
const (
	LeaseStateDefault          = 0
	LeaseStateDeclined         = 1
	LeaseStateExpiredReclaimed = 2
	LeaseStateReleased         = 3
)

// InfiniteLifetime is the valid lifetime of a lease that never ends: 4294967295 seconds, all ones on the wire (RFC 2131, section 3.3).
const InfiniteLifetime = 4294967295 * time.Second

// Lease is one IPv4 lease. Kea lists leases of the past too: see Active.
type Lease struct {
	IPAddress netip.Addr
	// HWAddress is what the client sent: not always six bytes, empty for some reclaimed leases.
	HWAddress HWAddress
	// ClientID is the client identifier in hex with colons, as Kea writes it for leases; empty if the client sent none.
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

// Infinite says whether the lease never ends.
func (l Lease) Infinite() bool { return l.ValidLifetime == InfiniteLifetime }

// Expires says when the lease ends; false if it never does.
func (l Lease) Expires() (time.Time, bool) {
	if l.Infinite() {
		return time.Time{}, false
	}
	return l.CLTT.Add(l.ValidLifetime), true
}

// Active says whether the lease is in force: in the default state and not past its end. Kea leaves state 0 on a lease after its end, until it reclaims
// it, and keeps declined, reclaimed and released ones.
func (l Lease) Active(now time.Time) bool {
	if l.State != LeaseStateDefault {
		return false
	}
	end, ends := l.Expires()
	return !ends || now.Before(end)
}

// LeasesByHWAddress lists every lease of a hardware address, in all subnets and states (lease4-get-by-hw-address). None gives an empty list.
func (c *Client) LeasesByHWAddress(ctx context.Context, hw HWAddress) ([]Lease, error) {
	return c.leases(ctx, "lease4-get-by-hw-address", map[string]any{memberHWAddress: hw})
}

// LeasePage lists up to limit leases of all subnets with an address greater than from, ascending (lease4-get-page). The zero from starts at the
// beginning; the last address of a page is the next from. Done says that this page is the last.
func (c *Client) LeasePage(ctx context.Context, limit int, from netip.Addr) (leases []Lease, done bool, err error) {
	if limit <= 0 {
		return nil, false, fmt.Errorf("cannot list leases: the limit is %d, it must be positive", limit)
	}
	start := "start"
	if from.IsValid() {
		start = from.String()
	}
	leases, err = c.leases(ctx, "lease4-get-page", map[string]any{"limit": limit, "from": start})
	return leases, err == nil && len(leases) < limit, err
}

// leases runs a command that answers with a list of leases. None is an empty list.
func (c *Client) leases(ctx context.Context, command string, args map[string]any) ([]Lease, error) {
	var out struct {
		Leases []wireLease `json:"leases"`
	}
	err := c.run(ctx, request{Command: command, Arguments: args}, &out)
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if out.Leases == nil {
		return nil, shapeError(command, errors.New("there are no leases"))
	}
	leases := make([]Lease, 0, len(out.Leases))
	for _, w := range out.Leases {
		l, err := w.lease()
		if err != nil {
			return nil, shapeError(command, err)
		}
		leases = append(leases, l)
	}
	return leases, nil
}

// wireLease is a lease as Kea writes it.
type wireLease struct {
	IPAddress string `json:"ip-address"`
	HWAddress string `json:"hw-address"`
	ClientID  string `json:"client-id"`
	SubnetID  uint32 `json:"subnet-id"`
	State     int    `json:"state"`
	CLTT      int64  `json:"cltt"`
	ValidLft  uint32 `json:"valid-lft"`
	Hostname  string `json:"hostname"`
}

func (w wireLease) lease() (Lease, error) {
	ip, err := netip.ParseAddr(w.IPAddress)
	if err != nil {
		return Lease{}, fmt.Errorf("cannot read the address of a lease: %w", err)
	}
	return Lease{
		IPAddress:     ip,
		HWAddress:     HWAddress(strings.ToLower(w.HWAddress)),
		ClientID:      w.ClientID,
		SubnetID:      w.SubnetID,
		State:         w.State,
		CLTT:          time.Unix(w.CLTT, 0).UTC(),
		ValidLifetime: time.Duration(w.ValidLft) * time.Second,
		Hostname:      w.Hostname,
	}, nil
}
