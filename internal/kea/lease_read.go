// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// LeasePage is a part of the leases of all subnets.
type LeasePage struct {
	Leases []Lease
	// Unreadable has a *MalformedError for each lease that cannot be parsed. The others of the page
	// are not affected.
	Unreadable []error
}

// LeasesByHWAddress returns every lease of a hardware address, in all subnets and states
// (lease4-get-by-hw-address). None is an empty list. A lease that cannot be parsed is a
// *MalformedError, next to the leases that can be parsed.
func (c *Client) LeasesByHWAddress(ctx context.Context, hw HWAddress) ([]Lease, error) {
	const command = "lease4-get-by-hw-address"
	raw, err := c.leases(ctx, command, map[string]any{memberHWAddress: hw})
	if err != nil {
		return nil, err
	}
	page := parseLeases(command, raw)
	return page.Leases, errors.Join(page.Unreadable...)
}

// LeasePages returns an iterator over all leases, by ascending address (lease4-get-page). Each page
// is one command with up to limit leases, sent when the consumer asks for the page. An error ends
// the iteration; without one the listing is complete.
func (c *Client) LeasePages(ctx context.Context, limit int) iter.Seq2[LeasePage, error] {
	const command = "lease4-get-page"
	return func(yield func(LeasePage, error) bool) {
		if limit <= 0 {
			yield(LeasePage{}, fmt.Errorf("cannot list leases: the limit is %d, it must be positive", limit))
			return
		}
		from := "start"
		for {
			raw, err := c.leases(ctx, command, map[string]any{"limit": limit, "from": from})
			if err == nil && len(raw) >= limit {
				from, err = lastLeaseAddress(command, raw, from)
			}
			if err != nil {
				yield(LeasePage{}, err)
				return
			}
			if len(raw) > 0 && !yield(parseLeases(command, raw), nil) || len(raw) < limit {
				return
			}
		}
	}
}

// lastLeaseAddress returns the address behind which the next page starts: the last one that can be
// read, as Kea answers in ascending order.
func lastLeaseAddress(command string, raw []json.RawMessage, from string) (string, error) {
	for _, l := range slices.Backward(raw) {
		var w struct {
			IPAddress netip.Addr `json:"ip-address"`
		}
		if json.Unmarshal(l, &w) != nil || !w.IPAddress.IsValid() {
			continue
		}
		if before, err := netip.ParseAddr(from); err == nil && !before.Less(w.IPAddress) {
			break
		}
		return w.IPAddress.String(), nil
	}
	return "", shapeError(command, errors.New("the next page is not behind this one"))
}

// leases runs a command that answers with a list of leases. None is an empty list.
func (c *Client) leases(ctx context.Context, command string, args map[string]any) ([]json.RawMessage, error) {
	var out struct {
		Leases []json.RawMessage `json:"leases"`
	}
	err := c.run(ctx, request{Command: command, Arguments: args}, &out)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case out.Leases == nil:
		return nil, shapeError(command, errors.New("there are no leases"))
	}
	return out.Leases, nil
}

// parseLeases parses each lease for itself.
func parseLeases(command string, raw []json.RawMessage) LeasePage {
	page := LeasePage{Leases: make([]Lease, 0, len(raw))}
	for _, r := range raw {
		var w wireLease
		err := json.Unmarshal(r, &w)
		var l Lease
		if err == nil {
			l, err = w.lease()
		}
		if err != nil {
			page.Unreadable = append(page.Unreadable, &MalformedError{Command: command, Reason: nameLease(r) + " has another shape than Kea's", cause: err})
			continue
		}
		page.Leases = append(page.Leases, l)
	}
	return page
}

// nameLease names a lease that cannot be parsed by what of it can.
func nameLease(raw json.RawMessage) string {
	var m members
	if json.Unmarshal(raw, &m) != nil || m[memberIPAddress] == nil {
		return "a lease"
	}
	return "the lease of " + string(m[memberIPAddress])
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
	Hostname  text   `json:"hostname"`
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
		Hostname:      string(w.Hostname),
	}, nil
}
