// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"slices"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// served is the KeaReservations that this process serves: those whose provider configuration is in its
// shard. The others are another process's, also while they are being deleted.
type served struct {
	shard connection.Shard
	// reader has provider configurations from a cache.
	reader client.Reader
}

// has reports whether a KeaReservation is served here.
func (s served) has(ctx context.Context, mg *v1alpha1.KeaReservation) (bool, error) {
	return s.shard.Serves(ctx, s.reader, connection.RefOf(mg)) //nolint:wrapcheck // It says what cannot be read.
}

// mayHave reports whether a KeaReservation is served here, or may be.
func (s served) mayHave(ctx context.Context, mg *v1alpha1.KeaReservation) bool {
	has, err := s.has(ctx, mg)
	return has || err != nil
}

// onGone wakes what refers to a provider configuration of another shard that is gone: what is missing
// may be reported here. That a configuration has come here is notified when it has been opened.
func (s served) onGone(kind string, notify func(connection.Ref, mirror.Changes)) handler.EventHandler {
	return handler.Funcs{DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		if s.shard.HasMissing() && !s.shard.Has(e.Object.GetLabels()) {
			notify(connection.Ref{Kind: kind, Namespace: e.Object.GetNamespace(), Name: e.Object.GetName()}, mirror.Changes{Everything: true})
		}
	}}
}

// only returns those that are served here, for metrics: the sum over all processes counts each of them
// once.
func (s served) only(ctx context.Context, all []*v1alpha1.KeaReservation) []*v1alpha1.KeaReservation {
	if s.shard.All() {
		return all
	}
	return slices.DeleteFunc(all, func(mg *v1alpha1.KeaReservation) bool { return !s.mayHave(ctx, mg) })
}
