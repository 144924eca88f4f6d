// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
)

// TestPairReplicates: a reservation that is created, changed and deleted is so on both servers, each
// with its own subnet-id.
func TestPairReplicates(t *testing.T) {
	onEachLayout(t, func(t *testing.T, l layout) {
		t.Helper()
		p := newPair(t, l)
		pc := p.awaitConfig(someServe, allServe)
		equal(t, "status.servers", len(pc.Status.Servers), 2)
		p.checkServing("2/2")

		r := p.static("vm01", "10.123.0.50")
		r.Spec.ForProvider.Hostname = new("vm01")
		p.onBoth(r)
		p.checkServers(r, v1alpha1.ServerState("Reserved"))
		for _, m := range p.members() {
			equal(t, "hostname on "+m.name, m.held(mac).Hostname, "vm01")
			equal(t, "the owner on "+m.name, owner(m.held(mac)), p.key("vm01").String())
		}
		adds := p.sent("reservation-add")
		t.Logf("creating one reservation sent %d reservation-add", adds)
		equal(t, "reservation-add", adds, map[layout]int{twoMemories: 2, twoDatabases: 2, sharedDatabase: 1}[l])

		edit(p.site, r, withAddress("10.123.0.51"))
		p.await(r, replicated...)
		for _, m := range p.members() {
			m.awaitHeld(mac, "10.123.0.51")
			equal(t, "hostname on "+m.name, m.held(mac).Hostname, "vm01")
		}
		p.checkQuiet(r)

		p.delete(r)
		p.awaitGone(r)
		for _, m := range p.members() {
			if got := m.held(mac); got != nil {
				t.Errorf("%s still has %+v", m.name, got)
			}
		}
	})
}

// TestPairPinsLease: the lease that a device has on either server is reserved on both. Any other
// lease of the device is named with its server.
func TestPairPinsLease(t *testing.T) {
	onEachLayout(t, func(t *testing.T, l layout) {
		t.Helper()
		p := newPair(t, l)
		for i, m := range p.members() {
			hw, ip := macOf(i+1), fmt.Sprintf("10.123.0.15%d", i)
			r := p.reservation("vm-"+m.name, params{HWAddress: hw})
			p.create(r)
			p.await(r, notReady(v1alpha1.ReasonAwaitingLease, hw)...)
			for _, m := range p.members() {
				equal(t, "what "+m.name+" has", m.held(hw) == nil, true)
			}
			m.lease(hw, ip)
			p.await(r, replicated...)
			equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, ip)
			p.kea1.awaitHeld(hw, ip)
			p.kea2.awaitHeld(hw, ip)
			p.await(r, confirmed(corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, ""))

			p.other(m).lease(hw, fmt.Sprintf("10.123.0.16%d", i))
			p.await(r, confirmed(corev1.ConditionFalse, "", p.other(m).name))
			equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, ip)
		}
	})
}

// TestPairAdopts: what one server has of a device is adopted, with its address, and brought to the
// other, with the fields that the spec does not set.
func TestPairAdopts(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories)
	p.kea2.put(byHand("10.123.0.60"))
	r := p.reservation("vm01", params{HWAddress: mac})
	p.create(r)
	p.await(r, replicated...)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
	p.kea1.awaitHeld(mac, "10.123.0.60")
	checkByHand(t, p.kea2.held(mac), "10.123.0.60")
	p.checkQuiet(r)
}

// TestPairLacksSubnet: a subnet that one server lacks is no error, as in hub-and-spoke setups:
// Replicated counts the servers that have it.
func TestPairLacksSubnet(t *testing.T) {
	t.Parallel()
	first, second := twoMemories.options(t)
	branch := first.Subnets[0]
	branch.ID, branch.Prefix, branch.Pools = 2, "10.124.0.0/24", nil
	first.Subnets = append(first.Subnets, branch)
	p := newPairOf(t, first, second)
	r := p.reservation("vm01", params{HWAddress: mac, Subnet: branch.Prefix, IPAddress: "10.124.0.50"})
	p.create(r)
	p.await(r, replicated...)
	got, err := p.kea1.at.Reservation(t.Context(), kea.TargetMemory, 2, mac)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, "ip-address", got.IPAddress, addr("10.124.0.50"))
	p.checkQuiet(r)
	p.awaitConfig(someServe, allServe)
}

// checkServers compares the servers in a KeaReservation's status.
func (p *pair) checkServers(r *v1alpha1.KeaReservation, state v1alpha1.ServerState) {
	p.t.Helper()
	var want []v1alpha1.ServerObservation
	for _, m := range p.members() {
		want = append(want, v1alpha1.ServerObservation{Name: m.name, SubnetID: new(int64(m.subnetID)), State: state})
	}
	if diff := cmp.Diff(want, r.Status.AtProvider.Servers); diff != "" {
		p.t.Errorf("status.atProvider.servers: -want, +got:\n%s", diff)
	}
}

// checkServing compares how many servers serve, as the configuration's status says.
func (p *pair) checkServing(want string) {
	p.t.Helper()
	equal(p.t, "status.serving", p.field("ClusterProviderConfig", p.namespace, "status", "serving"), fmt.Sprintf("%q", want))
}
