// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
)

// TestPairDrift: what is changed or deleted on one server is repaired there, and there only.
func TestPairDrift(t *testing.T) {
	t.Parallel()
	drifts := map[string]func(m *member){
		"deleted": func(m *member) { m.remove(mac) },
		"changed": func(m *member) {
			r := m.held(mac).Clone()
			r.IPAddress, r.Hostname = addr("10.123.0.77"), "by-hand"
			m.replace(r)
		},
		"replaced": func(m *member) {
			deleteAndAdd(m.t, m.at, m.target, kea.Reservation{SubnetID: m.subnetID, HWAddress: mac, IPAddress: addr("10.123.0.77")})
		},
		"mark removed": func(m *member) {
			r := m.held(mac).Clone()
			delete(r.UserContext, "crossplane")
			m.replace(r)
		},
	}
	for _, server := range []string{"kea1", "kea2"} {
		t.Run(server, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, twoMemories)
			r := p.static("vm01", "10.123.0.50")
			r.Spec.ForProvider.Hostname = new("vm01")
			p.onBoth(r)
			p.settle()
			m := p.member(server)
			spared := p.other(m)
			writes, untouched := p.writesTo(spared), fmt.Sprintf("%+v", *spared.held(mac))
			for name, drift := range drifts {
				drift(m)
				m.eventually(name+", and then the reservation as before", mac, func(h *kea.Reservation) error {
					if h.IPAddress != addr("10.123.0.50") || h.Hostname != "vm01" || owner(h) != p.key("vm01").String() {
						return fmt.Errorf("it has %+v", h)
					}
					return nil
				})
				p.await(r, replicated...)
				p.settle()
				equal(t, name+": writes to "+spared.name, p.writesTo(spared), writes)
				equal(t, name+": what "+spared.name+" has", fmt.Sprintf("%+v", *spared.held(mac)), untouched)
			}
			p.checkQuiet(r)
		})
	}
}

// onEitherServer runs a test in which one server differs, and in which the provider knows that from
// its last snapshot, or does not know it yet.
func onEitherServer(t *testing.T, test func(t *testing.T, p *pair, m *member)) {
	t.Parallel()
	for _, server := range []string{"kea1", "kea2"} {
		t.Run(server+" in the snapshot", func(t *testing.T) {
			t.Parallel()
			p := newPair(t, twoMemories)
			p.awaitConfig(someServe, allServe)
			test(t, p, p.member(server))
		})
		t.Run(server+" not seen yet", func(t *testing.T) {
			t.Parallel()
			p := newPair(t, twoMemories, func(c *v1alpha1.ClusterProviderConfig) {
				c.Spec.SnapshotInterval = metav1.Duration{Duration: time.Minute}
			})
			p.patience = 2 * within // What is changed on a server is seen with the next snapshot.
			p.awaitConfig(someServe, allServe)
			test(t, p, p.member(server))
		})
	}
}

// checkBlocked makes sure that nothing is done for KeaReservations that are blocked, in several
// snapshots where those are frequent.
func (p *pair) checkBlocked(rs ...*v1alpha1.KeaReservation) {
	p.t.Helper()
	if p.patience == 0 {
		p.checkQuiet(rs...)
	}
}

// TestPairAddressTaken: an address that another host has on one server is written to neither: the
// message names the server. What is there already stays, on both.
func TestPairAddressTaken(t *testing.T) {
	onEitherServer(t, func(t *testing.T, p *pair, m *member) {
		t.Helper()
		old := p.static("old", "10.123.0.50")
		p.onBoth(old)
		m.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.60"), Hostname: "first"})

		// One that is new, and one that is elsewhere.
		fresh := p.reservation("fresh", params{HWAddress: macOf(1), IPAddress: "10.123.0.60"})
		p.create(fresh)
		edit(p.site, old, withAddress("10.123.0.60"))
		for _, r := range []*v1alpha1.KeaReservation{fresh, old} {
			p.await(r, notReady(v1alpha1.ReasonAddressConflict, other)...)
			p.await(r, notReady(v1alpha1.ReasonAddressConflict, m.name)...)
		}
		for _, at := range p.members() {
			equal(t, "what "+at.name+" has of the new device", at.held(macOf(1)) == nil, true)
			equal(t, "the old address on "+at.name, at.address(mac), addr("10.123.0.50"))
		}
		equal(t, "the holder on "+m.name, m.address(other), addr("10.123.0.60"))
		equal(t, "what the partner of "+m.name+" has of the holder", p.other(m).held(other) == nil, true)
		p.checkBlocked(fresh, old)

		// Another address works, and so does this one when it is free.
		edit(p.site, fresh, withAddress("10.123.0.61"))
		p.await(fresh, replicated...)
		p.kea1.awaitHeld(macOf(1), "10.123.0.61")
		p.kea2.awaitHeld(macOf(1), "10.123.0.61")
		m.remove(other)
		p.await(old, replicated...)
		p.kea1.awaitHeld(mac, "10.123.0.60")
		p.kea2.awaitHeld(mac, "10.123.0.60")
	})
}

// TestPairOwnedByAnother: a reservation of another owner on one server keeps the device's from being
// written to either: the message names owner and server. It stays also when the KeaReservation is
// deleted.
func TestPairOwnedByAnother(t *testing.T) {
	onEitherServer(t, func(t *testing.T, p *pair, m *member) {
		t.Helper()
		m.put(kea.Reservation{HWAddress: mac, IPAddress: addr("10.123.0.60"), UserContext: marked("prod/web")})
		before := fmt.Sprintf("%+v", *m.held(mac))
		r := p.static("vm01", "10.123.0.50")
		p.create(r)
		p.await(r, notReady(v1alpha1.ReasonOwnedByAnother, "another cluster")...)
		p.await(r, notReady(v1alpha1.ReasonOwnedByAnother, m.name)...)
		p.checkBlocked(r)
		equal(t, "what "+m.name+" has", fmt.Sprintf("%+v", *m.held(mac)), before)
		equal(t, "what the partner of "+m.name+" has", p.other(m).held(mac) == nil, true)
		p.delete(r)
		p.awaitGone(r)
		equal(t, "what "+m.name+" has", fmt.Sprintf("%+v", *m.held(mac)), before)

		// Taken over, it is on both.
		r = p.static("vm01", "10.123.0.50")
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
		p.create(r)
		p.await(r, replicated...)
		p.kea1.awaitHeld(mac, "10.123.0.50")
		p.kea2.awaitHeld(mac, "10.123.0.50")
	})
}

// TestPairSplitOwnership: the mark of another owner that appears on one server later blocks that
// KeaReservation, and what the partner has of it stays as it is.
func TestPairSplitOwnership(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories)
	r := p.static("vm01", "10.123.0.50")
	p.onBoth(r)
	stolen := p.kea2.held(mac).Clone()
	stolen.UserContext["crossplane"] = marked("prod/web")["crossplane"]
	p.kea2.replace(stolen)
	p.await(r, notReady(v1alpha1.ReasonOwnedByAnother, p.kea2.name)...)
	edit(p.site, r, withAddress("10.123.0.51"))
	p.await(r, notReady(v1alpha1.ReasonOwnedByAnother, p.kea2.name)...)
	p.checkQuiet(r)
	equal(t, "the address on kea1", p.kea1.address(mac), addr("10.123.0.50"))
	equal(t, "the owner on kea1", owner(p.kea1.held(mac)), p.key("vm01").String())
	equal(t, "the address on kea2", p.kea2.address(mac), addr("10.123.0.50"))
	equal(t, "the owner on kea2", owner(p.kea2.held(mac)), "prod/web")
}
