// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestPairServerAdded: a server that is added to the configuration gets all there is, one that is
// removed keeps what it has, and the other one is not written to for either.
func TestPairServerAdded(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories, func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = c.Spec.Servers[:1] })
	var rs []*v1alpha1.KeaReservation
	for i := range 10 {
		rs = append(rs, p.numbered(i+1))
		p.create(rs[i])
	}
	p.awaitEach("Ready", rs, has(replicated...))
	writes := p.writesTo(p.kea1)
	edit(p.site, p.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = p.config().Spec.Servers })
	p.awaitConfig(someServe, allServe)
	p.kea2.awaitAll(rs)
	p.awaitEach("Replicated", rs, has(replicated...))
	equal(t, "writes to kea1", p.writesTo(p.kea1), writes)

	p.settle()
	before := p.versions(rs[1:]...)
	edit(p.site, p.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = c.Spec.Servers[:1] })
	p.awaitConfig(someServe, allServe)
	edit(p.site, rs[0], withAddress("10.123.0.20"))
	p.await(rs[0], replicated...)
	p.kea1.awaitHeld(macOf(1), "10.123.0.20")
	equal(t, "the address on kea2", p.kea2.address(macOf(1)), addr("10.123.0.1"))
	p.delete(rs[1])
	p.awaitGone(rs[1])
	equal(t, "what kea2 has", p.kea2.address(macOf(2)), addr("10.123.0.2"))
	delete(before, rs[1].Name)
	t.Logf("removing a server wrote to %d of %d KeaReservations", p.written(before), len(before))

	// What it has from before is brought up to date when it is added again.
	edit(p.site, p.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = p.config().Spec.Servers })
	p.kea2.awaitHeld(macOf(1), "10.123.0.20")
	p.await(rs[0], replicated...)
}

// written counts the KeaReservations that have another resourceVersion than before.
func (s *site) written(before map[string]string) int {
	s.t.Helper()
	n := 0
	for name, now := range s.versions() {
		if was, ok := before[name]; ok && was != now {
			n++
		}
	}
	return n
}

// TestPairServerReplaced: the url of a server leads to another machine, which is empty: it is caught
// up, and an event says what stays behind on the old one.
func TestPairServerReplaced(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories)
	rs := p.idle(5)
	writes := p.writesTo(p.kea1)
	o := testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}}
	o.Subnets[0].ID = 9
	spare := newMember(t, "kea2", testenv.StartKea(t, o), o)
	edit(p.site, p.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers[1].URL = spare.URL })
	spare.awaitAll(rs)
	p.awaitEach("Replicated", rs, has(replicated...))
	p.awaitConfig(someServe, allServe)
	equal(t, "writes to kea1", p.writesTo(p.kea1), writes)
	testenv.Eventually(t, within, "an event about what stays behind", func(ctx context.Context) error {
		l := &corev1.EventList{}
		if err := p.client.List(ctx, l, client.InNamespace("default")); err != nil {
			return err
		}
		if !slices.ContainsFunc(l.Items, func(e corev1.Event) bool {
			return e.InvolvedObject.Name == p.namespace && strings.Contains(e.Message, "kea2")
		}) {
			return fmt.Errorf("there is none among %d", len(l.Items))
		}
		return nil
	})
	for _, r := range rs {
		equal(t, "what the old server has", p.kea2.address(r.Spec.ForProvider.HWAddress), addr(r.Spec.ForProvider.IPAddress))
	}
}
