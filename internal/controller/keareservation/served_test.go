// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestServed: a process reconciles the KeaReservations of its shard, counts them, and no others,
// deleted ones neither.
func TestServed(t *testing.T) {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	of := func(config string, deleted bool) client.Object {
		return wanted(func(mg *v1alpha1.KeaReservation) {
			mg.Name = "of-" + config
			mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: config}
			if deleted {
				mg.Name += "-deleted"
				mg.DeletionTimestamp, mg.Finalizers = &metav1.Time{Time: someTime}, []string{"here"}
			}
		})
	}
	kube := fake.NewClientBuilder().WithScheme(s).WithObjects(
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"shard": "a"}}},
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "b", Labels: map[string]string{"shard": "b"}}},
		of("a", false), of("a", true), of("b", false), of("b", true), of("missing", false),
	).Build()
	cases := map[string]struct {
		reason string
		want   []string
	}{
		"":                {reason: "One process serves all.", want: []string{"of-a", "of-a-deleted", "of-b", "of-b-deleted", "of-missing"}},
		"shard=a":         {reason: "A shard serves its own.", want: []string{"of-a", "of-a-deleted"}},
		"shard notin (a)": {reason: "What is missing is without labels.", want: []string{"of-b", "of-b-deleted", "of-missing"}},
	}
	for selector, tc := range cases {
		t.Run(selector, func(t *testing.T) {
			shard, err := connection.ParseShard(selector)
			if err != nil {
				t.Fatal(err)
			}
			here := served{shard: shard, reader: kube}
			var reconciled []string
			inner := reconcile.Func(func(_ context.Context, req reconcile.Request) (reconcile.Result, error) {
				reconciled = append(reconciled, req.Name)
				return reconcile.Result{}, nil
			})
			h := &holdWhileUnusable{
				Reconciler: inner, here: here, reader: kube, created: newCreatedSet(), written: cached.NewWrites(), waiting: newResourceSet(),
				away: func(*v1alpha1.KeaReservation) (some, all bool) { return false, false }, untilTried: func(context.Context, *v1alpha1.KeaReservation) time.Duration { return 0 },
			}
			groups := connection.NewGroups()
			events := &eventHandler{groups: groups, waker: newWaker(cacheOf(t), 100), here: here, reader: kube, written: h.written}
			all := &v1alpha1.KeaReservationList{}
			if err := kube.List(t.Context(), all); err != nil {
				t.Fatal(err)
			}
			created, gone := map[string]bool{}, map[string]bool{}
			for i := range all.Items {
				enqueues := func(do func(workqueue.TypedRateLimitingInterface[reconcile.Request])) bool {
					q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
					defer q.ShutDown()
					do(q)
					return q.Len() > 0
				}
				mg := &all.Items[i]
				created[mg.Name] = enqueues(func(q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
					events.Create(t.Context(), event.CreateEvent{Object: mg, IsInInitialList: true}, q)
				})
				gone[mg.Name] = enqueues(func(q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
					events.Delete(t.Context(), event.DeleteEvent{Object: mg}, q)
				})
				if _, err := h.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&all.Items[i])}); err != nil {
					t.Error(err)
				}
			}
			for _, of := range []map[string]bool{created, gone} {
				maps.DeleteFunc(of, func(_ string, enqueued bool) bool { return !enqueued })
			}
			var counted []string
			kept := make([]*v1alpha1.KeaReservation, len(all.Items))
			for i := range all.Items {
				kept[i] = &all.Items[i]
			}
			for _, mg := range here.only(t.Context(), kept) {
				counted = append(counted, mg.Name)
			}
			for what, got := range map[string][]string{"created": slices.Sorted(maps.Keys(created)), "gone": slices.Sorted(maps.Keys(gone)), "reconciled": reconciled, "counted": counted} {
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s\n%s: -want, +got:\n%s", tc.reason, what, diff)
				}
			}
		})
	}
}

// TestServedGone: what refers to a configuration that is gone is woken where that is to be reported.
func TestServedGone(t *testing.T) {
	for selector, want := range map[string]int{"": 0, "shard=a": 0, "shard=b": 0, "shard notin (a)": 1} {
		shard, err := connection.ParseShard(selector)
		if err != nil {
			t.Fatal(err)
		}
		woken := 0
		h := served{shard: shard}.onGone(v1alpha1.ClusterProviderConfigKind, func(ref connection.Ref, c mirror.Changes) {
			if ref != (connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}) || !c.Everything {
				t.Errorf("%q: woken are %v of %s", selector, c, ref)
			}
			woken++
		})
		h.Delete(t.Context(), event.DeleteEvent{Object: &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: map[string]string{"shard": "a"}}}}, nil)
		if woken != want {
			t.Errorf("%q: woken %d times, want %d", selector, woken, want)
		}
	}
}
