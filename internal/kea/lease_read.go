// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// LeasePage is a part of the leases of all subnets.
type LeasePage struct {
	Leases []Lease
	// Unreadable has a *MalformedError for each lease that cannot be parsed. The others of the page
	// are not affected.
	Unreadable []error
	// Took is how long it took until the answer began to come: for that long Kea serves no DHCP
	// client, but for the way there and back.
	Took time.Duration
}

// LeasesByHWAddress returns every lease of a hardware address, in all subnets and states
// (lease4-get-by-hw-address). None is an empty list. A lease that cannot be parsed is a
// *MalformedError, next to the leases that can be parsed.
func (c *Client) LeasesByHWAddress(ctx context.Context, hw HWAddress) ([]Lease, error) {
	const command = "lease4-get-by-hw-address"
	list, err := c.leases(ctx, command, map[string]any{memberHWAddress: hw}, maxOwned, 0)
	if err != nil {
		return nil, err
	}
	return list.page.Leases, errors.Join(list.page.Unreadable...)
}

// LeasePages returns an iterator over all leases, by ascending address (lease4-get-page). Each page
// is one command with up to limit leases, sent when the consumer asks for the page. An error ends
// the iteration; without one the listing is complete. A listing that has too many pages, or a page
// with more than limit leases, ends with a *LimitError.
func (c *Client) LeasePages(ctx context.Context, limit int) iter.Seq2[LeasePage, error] {
	const command = "lease4-get-page"
	return func(yield func(LeasePage, error) bool) {
		if limit <= 0 {
			yield(LeasePage{}, fmt.Errorf("cannot list leases: the limit is %d, it must be positive", limit))
			return
		}
		from, expected := "start", 0
		for range maxPages {
			list, err := c.leases(ctx, command, map[string]any{"limit": limit, "from": from}, limit, expected)
			if err == nil && list.count >= limit {
				from, err = list.next(from)
				expected = limit
			}
			if err != nil {
				yield(LeasePage{}, err)
				return
			}
			if list.count > 0 && !yield(list.page, nil) || list.count < limit {
				return
			}
		}
		yield(LeasePage{}, endless(command))
	}
}

// leases runs a command that answers with a list of up to limit leases, and makes room for those that
// are expected. None is an empty list.
func (c *Client) leases(ctx context.Context, command string, args map[string]any, limit, expected int) (*leaseList, error) {
	l := &leaseList{command: command, page: LeasePage{Leases: make([]Lease, 0, expected)}}
	err := c.run(ctx, request{
		Command: command, Arguments: args, limit: pageAnswer + int64(limit)*leaseAnswer, took: &l.page.Took,
		read: objectOf(map[string]reader{"leases": listOf(&l.found, upTo(limit, command, "leases, which is more than were asked for", l.readOne))}),
	}, nil)
	switch {
	case errors.Is(err, ErrNotFound):
		return &leaseList{}, nil
	case err != nil:
		return nil, err
	case !l.found:
		return nil, shapeError(command, errors.New("there are no leases"))
	}
	return l, nil
}

// leaseList is a list of leases of an answer. Each is parsed for itself.
type leaseList struct {
	command string
	found   bool
	page    LeasePage
	// count is how many there are, those that cannot be parsed included. first and last are the
	// lowest and the last address that can be parsed.
	count       int
	first, last netip.Addr
}

// next returns the address behind which the next page starts. Kea answers in ascending order, so
// that is the last one; all must be behind the one that this page started from.
func (l *leaseList) next(from string) (string, error) {
	before, err := netip.ParseAddr(from)
	if !l.last.IsValid() || err == nil && !before.Less(l.first) {
		return "", shapeError(l.command, errors.New("the next page is not behind this one"))
	}
	return l.last.String(), nil
}

// readOne reads a lease.
func (l *leaseList) readOne(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err //nolint:wrapcheck // parseError makes it an error of this package.
	}
	l.count++
	if parsed, ok := plainLease(raw); ok {
		l.saw(parsed.IPAddress)
		l.page.Leases = append(l.page.Leases, parsed)
		return nil
	}
	return l.readOther(json.RawMessage(raw))
}

// readOther reads a lease that is not of the form that Kea writes.
func (l *leaseList) readOther(raw json.RawMessage) error {
	l.see(raw)
	if parsed, err := parseLease(raw); err != nil {
		l.page.Unreadable = append(l.page.Unreadable, &MalformedError{Command: l.command, Reason: nameLease(raw) + " has another shape than Kea's", cause: err})
	} else {
		l.page.Leases = append(l.page.Leases, parsed)
	}
	return nil
}

func parseLease(raw json.RawMessage) (Lease, error) {
	var w wireLease
	if err := json.Unmarshal(raw, &w); err != nil {
		return Lease{}, err //nolint:wrapcheck // The caller names the lease.
	}
	return w.lease()
}

// see notes the address of a lease, whether the rest of it can be parsed or not.
func (l *leaseList) see(raw json.RawMessage) {
	var w struct {
		IPAddress netip.Addr `json:"ip-address"`
	}
	if json.Unmarshal(raw, &w) != nil || !w.IPAddress.Is4() {
		return
	}
	l.saw(w.IPAddress)
}

func (l *leaseList) saw(a netip.Addr) {
	l.last = a
	if !l.first.IsValid() || l.last.Less(l.first) {
		l.first = l.last
	}
}

// nameLease names a lease that cannot be parsed by what of it can.
func nameLease(raw json.RawMessage) string {
	var m members
	if json.Unmarshal(raw, &m) != nil || m[memberIPAddress] == nil {
		return "a lease"
	}
	return "the lease of " + Printable(string(m[memberIPAddress]), maxName)
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
	if err == nil && !ip.Is4() {
		err = errors.New("it is no IPv4 address")
	}
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
