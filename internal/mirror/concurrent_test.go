// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestConcurrent is for the race detector: scans, single reads and views at the same time. A device
// whose host is always there is seen in every view, whatever else changes.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	const rounds, readers = 200, 4
	always := host(mac1, ip(1), ownedBy(me))
	m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{always}}, inDatabase)
	var wg sync.WaitGroup
	wg.Go(func() {
		for n := range rounds {
			at := noon.Add(time.Duration(n) * time.Second)
			sc := m.BeginScan("kea1", at)
			c := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{always}}
			if n%2 == 0 {
				c.memory = append(c.memory, host(mac2, ip(2), ownedBy(other)))
				c.leases = []kea.Lease{lease(mac2, ip(3), at)}
			}
			fill(sc, c, at)
			m.Doubtful(sc)
			if n%5 == 0 {
				m.Abandon(sc)
				continue
			}
			changes := m.Commit(sc, inDatabase, at)
			changes.Merge(m.PutLeases("kea1", listing(at, c.leases...)))
			if _, woken := changes.HWAddresses[mac1]; woken {
				t.Errorf("Commit(...): %s is woken, though it has not changed", mac1)
			}
		}
	})
	for reader := range readers {
		wg.Go(func() {
			hw := kea.HWAddress(fmt.Sprintf("00:00:00:00:01:%02x", reader))
			for n := range rounds {
				at := noon.Add(time.Duration(n) * time.Second)
				m.SetUnconfirmed(memory, key(hw), nil)
				m.PutHost(memory, key(hw), new(host(hw, ip(byte(10+reader)))), "ns/x")
				m.PutHolders(memory, 1, ip(1), []kea.Reservation{always.Clone()})
				m.PutLeasesOf("kea1", hw, []kea.Lease{lease(hw, ip(byte(10+reader)), at)}, at)
				m.PutRefusal(memory, key(hw), reservation.Refusal{})
				m.PutRewrite(memory, key(hw), reservation.Rewrite{})
				m.PutSubnetDetail("kea1", 1, &kea.SubnetDetail{})
				m.Forget(intent(hw), me)
				m.Copies("kea1", intent(hw), me)
				m.Witness(memory, key(hw))
				m.Unconfirmed("kea1", key(hw))
				views, errs := m.Views([]string{"kea1"}, intent(mac1), at)
				if len(errs) > 0 || len(views) != 2 || views[1].Host == nil {
					t.Errorf("Views(...): %v, %v, want the host that is always there", views, errs)
				}
			}
		})
	}
	wg.Wait()
	if v, _ := m.Views([]string{"kea1"}, intent(mac2), noon); len(v) != 2 {
		t.Errorf("Views(...): %d, want 2", len(v))
	}
	if _, ok := mirror.New(cluster).Witness(memory, key(mac1)); ok {
		t.Error("Witness(...): one of a server that was never read")
	}
}
