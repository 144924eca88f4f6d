// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

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
	count := func(limit int, is func(r *v1alpha1.KeaReservation) bool) (n int) {
		for _, r := range rs {
			if n < limit && is(r) {
				n++
			}
		}
		return n
	}
	// once waits until the first of the reservations are so on kea1, and kills the provider.
	once := func(what string, is func(r *v1alpha1.KeaReservation) bool) {
		t.Helper()
		testenv.Eventually(t, within, "the first reservations to be "+what, func(context.Context) error {
			if n := count(3, is); n < 3 {
				return fmt.Errorf("there are %d", n)
			}
			return nil
		})
		if err := c.provider.cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = c.provider.cmd.Wait() // It was killed.
		t.Logf("the provider was killed when %d of %d were %s on kea1", count(fleet, is), fleet, what)
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

	// All at once, so that the provider has not done one when it gets the next.
	var changes errgroup.Group
	for i, r := range rs {
		changes.Go(func() error {
			patch := fmt.Sprintf(`{"spec":{"forProvider":{"ipAddress":"10.123.0.%d"}}}`, 101+i)
			return p.client.Patch(t.Context(), r, client.RawPatch(types.MergePatchType, []byte(patch)))
		})
	}
	if err := changes.Wait(); err != nil {
		t.Fatal(err)
	}
	once("changed", there)
	c.start("--leader-election=false")
	p.kea1.awaitAll(rs)
	p.kea2.awaitAll(rs)
	p.awaitEach("Replicated", rs, has(replicated...))

	if err := p.client.DeleteAllOf(t.Context(), &v1alpha1.KeaReservation{}, client.InNamespace(p.namespace)); err != nil {
		t.Fatal(err)
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
