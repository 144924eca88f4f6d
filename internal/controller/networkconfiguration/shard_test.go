// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// config is a provider configuration of a shard; without labels if that is "".
func config(name, shard string) *v1alpha1.ClusterProviderConfig {
	out := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if shard != "" {
		out.Labels = map[string]string{"shard": shard}
	}
	return out
}

func shardOf(t *testing.T, selector string) connection.Shard {
	t.Helper()
	s, err := connection.ParseShard(selector)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// sharded is a cluster with a machine in each of some networks: of shard a, of shard b, of a
// configuration that does not exist, without a prefix, and without a network.
func sharded(t *testing.T) client.Client {
	t.Helper()
	networks := map[string]string{"a": "ClusterProviderConfig/a", "b": "ClusterProviderConfig/b", "missing": "ClusterProviderConfig/missing", "unprovisioned": "ClusterProviderConfig/a"}
	objects := []client.Object{config("a", "a"), config("b", "b"), nc("none", []string{mac1}, made("none", 0))}
	for name, ref := range networks {
		prefix := "10.0.0.0/24"
		if name == "unprovisioned" {
			prefix = ""
		}
		network := nn("net", prefix, 0, annotated(ref))
		network.Namespace = name
		objects = append(objects, nc(name, []string{mac1}, made(name, 0)), &network)
	}
	s := newScheme(t)
	vitistack.AddNetworkNamespaces(s, vitistack.GroupVersion.Version)
	return fake.NewClientBuilder().WithScheme(s).WithObjects(objects...).Build()
}

// machinesOf returns machines that have the NetworkConfigurations of a client.
func machinesOf(t *testing.T, kube client.Client) machines {
	t.Helper()
	all := &vitistack.NetworkConfigurationList{}
	if err := kube.List(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	for i := range all.Items {
		if err := store.Add(&all.Items[i]); err != nil {
			t.Fatal(err)
		}
	}
	return machines{store}
}

// TestServes: each NetworkConfiguration is handled by exactly one shard.
func TestServes(t *testing.T) {
	t.Parallel()
	kube := sharded(t)
	for selector, want := range map[string][]string{
		"":                {"a", "b", "missing", "none", "unprovisioned"},
		"shard=a":         {"a"},
		"shard notin (a)": {"b", "missing", "none", "unprovisioned"},
	} {
		r := &reconciler{vitistack: kube, kube: kube, shard: shardOf(t, selector)}
		all := &vitistack.NetworkConfigurationList{}
		if err := kube.List(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		var got []string
		for i := range all.Items {
			has, err := r.serves(t.Context(), &all.Items[i], newNetworksOf(r.vitistack))
			if err != nil {
				t.Error(err)
			}
			if has {
				got = append(got, all.Items[i].Name)
			}
		}
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%q: -want, +got:\n%s", selector, diff)
		}
	}
}

// TestShardGetsConfig: a shard that gets a provider configuration handles the machines that it has.
func TestShardGetsConfig(t *testing.T) {
	t.Parallel()
	const a, rest = "shard=a", "shard notin (a)"
	created := func(pc client.Object, initial bool) func(handler.EventHandler, queue) {
		return func(h handler.EventHandler, q queue) {
			h.Create(t.Context(), event.CreateEvent{Object: pc, IsInInitialList: initial}, q)
		}
	}
	updated := func(before, now client.Object) func(handler.EventHandler, queue) {
		return func(h handler.EventHandler, q queue) {
			h.Update(t.Context(), event.UpdateEvent{ObjectOld: before, ObjectNew: now}, q)
		}
	}
	gone := func(pc client.Object) func(handler.EventHandler, queue) {
		return func(h handler.EventHandler, q queue) { h.Delete(t.Context(), event.DeleteEvent{Object: pc}, q) }
	}
	cases := map[string]struct {
		reason   string
		selector string
		event    func(handler.EventHandler, queue)
		want     []string
	}{
		"Comes":      {reason: "Its labels are those of the shard from now on.", selector: a, event: updated(config("a", "b"), config("a", "a")), want: []string{"a"}},
		"Leaves":     {reason: "The other shard handles them.", selector: a, event: updated(config("a", "a"), config("a", "b"))},
		"Stays":      {reason: "They are handled here already.", selector: a, event: updated(config("a", "a"), config("a", "a"))},
		"Created":    {reason: "What was missing was another shard's.", selector: a, event: created(config("a", "a"), false), want: []string{"a"}},
		"Start":      {reason: "All machines are enqueued at the start.", selector: a, event: created(config("a", "a"), true)},
		"CreatedFor": {reason: "What was missing was this shard's already.", selector: rest, event: created(config("b", "b"), false)},
		"Gone":       {reason: "What is missing is this shard's.", selector: rest, event: gone(config("a", "a")), want: []string{"a"}},
		"All":        {reason: "Without shards nothing moves.", selector: "", event: updated(config("a", "b"), config("a", "a"))},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kube := sharded(t)
			w := &enqueuer{vitistack: kube, machines: machinesOf(t, kube), shard: shardOf(t, tc.selector), waits: newWaits()}
			q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer q.ShutDown()
			tc.event(w.onProviderConfig(v1alpha1.ClusterProviderConfigKind), q)
			got := map[string]bool{}
			for q.Len() > 0 {
				req, _ := q.Get()
				got[req.Name] = true
			}
			if diff := cmp.Diff(tc.want, slices.Sorted(maps.Keys(got))); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
