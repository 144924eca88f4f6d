// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/mirror"
)

// heap returns how many bytes are in use.
func heap() int {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// keeps returns how many bytes a mirror keeps for each of n hosts, or leases.
func keeps(c *content, n int) int {
	before := heap()
	m := mirror.New(cluster)
	scan(m, *c, inMemory, noon)
	after := heap()
	runtime.KeepAlive(m)
	runtime.KeepAlive(c)
	return (after - before) / n
}

// TestMemoryPerHost: a marked host takes what limits.md says, and about what is counted for it.
func TestMemoryPerHost(t *testing.T) {
	const n, most = 20_000, 450
	hosts := fleetOf(n)
	hosts.leases = nil
	got := keeps(&hosts, n)
	counted := pageOf(hosts.memory[:1])[0]
	if got > most || got < most/4 || got > 2*counted.Memory() || counted.Memory() > 2*got {
		t.Errorf("a host takes %d bytes, and %d are counted for it, want %d at most", got, counted.Memory(), most)
	}
	t.Logf("%d bytes", got)
}

// TestMemoryPerLease: so does a lease.
func TestMemoryPerLease(t *testing.T) {
	const n, most = 20_000, 80
	leases := fleetOf(n)
	leases.memory = nil
	got := keeps(&leases, n)
	if got > most || got < most/4 {
		t.Errorf("a lease takes %d bytes, want %d at most", got, most)
	}
	t.Logf("%d bytes", got)
}

// TestIdleAllocations: a scan that finds all as it was makes what finds the hosts and leases again, and
// nothing for each of them. A view costs the same whatever the size of the fleet.
func TestIdleAllocations(t *testing.T) {
	const n, perScan, perView = 2000, 200, 60
	c := fleetOf(n)
	page := pageOf(c.memory)
	m := mirror.New(cluster)
	scan(m, c, inMemory, noon)
	at := noon
	got := testing.AllocsPerRun(5, func() {
		at = at.Add(time.Second)
		if changes := scanPage(m, c, page, at); !changes.Empty() {
			t.Errorf("Commit(...): %+v, want no changes", changes)
		}
	})
	if got > perScan {
		t.Errorf("a scan of %d hosts that changes nothing allocates %.0f times, want %d at most", n, got, perScan)
	}
	names := []string{"kea1"}
	got = testing.AllocsPerRun(100, func() { m.Views(names, fleetIntent(77), noon) })
	if got > perView {
		t.Errorf("a view allocates %.0f times, want %d at most", got, perView)
	}
}
