// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"

	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// configFor returns the provider configuration that a NetworkConfiguration's reservations go to; the
// zero Ref while it has no place.
func (p policy) configFor(nc *vitistack.NetworkConfiguration, networks []vitistack.NetworkNamespace) connection.Ref {
	if at := p.claimOf(nc, networks).place; at != nil {
		return at.config
	}
	return connection.Ref{}
}

// serves reports whether a NetworkConfiguration is handled here. Exactly one shard handles it: that of
// the place that its reservations go to, which also ends those in other places. They are released in
// Kea by the shard of their own provider configuration.
func (r *reconciler) serves(ctx context.Context, nc *vitistack.NetworkConfiguration, networks networksOf) (bool, error) {
	if r.shard.All() {
		return true, nil
	}
	there, err := networks.in(ctx, nc.Namespace)
	if err != nil {
		return false, err
	}
	return r.shard.Serves(ctx, r.kube, r.policy.configFor(nc, there)) //nolint:wrapcheck // It says what cannot be read.
}

// onProviderConfig enqueues what waits for a provider configuration, and all that it has where the
// shard has got it.
func (w *enqueuer) onProviderConfig(kind string) handler.Funcs {
	changed := func(ctx context.Context, q queue, o client.Object, before, now bool) {
		ref := connection.Ref{Kind: kind, Name: o.GetName()}.In(o.GetNamespace())
		w.waits.notify(ref)
		if now && !before {
			w.placedIn(ctx, ref).enqueue(q)
		}
	}
	has := func(o client.Object) bool { return w.shard.Has(o.GetLabels()) }
	return handler.Funcs{
		CreateFunc: func(ctx context.Context, e event.CreateEvent, q queue) {
			// At the start all are enqueued.
			changed(ctx, q, e.Object, e.IsInInitialList || w.shard.HasMissing(), has(e.Object))
		},
		UpdateFunc: func(ctx context.Context, e event.UpdateEvent, q queue) {
			changed(ctx, q, e.ObjectNew, has(e.ObjectOld), has(e.ObjectNew))
		},
		DeleteFunc: func(ctx context.Context, e event.DeleteEvent, q queue) {
			changed(ctx, q, e.Object, has(e.Object), w.shard.HasMissing())
		},
	}
}

// placedIn returns the NetworkConfigurations whose reservations go to a provider configuration.
func (w *enqueuer) placedIn(ctx context.Context, ref connection.Ref) requests {
	out := requests{}
	networks := newNetworksOf(w.vitistack)
	for _, nc := range w.machines.in(ref.Namespace) {
		there, err := networks.in(ctx, nc.Namespace)
		if err != nil || w.policy.configFor(nc, there) == ref {
			out.add(nc)
		}
	}
	return out
}
