// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
)

// Cursor says where the next page of a listing starts. The zero Cursor is the beginning; others come from ReservationPage.Next. It is comparable.
type Cursor struct {
	// from is what Kea said, as it said it; empty at the beginning.
	from string
	// source is 0 for memory, 1 and more for databases.
	source int
}

// ReservationPage is a part of the host reservations of all subnets, global ones included.
type ReservationPage struct {
	Reservations []Reservation
	// Source is where all hosts of this page are kept: memory or database. Empty on a page without hosts.
	Source Target
	// Next is where the next page starts.
	Next Cursor
	// Done says that there are no more pages. The last page with Done has no reservations; a short page is not the end.
	Done bool
}

// ReservationPage reads up to limit host reservations (reservation-get-page): first those in memory, then those in the database, never both in
// one page. A host that is updated during the scan can be seen twice, so callers key what they collect.
//
// A listing cannot tell a database that Kea lost from one without hosts (see HasHostDatabase). A caller that expects a database asks that after
// the last page, before it takes anything for gone. A database shared with kea-dhcp6 can end early: Kea skips hosts that are for DHCPv6 only after it
// counted them, and a page of nothing else reads as the end.
func (c *Client) ReservationPage(ctx context.Context, limit int, from Cursor) (ReservationPage, error) {
	const command = "reservation-get-page"
	if limit <= 0 {
		return ReservationPage{}, fmt.Errorf("cannot list host reservations: the limit is %d, it must be positive", limit)
	}
	args := map[string]any{"limit": limit}
	if from.from != "" {
		args["from"], args["source-index"] = json.Number(from.from), from.source
	}
	var out struct {
		Hosts []Reservation `json:"hosts"`
		Next  *struct {
			From        json.Number `json:"from"`
			SourceIndex int         `json:"source-index"`
		} `json:"next"`
	}
	err := c.run(ctx, request{Command: command, Arguments: args}, &out)
	if errors.Is(err, ErrNotFound) {
		return ReservationPage{Next: from, Done: true}, nil
	}
	if err != nil {
		return ReservationPage{}, err
	}
	if out.Hosts == nil || out.Next == nil || out.Next.From == "" {
		return ReservationPage{}, shapeError(command, errors.New("there are no hosts or no next"))
	}
	next := Cursor{from: out.Next.From.String(), source: out.Next.SourceIndex}
	return ReservationPage{Reservations: out.Hosts, Source: next.target(), Next: next}, nil
}

// target is where the hosts of a page with this next are kept: Kea moves to the next source only when the one before has nothing left, and source-index
// is the one it came to.
func (c Cursor) target() Target {
	if c.source == 0 {
		return TargetMemory
	}
	return TargetDatabase
}
