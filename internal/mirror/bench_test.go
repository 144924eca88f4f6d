// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// fleet is how many devices the benchmarks have.
const fleet = 50_000

var wide = kea.Subnet{ID: 1, Prefix: netip.MustParsePrefix("10.0.0.0/8")}

func hwOf(n int) kea.HWAddress {
	return kea.HWAddress(fmt.Sprintf("00:02:12:%02x:%02x:%02x", n>>16, n>>8&0xff, n&0xff))
}

func ipOf(n int) netip.Addr {
	return netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})
}

// fleetOf returns marked hosts and their leases.
func fleetOf(n int) content {
	c := content{subnets: []kea.Subnet{wide}}
	for i := range n {
		c.memory = append(c.memory, host(hwOf(i), ipOf(i), ownedBy(reservation.Owner{Cluster: cluster, Resource: fmt.Sprintf("tenant-a/vm%05d", i)})))
		c.leases = append(c.leases, lease(hwOf(i), ipOf(i), noon))
	}
	return c
}

func fleetIntent(n int) reservation.Intent {
	return reservation.Intent{Subnet: reservation.SubnetRef{Prefix: wide.Prefix}, HWAddress: hwOf(n), Resource: fmt.Sprintf("tenant-a/vm%05d", n), Address: ipOf(n)}
}

// BenchmarkScan is a scan of an idle fleet, from pages that have been decoded, and its comparison with the
// last one.
func BenchmarkScan(b *testing.B) {
	c := fleetOf(fleet)
	page := pageOf(c.memory)
	m := mirror.New(cluster)
	scan(m, c, inMemory, noon)
	at := noon
	b.ReportAllocs()
	for b.Loop() {
		at = at.Add(time.Second)
		if ch := scanPage(m, c, page, at); !ch.Empty() {
			b.Fatalf("%+v", ch)
		}
	}
}

// BenchmarkCommit is the comparison of two snapshots alone.
func BenchmarkCommit(b *testing.B) {
	c := fleetOf(fleet)
	m := mirror.New(cluster)
	scan(m, c, inMemory, noon)
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		b.StopTimer()
		at := noon.Add(time.Duration(n+1) * time.Second)
		sc := m.BeginScan("kea1", at)
		fill(sc, c, at)
		b.StartTimer()
		if ch := m.Commit(sc, inMemory, at); !ch.Empty() {
			b.Fatalf("%+v", ch)
		}
	}
}

// BenchmarkViews is what is known of one device of a fleet.
func BenchmarkViews(b *testing.B) {
	m := mirror.New(cluster)
	scan(m, fleetOf(fleet), inMemory, noon)
	names := []string{"kea1"}
	b.ReportAllocs()
	for b.Loop() {
		if v, errs := m.Views(names, fleetIntent(77), noon); len(v) != 1 || v[0].Host == nil || len(v[0].Leases) != 1 {
			b.Fatalf("%+v %v", v, errs)
		}
	}
}
