// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

const uid = "0ddba11"

func reservation() *v1alpha1.KeaReservation {
	r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "vm01", UID: uid}}
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
	return r
}

func clientOf(t *testing.T, objects ...client.Object) client.Client {
	t.Helper()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	return fake.NewClientBuilder().WithScheme(s).WithObjects(objects...).Build()
}

func usageIn(t *testing.T, c client.Client) *v1alpha1.ProviderConfigUsage {
	t.Helper()
	u := &v1alpha1.ProviderConfigUsage{}
	if err := client.IgnoreNotFound(c.Get(t.Context(), types.NamespacedName{Namespace: "ns", Name: uid}, u)); err != nil {
		t.Fatal(err)
	}
	return u
}

func TestUsageOf(t *testing.T) {
	t.Parallel()
	yes := true
	want := &v1alpha1.ProviderConfigUsage{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "ns", Name: uid, Finalizers: []string{"kea.crossplane.io/usage"},
			Labels: map[string]string{"crossplane.io/provider-config-kind": "ClusterProviderConfig", "crossplane.io/provider-config": "default"},
			OwnerReferences: []metav1.OwnerReference{{
				// A foreground deletion would wait for what blocks it.
				APIVersion: "kea.crossplane.io/v1alpha1", Kind: "KeaReservation", Name: "vm01", UID: uid, Controller: &yes, BlockOwnerDeletion: nil,
			}},
		},
		TypedProviderConfigUsage: xpv2.TypedProviderConfigUsage{
			ProviderConfigReference: xpv2.ProviderConfigReference{Kind: "ClusterProviderConfig", Name: "default"},
			ResourceReference:       xpv2.TypedReference{APIVersion: "kea.crossplane.io/v1alpha1", Kind: "KeaReservation", Name: "vm01"},
		},
	}
	if diff := cmp.Diff(want, usageOf(reservation())); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTrack(t *testing.T) {
	t.Parallel()
	c := clientOf(t)
	r := reservation()
	pc := &v1alpha1.ClusterProviderConfig{}
	going := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{DeletionTimestamp: new(metav1.Now())}}
	refused := func() {
		t.Helper()
		if err := Track(t.Context(), c, r, going); !hasText(err, "which is being deleted") {
			t.Errorf("use of a configuration that is being deleted begins: %v", err)
		}
	}
	refused()
	track := func() *v1alpha1.ProviderConfigUsage {
		t.Helper()
		if err := Track(t.Context(), c, r, pc); err != nil {
			t.Fatal(err)
		}
		return usageIn(t, c)
	}
	first := track()
	if first.ProviderConfigReference.Name != "default" {
		t.Fatalf("the usage is not made: %+v", first)
	}
	if err := Track(t.Context(), c, r, going); err != nil {
		t.Errorf("use of a configuration that is being deleted does not go on: %v", err)
	}
	if second := track(); second.ResourceVersion != first.ResourceVersion {
		t.Error("a usage that is right was written")
	}
	r.Spec.ProviderConfigReference.Name = "other"
	refused()
	if third := track(); third.ProviderConfigReference.Name != "other" || third.Labels[xpv2.LabelKeyProviderName] != "other" {
		t.Errorf("the usage does not follow its reservation: %+v", third)
	}
}

func TestUsageReconciler(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	cases := map[string]struct {
		reason  string
		mg      *v1alpha1.KeaReservation
		deleted bool
		// unwatched tells that KeaReservations are not watched, and kind and err what
		// the API server answers about their CRD.
		unwatched bool
		kind      bool
		err       error
		there     bool
	}{
		"InUse":         {reason: "A usage that nobody deletes stays.", mg: reservation(), there: true},
		"Left":          {reason: "A usage that nobody deletes goes with its reservation.", there: false},
		"LeftUnwatched": {reason: "It stays while nobody knows about its reservation.", unwatched: true, kind: true, there: true},
		"OwnerThere":    {reason: "A usage outlives the finalizer of its reservation.", mg: reservation(), deleted: true, there: true},
		"OwnerGone":     {reason: "A usage goes with its reservation.", deleted: true},
		"OtherOfName":   {reason: "Another reservation of the name is not the one.", mg: func() *v1alpha1.KeaReservation { r := reservation(); r.UID = "another"; return r }(), deleted: true},
		"KindUnwatched": {reason: "Nobody knows about its reservation yet.", deleted: true, unwatched: true, kind: true, there: true},
		"KindUnknown":   {reason: "Nobody knows about the kind.", deleted: true, unwatched: true, err: refused, there: true},
		"KindGone":      {reason: "A usage whose kind is gone has no reservation.", deleted: true, unwatched: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := []client.Object{usageOf(reservation())}
			if tc.mg != nil {
				objects = append(objects, tc.mg)
			}
			c := clientOf(t, objects...)
			if tc.deleted {
				if err := c.Delete(t.Context(), usageOf(reservation())); err != nil {
					t.Fatal(err)
				}
			}
			r := &usageReconciler{client: c, crdExists: func(context.Context) (bool, error) { return tc.kind, tc.err }}
			r.watching.Store(!tc.unwatched)
			req := ctrl.Request{NamespacedName: types.NamespacedName{Namespace: "ns", Name: uid}}
			for range 2 { // The second finds what the first has left.
				if _, err := r.Reconcile(t.Context(), req); !errors.Is(err, tc.err) {
					t.Fatalf("%s\n%v", tc.reason, err)
				}
			}
			if got := usageIn(t, c).Name != ""; got != tc.there {
				t.Errorf("%s\nit is there: %v", tc.reason, got)
			}
		})
	}
}
