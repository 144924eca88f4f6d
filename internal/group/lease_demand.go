// SPDX-License-Identifier: Apache-2.0

package group

import (
	"sync"
	"time"
)

// leaseDemand decides how callers' needs for the leases of single devices are met: by a lookup of
// each, or by the pages of all of them, whichever takes fewer commands. How many devices will come
// is not known: as soon as the lookups within freshLease are more than the pages, the pages would
// have been cheaper, and are read then, and again while as many devices come. The zero value has
// had no needs.
type leaseDemand struct {
	mu sync.Mutex // guards what follows
	// began is when the present span of freshLease began, needs how many there were in it, and
	// before how many in the one before.
	began         time.Time
	needs, before int
	// pages is how many pages the leases were when they were last read, and took how long that
	// took; 0 if they were none.
	pages int
	took  time.Duration
}

// need counts a need, and reports whether the pages are to be read if it is to be met by a command.
func (d *leaseDemand) need(now time.Time) (all bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if age := now.Sub(d.began); age >= freshLease {
		d.before = 0
		if age < 2*freshLease {
			d.before = d.needs
		}
		d.began, d.needs = now, 0
	}
	d.needs++
	// Pages that are old by the time when they have been read serve no one. There are pauses as
	// long as the pages between them.
	return max(d.needs, d.before) > max(d.pages, 1) && 2*d.took < freshLease/2
}

// read records how many pages all leases were, and how long reading them took.
func (d *leaseDemand) read(pages int, took time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pages, d.took = pages, took
}

// pageCount returns how many pages all leases were when they were last read.
func (d *leaseDemand) pageCount() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pages
}
