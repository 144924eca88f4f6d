// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"errors"
	"math"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/vitistack/provider-kea/internal/kea"
)

// store is one place that keeps hosts, in the order in which they came.
type store struct {
	mu    sync.Mutex
	last  uint64
	hosts []host
}

// host is a reservation with the id that Kea counts it by; an updated one gets a new id.
type host struct {
	id uint64
	kea.Reservation

	dhcpv6     bool // it has no IPv4 subnet
	unreadable bool // it is answered so that it cannot be parsed
}

func newStore() *store { return &store{} }

func (t *store) clone() *store {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := &store{last: t.last, hosts: slices.Clone(t.hosts)}
	for i := range out.hosts {
		out.hosts[i].Reservation = out.hosts[i].Clone()
	}
	return out
}

// clash is why a host cannot be added.
type clash int

const (
	noClash clash = iota
	sameIdentifier
	sameAddress
)

// add adds a host unless it clashes with another.
func (t *store) add(h host, unique bool) clash {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, other := range t.hosts {
		switch {
		case other.dhcpv6 || h.dhcpv6 || other.SubnetID != h.SubnetID:
		case identify(other.Reservation) == identify(h.Reservation):
			return sameIdentifier
		case unique && h.IPAddress.IsValid() && other.IPAddress == h.IPAddress:
			return sameAddress
		}
	}
	t.last++
	h.id, h.Reservation = t.last, h.Clone()
	t.hosts = append(t.hosts, h)
	return noClash
}

// remove removes the hosts that fit, and returns how many there were.
func (t *store) remove(fits func(kea.Reservation) bool) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.hosts)
	t.hosts = slices.DeleteFunc(t.hosts, func(h host) bool { return !h.dhcpv6 && fits(h.Reservation) })
	return before - len(t.hosts)
}

func (t *store) empty() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.hosts) == 0
}

// find returns the hosts that fit.
func (t *store) find(fits func(kea.Reservation) bool) []host {
	return t.page(0, math.MaxInt, func(h host) bool { return !h.dhcpv6 && fits(h.Reservation) })
}

// page returns the hosts that fit, up to limit, with an id above from.
func (t *store) page(from uint64, limit int, fits func(host) bool) []host {
	t.mu.Lock()
	defer t.mu.Unlock()
	var out []host
	for _, h := range t.hosts {
		if h.id > from && len(out) < limit && fits(h) {
			h.Reservation = h.Clone()
			out = append(out, h)
		}
	}
	return out
}

// Database is a hosts-database, as PostgreSQL is one. It outlives the servers in front of it, and
// several can share it.
type Database struct{ store }

// NewDatabase makes an empty one.
func NewDatabase() *Database { return &Database{} }

// AddDHCPv6Hosts adds n hosts without an IPv4 subnet, as kea-dhcp6 does in a database that both
// use.
func (d *Database) AddDHCPv6Hosts(n int) {
	for range n {
		d.add(host{dhcpv6: true}, false)
	}
}

// Limits of the columns (dhcpdb_create.pgsql).
const maxClientClasses = 255

// checkColumns refuses what PostgreSQL does: Kea has accepted it by then, and an update has already
// deleted the old host.
func checkColumns(r kea.Reservation) error {
	classes := strings.Join(r.ClientClasses, ",")
	if len(classes) > maxClientClasses {
		//nolint:staticcheck // PostgreSQL ends it with a line feed.
		return errors.New("Statement exec failed for: insert_host_unique_ip, status: 7sqlstate:[ 22001 ], " +
			"reason: ERROR:  value too long for type character varying(255)\n")
	}
	texts := []string{classes, r.Hostname, r.ServerHostname, r.BootFileName}
	for _, o := range r.OptionData {
		if o.CSVFormat != nil && *o.CSVFormat {
			texts = append(texts, o.Data)
		}
	}
	for _, s := range texts {
		if !utf8.ValidString(s) {
			//nolint:staticcheck // PostgreSQL ends it with a line feed.
			return errors.New("Statement exec failed for: insert_host_unique_ip, status: 7sqlstate:[ 22021 ], " +
				"reason: ERROR:  invalid byte sequence for encoding \"UTF8\"\n")
		}
	}
	return nil
}
