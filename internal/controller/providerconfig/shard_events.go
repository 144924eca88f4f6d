// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/connection"
)

// handOver is how long a provider configuration that comes from another process's shard is left alone:
// that process sees the new labels at about the same time, sends no further commands then, and waits
// no longer than this for the answers to those that it has sent, unless Kea hangs.
const handOver = 5 * time.Second

// changes returns a predicate that lets updates of provider configurations pass which change the spec,
// or whether the configuration is in the shard.
func changes(shard connection.Shard) predicate.Predicate {
	moves := predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return shard.Has(e.ObjectOld.GetLabels()) != shard.Has(e.ObjectNew.GetLabels())
	}}
	return predicate.Or[client.Object](predicate.GenerationChangedPredicate{}, moves)
}

// shardEvents enqueues provider configurations, those that come from another shard with a delay.
type shardEvents struct {
	handler.EnqueueRequestForObject

	shard connection.Shard
}

// Update implements handler.EventHandler.
func (h *shardEvents) Update(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	if !h.shard.Has(e.ObjectOld.GetLabels()) && h.shard.Has(e.ObjectNew.GetLabels()) {
		q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(e.ObjectNew)}, handOver)
		return
	}
	h.EnqueueRequestForObject.Update(ctx, e, q)
}
