// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// cacheOf returns a cache with resources.
func cacheOf(t *testing.T, mgs ...*v1alpha1.KeaReservation) Reservations {
	t.Helper()
	store := toolscache.NewIndexer(toolscache.MetaNamespaceKeyFunc, toolscache.Indexers{toolscache.NamespaceIndex: toolscache.MetaNamespaceIndexFunc})
	for _, i := range indexers() {
		if err := store.AddIndexers(i); err != nil {
			t.Fatal(err)
		}
	}
	for _, mg := range mgs {
		if err := store.Add(mg); err != nil {
			t.Fatal(err)
		}
	}
	return Reservations{store}
}

// TestStateMetrics: the metrics are those of crossplane-runtime's recorder, whose dashboards people
// have.
func TestStateMetrics(t *testing.T) {
	r := func(name string, conditions ...xpv2.Condition) *v1alpha1.KeaReservation {
		mg := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		mg.SetConditions(conditions...)
		return mg
	}
	all := cacheOf(t, r("new"), r("waits", xpv2.Unavailable(), xpv2.ReconcileSuccess()), r("fine", xpv2.Available(), xpv2.ReconcileSuccess()))
	metrics := statemetrics.NewMRStateMetrics()
	(&stateRecorder{all: func(context.Context) []*v1alpha1.KeaReservation { return all.all() }, metrics: metrics}).record(t.Context())
	registry := prometheus.NewRegistry()
	registry.MustRegister(metrics)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			for _, l := range m.GetLabel() {
				got[f.GetName()+" "+l.GetName()+" "+l.GetValue()] = m.GetGauge().GetValue()
			}
		}
	}
	want := map[string]float64{
		"crossplane_managed_resource_exists gvk kea.crossplane.io/v1alpha1, Kind=KeaReservation": 3,
		"crossplane_managed_resource_ready gvk kea.crossplane.io/v1alpha1, Kind=KeaReservation":  1,
		"crossplane_managed_resource_synced gvk kea.crossplane.io/v1alpha1, Kind=KeaReservation": 2,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record(): -want, +got:\n%s", diff)
	}
}
