// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// stateRecorder sets crossplane-runtime's metrics of how many KeaReservations there are, and how many
// are ready and synced. crossplane-runtime's own recorder lists copies of all of them, and keeps
// these until it lists them again: more memory than the cache.
type stateRecorder struct {
	all      func(context.Context) []*v1alpha1.KeaReservation
	metrics  *statemetrics.MRStateMetrics
	interval time.Duration
}

// Start implements manager.Runnable.
func (r *stateRecorder) Start(ctx context.Context) error {
	tick := time.NewTicker(r.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			r.record(ctx)
		}
	}
}

func (r *stateRecorder) record(ctx context.Context) {
	all := r.all(ctx)
	ready, synced := 0, 0
	for _, mg := range all {
		if mg.GetCondition(xpv2.TypeReady).Status == corev1.ConditionTrue {
			ready++
		}
		if mg.GetCondition(xpv2.TypeSynced).Status == corev1.ConditionTrue {
			synced++
		}
	}
	kind := v1alpha1.KeaReservationGroupVersionKind.String()
	r.metrics.Exists.WithLabelValues(kind).Set(float64(len(all)))
	r.metrics.Ready.WithLabelValues(kind).Set(float64(ready))
	r.metrics.Synced.WithLabelValues(kind).Set(float64(synced))
}
