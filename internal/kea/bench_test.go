// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"fmt"
	"iter"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
)

// pageSize is how many entries the pages of these benchmarks have, as those that are read from a
// server do.
const pageSize = 1000

// pageOf returns an answer with a page of entries.
func pageOf(member string, entry func(n int) string) string {
	entries := make([]string, 0, pageSize)
	for n := range pageSize {
		entries = append(entries, entry(n))
	}
	return fmt.Sprintf(`[ { "arguments": { "count": %d, %q: [ %s ], "next": { "from": %d, "source-index": 0 } }, "result": 0, "text": "" } ]`,
		pageSize, member, strings.Join(entries, ", "), pageSize)
}

// hostJSON is a marked host as Kea 3.0 writes it.
func hostJSON(n int) string {
	return fmt.Sprintf(`{ "boot-file-name": "", "client-classes": [  ], "hostname": "", "hw-address": "00:02:12:34:%02x:%02x", "ip-address": "10.123.%d.%d", `+
		`"next-server": "0.0.0.0", "option-data": [  ], "server-hostname": "", "subnet-id": 1, "user-context": { "crossplane": `+
		`{ "cluster": "2a9be5b3-7a4c-4a6a-8f6e-0d5f4c9f1a11", "manages": [ "ip-address" ], "resource": "tenant-a/vm%05d-00021234%02x%02x" } } }`,
		n>>8, n&0xff, n>>8, n&0xff, n, n>>8, n&0xff)
}

// leaseJSON is a lease as Kea 3.0 writes it.
func leaseJSON(n int) string {
	return fmt.Sprintf(`{ "client-id": "01:00:02:12:34:%02x:%02x", "cltt": 1700000000, "fqdn-fwd": false, "fqdn-rev": false, "hostname": "vm%05d", `+
		`"hw-address": "00:02:12:34:%02x:%02x", "ip-address": "10.123.%d.%d", "pool-id": 0, "state": 0, "subnet-id": 1, "valid-lft": 4000 }`,
		n>>8, n&0xff, n, n>>8, n&0xff, n>>8, n&0xff)
}

// first reads the first page.
func first[T any](t testing.TB, pages iter.Seq2[T, error]) T {
	t.Helper()
	for page, err := range pages {
		if err != nil {
			t.Fatal(err)
		}
		return page
	}
	t.Fatal("there is no page")
	panic("unreachable")
}

// BenchmarkHostPage is a page of hosts that is read, with what HTTP takes.
func BenchmarkHostPage(b *testing.B) {
	c, err := kea.NewClient(answering(pageOf("hosts", hostJSON)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if page := first(b, c.MemoryPages(b.Context(), pageSize)); len(page.Hosts) != pageSize {
			b.Fatalf("got %d hosts", len(page.Hosts))
		}
	}
}

// BenchmarkLeasePage is the same with leases.
func BenchmarkLeasePage(b *testing.B) {
	c, err := kea.NewClient(answering(pageOf("leases", leaseJSON)))
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if page := first(b, c.LeasePages(b.Context(), pageSize)); len(page.Leases) != pageSize {
			b.Fatalf("got %d leases", len(page.Leases))
		}
	}
}

// TestPageAllocations: an entry of a page takes one allocation, and a few for the page are all that is
// beside that.
func TestPageAllocations(t *testing.T) {
	const perPage = 200
	for name, read := range map[string]func(*kea.Client) int{
		"hosts":  func(c *kea.Client) int { return len(first(t, c.MemoryPages(t.Context(), pageSize)).Hosts) },
		"leases": func(c *kea.Client) int { return len(first(t, c.LeasePages(t.Context(), pageSize)).Leases) },
	} {
		entry := hostJSON
		if name == "leases" {
			entry = leaseJSON
		}
		c := newClient(t, answering(pageOf(name, entry)))
		got := testing.AllocsPerRun(3, func() {
			if n := read(c); n != pageSize {
				t.Errorf("got %d %s, want %d", n, name, pageSize)
			}
		})
		if got > pageSize+perPage {
			t.Errorf("a page of %d %s takes %.0f allocations, want %d at most", pageSize, name, got, pageSize+perPage)
		}
	}
}
