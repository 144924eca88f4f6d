// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestPairProviderKilled: the provider is killed while it creates, changes and deletes reservations
// on two servers. The one that is started next completes what was begun, on both.
func TestPairProviderKilled(t *testing.T) {
	t.Parallel()
	const fleet = 40
	c := newCluster(t)
	c.install(packaged...)
	c.install("kea.crossplane.io_keareservations.yaml")
	c.allow("provider-kea", clusterRole(t).Rules...)
	first, second := twoMemories.options(t)
	p := pairIn(t, c.world, first, second)
	p.namespace = "pair"
	p.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace}})
	p.create(p.config())
	p.awaitConfig(someServe, allServe)

	var rs []*v1alpha1.KeaReservation
	for i := range fleet {
		rs = append(rs, p.numbered(i+1))
	}
	// once waits until the first of the reservations are so on kea1, and kills the provider.
	once := func(what string, is func(r *v1alpha1.KeaReservation) bool) {
		t.Helper()
		testenv.Eventually(t, within, "the first reservations to be "+what, func(context.Context) error {
			n := 0
			for _, r := range rs {
				if is(r) {
					n++
				}
			}
			if n < 3 {
				return fmt.Errorf("there are %d", n)
			}
			return nil
		})
		if err := c.provider.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.provider.cmd.Wait() // It was killed.
		n := 0
		for _, r := range rs {
			if is(r) {
				n++
			}
		}
		t.Logf("the provider was killed when %d of %d were %s on kea1", n, fleet, what)
	}
	address := func(r *v1alpha1.KeaReservation) string { return r.Spec.ForProvider.IPAddress }
	there := func(r *v1alpha1.KeaReservation) bool {
		return p.kea1.address(r.Spec.ForProvider.HWAddress).String() == address(r)
	}

	for _, r := range rs {
		p.create(r)
	}
	once("created", there)
	c.start("--leader-election=false") // The one that was killed keeps its lease for a while.
	p.awaitEach("Replicated", rs, has(replicated...))
	p.kea1.awaitAll(rs)
	p.kea2.awaitAll(rs)

	for i, r := range rs {
		edit(p.site, r, withAddress(fmt.Sprintf("10.123.0.%d", 101+i)))
	}
	once("changed", there)
	c.start("--leader-election=false")
	p.kea1.awaitAll(rs)
	p.kea2.awaitAll(rs)
	p.awaitEach("Replicated", rs, has(replicated...))

	for _, r := range rs {
		p.delete(r)
	}
	once("deleted", func(r *v1alpha1.KeaReservation) bool { return p.kea1.held(r.Spec.ForProvider.HWAddress) == nil })
	c.start("--leader-election=false")
	testenv.Eventually(t, within, "the KeaReservations to be gone", func(context.Context) error {
		if left := p.versions(); len(left) > 0 {
			return errors.New("there are some left")
		}
		return nil
	})
	for _, r := range rs {
		for _, m := range p.members() {
			if got := m.held(r.Spec.ForProvider.HWAddress); got != nil {
				t.Errorf("%s still has %+v", m.name, got)
			}
		}
	}
}
