// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

func shardOf(t *testing.T, selector string) connection.Shard {
	t.Helper()
	s, err := connection.ParseShard(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestShardEvents: a configuration that leaves a shard is closed at once, and one that comes to it is
// opened when the other process has had the time to close it.
func TestShardEvents(t *testing.T) {
	labelled := func(shard string, generation int64) *v1alpha1.ClusterProviderConfig {
		return &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "x", Generation: generation, Labels: map[string]string{"shard": shard}}}
	}
	cases := map[string]struct {
		reason      string
		before, now *v1alpha1.ClusterProviderConfig
		passes      bool
		delay       time.Duration
	}{
		"Leaves":     {reason: "It is closed at once.", before: labelled("a", 1), now: labelled("b", 1), passes: true},
		"Comes":      {reason: "The other process closes it first.", before: labelled("b", 1), now: labelled("a", 1), passes: true, delay: handOver},
		"ComesEdit":  {reason: "Also where something else has changed with it.", before: labelled("b", 1), now: labelled("a", 2), passes: true, delay: handOver},
		"Stays":      {reason: "Nothing has changed.", before: labelled("a", 1), now: labelled("a", 1)},
		"Edited":     {reason: "A change of the spec takes effect at once.", before: labelled("a", 1), now: labelled("a", 2), passes: true},
		"OfAnother":  {reason: "It is not ours before or after.", before: labelled("b", 1), now: labelled("c", 1)},
		"Unlabelled": {reason: "One whose labels are gone has left.", before: labelled("a", 1), now: &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "x", Generation: 1}}, passes: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				shard := shardOf(t, "shard=a")
				e := event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.now}
				if got := changes(shard).Update(e); got != tc.passes {
					t.Fatalf("%s\nthe update passes: %t, want %t", tc.reason, got, tc.passes)
				}
				if !tc.passes {
					return
				}
				q := workqueue.NewTypedRateLimitingQueue(rateLimiter())
				defer q.ShutDown()
				began := time.Now()
				(&shardEvents{shard: shard}).Update(t.Context(), e, q)
				got, _ := q.Get()
				if diff := cmp.Diff(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(tc.now)}, got); diff != "" || time.Since(began) != tc.delay {
					t.Errorf("%s\nit comes after %s, want %s; -want, +got:\n%s", tc.reason, time.Since(began), tc.delay, diff)
				}
			})
		})
	}
}

// TestOtherShard: a configuration of another shard gets no finalizer and no status, deleted or not, and
// its group is closed.
func TestOtherShard(t *testing.T) {
	t.Parallel()
	written := errors.New("it was written")
	for name, deleted := range map[string]bool{"Used": false, "Deleted": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			users, c := usersOf(t, watched(1), deleted, interceptor.Funcs{
				Update: func(context.Context, client.WithWatch, client.Object, ...client.UpdateOption) error { return written },
				SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
					return written
				},
			})
			users.shard = shardOf(t, "shard=b")
			groups := connection.NewGroups()
			groups.Fail(refOf("a"), errors.New("was served here"))
			connections := &reconciler{configs: newConfigs(c), reader: c, groups: groups, shard: users.shard, kind: users.kind, newConfig: users.newConfig}
			req := ctrl.Request{NamespacedName: client.ObjectKey{Name: "a"}}
			for _, r := range []reconcile.Reconciler{users, connections} {
				if res, err := r.Reconcile(t.Context(), req); err != nil || res != (ctrl.Result{}) {
					t.Errorf("%T: %v, %v", r, res, err)
				}
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if _, err := groups.Group(ctx, refOf("a")); !errors.Is(err, context.Canceled) {
				t.Errorf("the configuration is still served: %v", err)
			}
		})
	}
}
