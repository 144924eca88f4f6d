// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
)

// A hosts-database that kea-dhcp6 uses too has rows without an IPv4 subnet. Kea counts them in a
// page and leaves them out of the answer, so a page that has only such rows reads like the end of
// the listing (result 3, no "next"; pinned by the contract suite, "PageGaps"). This file tells a
// gap from the end:
//
//	 id   1 … 40   41 … 5040         5041 …
//	      IPv4     DHCPv6 only       IPv4
//	          ^ empty page here      ^ reservation-get-page with a subnet-id finds 5041:
//	                                   its query leaves no rows out
//
// So at an apparent end, subnets are asked for their first host behind it, one each. The lowest is
// where the listing goes on. That is exact for gaps of any size, as long as the subnet of the first
// host behind the gap is configured.
//
// Cost. The first listing of a Client asks every subnet (reservation-get-page with limit 1, well
// below a millisecond each). A gap that was found is remembered, and later listings jump over it
// for one empty page. Rows of a database get ascending ids, so a gap does not fill up. Later
// listings ask every subnet only if there were hosts behind this point in the last one. Otherwise
// they ask the subnets that this client wrote to since, or one in turn, so that a fleet without
// DHCPv6 rows pays one command for each listing; if one of them has a host, all are asked.

// gaps is what a Client knows about gaps. Its methods may be used by several goroutines at once.
type gaps struct {
	mu sync.Mutex
	// known are the gaps that the last complete listing crossed, and end is where it ended.
	known []gap
	end   cursor
	// subnets are those to ask in turn, by subnet-id; nil before the first complete listing.
	subnets []uint32
	// turn counts the listings that asked one subnet in turn.
	turn int
	// writes counts the writes of this client to the database, and touched has the subnets of those
	// that no listing has looked for yet, with the count of the last one.
	writes  int
	touched map[uint32]int
}

// gap is a part of a listing without IPv4 hosts: behind from, up to and including to.
type gap struct{ from, to cursor }

// written notes a host that was added or replaced, which gets the highest id.
func (g *gaps) written(subnetID uint32) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.touched == nil {
		g.touched = map[uint32]int{}
	}
	g.writes++
	g.touched[subnetID] = g.writes
}

// listing is one run over all pages.
type listing struct {
	client *Client
	limit  uint64
	at     cursor
	// gapless listings end with the first empty page.
	gapless bool

	known   []gap    // those of the last listing
	end     cursor   // that of the last listing
	crossed []gap    // those of this one
	jumped  bool     // the last step was over a gap, and nothing was read since
	subnets []uint32 // all; nil until they are needed
	ask     []uint32 // the subnets to ask at an apparent end; nil means all
	writes  int      // at the start
	sent    int      // commands to cross gaps
	// fallback are the subnets that are known without subnet4-list: those that were asked before,
	// and those that this client wrote to.
	fallback []uint32
}

func (c *Client) startListing(limit uint64) *listing {
	g := &c.gaps
	g.mu.Lock()
	defer g.mu.Unlock()
	l := &listing{client: c, limit: limit, known: g.known, end: g.end, writes: g.writes}
	switch {
	case g.subnets == nil:
	case len(g.touched) == 0 && len(g.subnets) > 0:
		l.ask = []uint32{g.subnets[g.turn%len(g.subnets)]}
		g.turn++
	default:
		l.ask = slices.AppendSeq([]uint32{}, maps.Keys(g.touched)) // not nil, also with none
		slices.Sort(l.ask)
	}
	l.fallback = slices.AppendSeq(slices.Clone(g.subnets), maps.Keys(g.touched))
	slices.Sort(l.fallback)
	l.fallback = append([]uint32{}, slices.Compact(l.fallback)...)
	return l
}

// finish keeps what a complete listing found out.
func (l *listing) finish() {
	g := &l.client.gaps
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known, g.end = l.crossed, l.at
	if l.subnets != nil {
		g.subnets = l.subnets
	}
	maps.DeleteFunc(g.touched, func(_ uint32, write int) bool { return write <= l.writes })
}

// next reads the next page that has hosts; not found at the end.
func (l *listing) next(ctx context.Context) (ReservationPage, bool, error) {
	for {
		page, next, found, err := l.client.reservationPage(ctx, l.limit, l.at, nil)
		if err != nil {
			return ReservationPage{}, false, err
		}
		if found {
			l.at, l.jumped = next, false
			return page, true, nil
		}
		if l.gapless {
			return ReservationPage{}, false, nil
		}
		if l.sent++; l.sent > maxGapCommands {
			return ReservationPage{}, false, endless(commandHostPage)
		}
		if found, err = l.cross(ctx); err != nil || !found {
			return ReservationPage{}, false, err
		}
	}
}

// cross moves to the end of the gap that begins here; not found if there is no host behind it.
func (l *listing) cross(ctx context.Context) (bool, error) {
	// Memory has no gaps: what was empty is the first database.
	if l.at.source == 0 {
		l.at = cursor{source: 1}
	}
	start := l.at
	if l.jumped { // The hosts that ended a gap in the last listing are gone.
		start = l.crossed[len(l.crossed)-1].from
		l.crossed = l.crossed[:len(l.crossed)-1]
	} else if to, ok := l.remembered(); ok {
		l.crossed = append(l.crossed, gap{start, to})
		l.at, l.jumped = to, true
		return true, nil
	}
	first, found, err := l.firstHost(ctx)
	if err != nil || !found {
		return false, err
	}
	first.id-- // A cursor is behind its host.
	l.crossed = append(l.crossed, gap{start, first})
	l.at, l.jumped = first, true
	return true, nil
}

// proven returns up to where the empty page showed that there is no host: the next limit rows have
// none, and ids are distinct.
func (l *listing) proven() cursor { return cursor{l.at.source, l.at.id + l.limit} }

// remembered returns the end of the known gap that the listing is in.
func (l *listing) remembered() (cursor, bool) {
	proven := l.proven()
	for _, g := range l.known {
		if g.from.source == proven.source && g.from.id <= proven.id && proven.before(g.to) {
			return g.to, true
		}
	}
	return cursor{}, false
}

// firstHost returns the first host of any subnet that is asked, behind where the listing is.
func (l *listing) firstHost(ctx context.Context) (cursor, bool, error) {
	if l.proven().before(l.end) {
		l.ask = nil // There were hosts behind this.
	}
	if l.ask != nil {
		_, found, err := l.firstHostOf(ctx, l.ask)
		var rejected *RejectedError
		switch {
		case errors.As(err, &rejected): // As a rule because a subnet is not configured any more.
		case err != nil || !found:
			return cursor{}, false, err
		}
		l.ask = nil
	}
	subnets, err := l.allSubnets(ctx)
	if err != nil {
		return cursor{}, false, err
	}
	return l.firstHostOf(ctx, subnets)
}

func (l *listing) firstHostOf(ctx context.Context, subnets []uint32) (first cursor, anyHost bool, err error) {
	for _, id := range subnets {
		if l.sent++; l.sent > maxGapCommands {
			return cursor{}, false, endless(commandHostPage)
		}
		_, next, found, err := l.client.reservationPage(ctx, 1, l.at, &id)
		if err != nil {
			return cursor{}, false, err
		}
		if found && (!anyHost || next.before(first)) {
			first, anyHost = next, true
		}
	}
	return first, anyHost, nil
}

// allSubnets returns the configured subnets and 0, that of global host reservations. Without the
// hook library for it, these are the ones that are known otherwise.
func (l *listing) allSubnets(ctx context.Context) ([]uint32, error) {
	if l.subnets != nil {
		return l.subnets, nil
	}
	subnets, err := l.client.Subnets(ctx)
	if _, unsupported := errors.AsType[*UnsupportedError](err); unsupported {
		l.subnets = l.fallback
		return l.subnets, nil
	}
	if err != nil {
		return nil, err
	}
	l.subnets = []uint32{0}
	for _, s := range subnets {
		l.subnets = append(l.subnets, s.ID)
	}
	return l.subnets, nil
}
