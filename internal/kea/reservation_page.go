// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/go-json-experiment/json/jsontext"
)

// ReservationPage is a part of the host reservations of all subnets, global ones included.
type ReservationPage struct {
	Hosts []Host
	// Unreadable has a *MalformedError for each host that cannot be parsed. The others of the page
	// are not affected.
	Unreadable []error
	// Source is where all hosts of this page are kept.
	Source Target
	// Took is how long it took until the answer began to come: for that long Kea serves no DHCP
	// client, but for the way there and back.
	Took time.Duration
}

// Reservations parses the hosts.
func (p ReservationPage) Reservations() []Reservation {
	out := make([]Reservation, 0, len(p.Hosts))
	for i := range p.Hosts {
		out = append(out, p.Hosts[i].Reservation())
	}
	return out
}

// ReservationPages returns an iterator over all host reservations (reservation-get-page): first
// those in memory, then those in the database, never both in one page. Each page is one command
// with up to limit hosts, sent when the consumer asks for the page, so a consumer paces Kea by
// taking its time between pages. An error ends the iteration; without one the listing is complete,
// but for what follows. A host that is updated during the scan can be seen twice, so key what you
// collect. A listing that has too many pages, or a page with more than limit hosts, ends with a
// *LimitError.
//
// A server that lost its database and goes on answers like one without hosts; see ProbeDatabase.
//
// A database shared with kea-dhcp6 also has hosts without an IPv4 subnet, which Kea leaves out of a
// page after counting them: with limit or more of them in a row the page is empty, as at the end.
// Such gaps are crossed, whatever their size; see gap.go for how and what it costs. A host in such
// a gap is missed if its subnet is not configured any more, and can be missed for some scans if it
// was added through another client.
func (c *Client) ReservationPages(ctx context.Context, limit int) iter.Seq2[ReservationPage, error] {
	return c.reservationPages(ctx, limit, false)
}

// MemoryPages is ReservationPages for those in memory. Only a database has gaps, so nothing is sent
// to look for them. Where there is a database, its hosts follow, perhaps not all of them: Kea goes
// on to the next source by itself.
func (c *Client) MemoryPages(ctx context.Context, limit int) iter.Seq2[ReservationPage, error] {
	return c.reservationPages(ctx, limit, true)
}

func (c *Client) reservationPages(ctx context.Context, limit int, gapless bool) iter.Seq2[ReservationPage, error] {
	return func(yield func(ReservationPage, error) bool) {
		if limit <= 0 {
			yield(ReservationPage{}, fmt.Errorf("cannot list host reservations: the limit is %d, it must be positive", limit))
			return
		}
		l := c.startListing(uint64(limit))
		l.gapless = gapless
		for range maxPages {
			page, found, err := l.next(ctx)
			if err != nil {
				yield(ReservationPage{}, err)
				return
			}
			if !found {
				if !gapless { // That knows nothing of gaps.
					l.finish()
				}
				return
			}
			if !yield(page, nil) {
				return
			}
		}
		yield(ReservationPage{}, endless(commandHostPage))
	}
}

// cursor is where a page starts: behind the host with this id, in this source. The zero cursor is
// the beginning. Kea numbers sources: 0 is memory, 1 and more are databases. Within a source, pages
// ascend by id.
type cursor struct {
	source int
	id     uint64
}

// target returns where the hosts of a source are kept.
func (c cursor) target() Target {
	if c.source == 0 {
		return TargetMemory
	}
	return TargetDatabase
}

// before reports whether c comes before d in a listing.
func (c cursor) before(d cursor) bool {
	return c.source < d.source || c.source == d.source && c.id < d.id
}

// reservationPage reads up to limit hosts from a cursor on, of one subnet if subnetID is not nil.
// It returns where the next page starts; not found if the page is empty. Kea moves to the next
// source only when the one before has nothing left, and answers with the one it came to.
func (c *Client) reservationPage(ctx context.Context, limit uint64, from cursor, subnetID *uint32) (page ReservationPage, next cursor, found bool, err error) {
	const command = commandHostPage
	args := map[string]any{"limit": limit}
	if from != (cursor{}) {
		args["from"], args["source-index"] = from.id, from.source
	}
	if subnetID != nil {
		args[memberSubnetID] = *subnetID
	}
	list := hostPage{command: command, limit: int(limit)} //nolint:gosec // It was an int.
	var at *struct {
		From        *uint64 `json:"from"`
		SourceIndex int     `json:"source-index"`
	}
	err = c.run(ctx, request{
		Command: command, Arguments: args, limit: pageAnswer + int64(list.limit)*hostAnswer, took: &page.Took,
		read: objectOf(map[string]reader{memberHosts: list.read(), "next": into(&at)}),
	}, nil)
	if errors.Is(err, ErrNotFound) {
		return ReservationPage{}, from, false, nil
	}
	if err != nil {
		return ReservationPage{}, cursor{}, false, err
	}
	if !list.found || at == nil || at.From == nil {
		return ReservationPage{}, cursor{}, false, shapeError(command, errors.New("there are no hosts or no next"))
	}
	next = cursor{source: at.SourceIndex, id: *at.From}
	if !from.before(next) {
		return ReservationPage{}, cursor{}, false, shapeError(command, errors.New("the next page is not behind this one"))
	}
	page.Hosts, page.Unreadable = list.hosts, list.unreadable
	page.Source = next.target()
	return page, next, true, nil
}

// hostPage is a list of hosts of an answer that are kept as they are. One that could not be parsed
// is a *MalformedError that names it.
type hostPage struct {
	command string
	limit   int

	found      bool
	hosts      []Host
	unreadable []error
}

// read returns a reader for the list.
func (p *hostPage) read() reader {
	return listOf(&p.found, upTo(p.limit, p.command, memberHosts+", which is more than were asked for", p.readOne))
}

// readOne reads a host. What is kept of it is not larger than what Kea sent, so the limit of the
// answer bounds that too.
func (p *hostPage) readOne(d *jsontext.Decoder) error {
	raw, err := d.ReadValue()
	if err != nil {
		return err //nolint:wrapcheck // parseError makes it an error of this package.
	}
	if p.hosts == nil {
		p.hosts = make([]Host, 0, min(p.limit, firstHosts))
	}
	h, ok := compactHost(raw)
	if !ok {
		var r Reservation
		if err := decodeHost(json.RawMessage(raw), &r); err != nil {
			p.unreadable = append(p.unreadable, unreadableHost(p.command, json.RawMessage(raw), err))
			return nil
		}
		h = HostOf(&r)
	}
	p.hosts = append(p.hosts, h)
	return nil
}

// firstHosts is for how many hosts there is room before any has been read.
const firstHosts = 1000
