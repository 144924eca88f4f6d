// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestSubnetDetail is about what the devices of a subnet get.
func TestSubnetDetail(t *testing.T) {
	t.Parallel()
	full := content{
		subnets: []kea.Subnet{subnet1, subnet2},
		memory:  []kea.Reservation{host(mac1, ip(1)), host(mac2, ip(2)), {SubnetID: 2, HWAddress: mac3}},
	}
	detail := func(last byte) *kea.SubnetDetail {
		return &kea.SubnetDetail{Subnet: subnet1, Routers: []netip.Addr{ip(last)}}
	}
	m := scanned(full, inMemory)
	if d, asked := m.SubnetDetail("kea1", 1); d != nil || asked {
		t.Errorf("SubnetDetail(...): %v, %t, want that it was not asked for", d, asked)
	}
	steps := []struct {
		reason string
		put    *kea.SubnetDetail
		want   changes
	}{
		{"What could not be read concerns nothing.", nil, changes{}},
		{"What is known for the first time concerns the devices of the subnet.", detail(1), woken([]kea.HWAddress{mac1, mac2})},
		{"The same again concerns nothing.", detail(1), changes{}},
		{"Another router does.", detail(254), woken([]kea.HWAddress{mac1, mac2})},
	}
	for _, step := range steps {
		checkChanges(t, step.reason, step.want, m.PutSubnetDetail("kea1", 1, step.put))
		if d, asked := m.SubnetDetail("kea1", 1); d != step.put || !asked {
			t.Errorf("%s\nSubnetDetail(...): %v, %t, want what was put", step.reason, d, asked)
		}
	}
	scan(m, full, inMemory, noon.Add(time.Minute))
	if _, asked := m.SubnetDetail("kea1", 1); !asked {
		t.Error("SubnetDetail(...) after a scan: it is forgotten")
	}
	m.PutSubnetDetail("kea1", 2, nil)
	if one, all := m.SubnetDetails("kea1", 1), m.SubnetDetails("kea1", 10); len(one) != 1 || len(all) != 2 {
		t.Errorf("SubnetDetails(...): %v and %v, want one and two", one, all)
	}
	m.ForgetSubnetDetail("kea1", 1)
	if _, asked := m.SubnetDetail("kea1", 1); asked {
		t.Error("SubnetDetail(...) after ForgetSubnetDetail: it is known")
	}
	never := mirror.New(cluster)
	c := never.PutSubnetDetail("kea1", 1, detail(1))
	if _, asked := never.SubnetDetail("kea1", 1); asked || !c.Empty() || never.SubnetDetails("kea1", 1) != nil || never.Missing("kea1") != nil {
		t.Error("a server that was never read has details")
	}
}
