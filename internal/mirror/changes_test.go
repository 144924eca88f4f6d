// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"net/netip"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestChangesMerge: a change with two causes concerns both resources.
func TestChangesMerge(t *testing.T) {
	t.Parallel()
	one := mirror.Changes{HWAddresses: map[kea.HWAddress]string{mac1: "ns/a", mac2: "ns/a"}, Addresses: map[netip.Addr]string{ip(1): "ns/a"}}
	var c mirror.Changes
	if !c.Empty() {
		t.Error("Empty(): false for the zero value")
	}
	c.Merge(one)
	c.Merge(one)
	checkChanges(t, "One cause stays.", changes{Devices: map[kea.HWAddress]string{mac1: "ns/a", mac2: "ns/a"}, Addresses: map[string]string{"10.1.0.1": "ns/a"}}, c)
	c.Merge(mirror.Changes{HWAddresses: map[kea.HWAddress]string{mac1: "ns/b", mac3: "ns/b"}, Addresses: map[netip.Addr]string{ip(1): ""}, Servers: true})
	checkChanges(t, "With two causes, each resource hears of it.", changes{
		Servers: true, Devices: map[kea.HWAddress]string{mac1: "", mac2: "ns/a", mac3: "ns/b"}, Addresses: map[string]string{"10.1.0.1": ""},
	}, c)
	c.Merge(mirror.Changes{HWAddresses: map[kea.HWAddress]string{mac1: "ns/b"}, Everything: true})
	if c.HWAddresses[mac1] != "" || !c.Everything || c.Empty() {
		t.Errorf("Merge(...): %+v, want everything, and no cause of %s", c, mac1)
	}
}

// TestChangesSubnets: subnets are listed one by one as long as they are not too many.
func TestChangesSubnets(t *testing.T) {
	t.Parallel()
	subnets := func(from, to int) mirror.Changes {
		out := mirror.Changes{Subnets: map[kea.Subnet]struct{}{}}
		for i := from; i < to; i++ {
			out.Subnets[kea.Subnet{ID: uint32(i)}] = struct{}{}
		}
		return out
	}
	var c mirror.Changes
	for _, part := range []mirror.Changes{subnets(0, 400), subnets(300, 700)} {
		c.Merge(part)
	}
	if c.Empty() || c.Everything || len(c.Subnets) != 700 {
		t.Errorf("Merge(...): everything %t, %d subnets, want 700 of them", c.Everything, len(c.Subnets))
	}
	c.Merge(subnets(1000, 3000))
	if !c.Everything || len(c.Subnets) > 0 {
		t.Errorf("Merge(...) of too many: everything %t, %d subnets, want everything instead", c.Everything, len(c.Subnets))
	}
}
