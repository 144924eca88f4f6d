// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// hostile returns marked hosts with much in them, which differ from round to round.
func hostile(round, n int, subnetID uint32) []kea.Reservation {
	out := make([]kea.Reservation, 0, n)
	for i := range n {
		hw := kea.HWAddress(fmt.Sprintf("02:00:00:%02x:%02x:%02x", round, i>>8, i&0xff))
		r := host(hw, ip(1), ownedBy(me), named(strings.Repeat("x", 10000)))
		r.SubnetID = subnetID
		out = append(out, r)
	}
	return out
}

// TestMemoryOfHostile: a server that lists other hosts each time has no more remembered of it than
// it ever had at once, though each of them has vanished without the provider's doing.
func TestMemoryOfHostile(t *testing.T) {
	const hosts, rounds = 300, 5
	m := mirror.New(cluster)
	for round := range rounds {
		scan(m, content{subnets: []kea.Subnet{subnet1}, memory: hostile(round, hosts, subnet1.ID)}, inMemory, noon.Add(time.Duration(round)*time.Minute))
	}
	vanished := 0
	for round := range rounds {
		for _, r := range hostile(round, hosts, subnet1.ID) {
			if v := viewOf(t, m, r.HWAddress, noon); v.Vanished != nil {
				vanished++
			}
		}
	}
	if vanished == 0 || vanished > hosts {
		t.Errorf("%d hosts are remembered, want %d at most", vanished, hosts)
	}
}

// TestMemoryOfMissing: the same with hosts of subnets that are missing for a short time.
func TestMemoryOfMissing(t *testing.T) {
	const hosts, rounds = 300, 6
	m := mirror.New(cluster)
	kept := 0
	for round := range rounds {
		sub := kea.Subnet{ID: uint32(round) + 1, Prefix: subnet2.Prefix}
		sub.Prefix, _ = ip(0).Prefix(24 + round)
		scan(m, content{subnets: []kea.Subnet{sub}, memory: hostile(round, hosts, sub.ID)}, inMemory, noon.Add(time.Duration(round)*time.Second))
	}
	for round := range rounds {
		for _, r := range hostile(round, hosts, uint32(round)+1) {
			if m.Holds(memory, mirror.Key{SubnetID: r.SubnetID, HW: r.HWAddress}) {
				kept++
			}
		}
	}
	if kept < hosts || kept > 2*hosts+1 {
		t.Errorf("%d hosts are kept, want %d at most", kept, 2*hosts)
	}
}

// TestManyHolders: of the hosts that have one address, a view has as many as it takes to say that
// it is taken.
func TestManyHolders(t *testing.T) {
	m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: hostile(0, 500, subnet1.ID)}, inMemory)
	in := intent(mac1)
	in.Address = ip(1)
	views, _ := m.Views([]string{"kea1"}, in, noon)
	if n := len(views[0].Holders); n == 0 || n > 64 {
		t.Errorf("there are %d holders", n)
	}
}

// TestRepeated: a scan counts the hosts that are listed again.
func TestRepeated(t *testing.T) {
	s := mirror.New(cluster).BeginScan("kea1", noon)
	for range 3 {
		s.AddHosts(kea.TargetMemory, pageOf(hostile(0, 10, subnet1.ID)))
	}
	if s.Repeated() != 20 || s.Total() != 10 || s.Memory() < 10*10000 || s.Memory() > 10*12000 {
		t.Errorf("got %d repeated of %d, %d bytes", s.Repeated(), s.Total(), s.Memory())
	}
}
