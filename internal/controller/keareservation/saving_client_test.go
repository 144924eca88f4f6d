// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
)

// TestSavingClient: what crossplane-runtime would write of the status, and what is written.
func TestSavingClient(t *testing.T) {
	isCreating := func(mg *v1alpha1.KeaReservation) { mg.SetConditions(xpv2.Creating(), xpv2.ReconcileSuccess()) }
	ready := reserved("").WithObservedGeneration(3)
	cases := map[string]struct {
		reason string
		// has is what the API server has, and change is what the reconcile makes of it.
		has, change func(*v1alpha1.KeaReservation)
		created     *xpv2.Condition
		// behind means that the cache lacks the provider's last write.
		behind bool
		// failed is the error of the provider's last write.
		failed error
		writes int
		want   xpv2.ConditionReason
	}{
		"Created":      {reason: "What has been read back is Ready with the first write.", change: isCreating, created: &ready, writes: 1, want: v1alpha1.ReasonReserved},
		"NotRead":      {reason: "What could not be read back is being created.", change: isCreating, created: &xpv2.Condition{}, writes: 1, want: xpv2.ReasonCreating},
		"NotReady":     {reason: "What is not as wanted is looked at again first.", change: isCreating, created: new(xpv2.Unavailable()), writes: 1, want: xpv2.ReasonCreating},
		"OtherVersion": {reason: "What was observed of another generation is not reported.", change: isCreating, created: new(ready.WithObservedGeneration(7)), writes: 1, want: xpv2.ReasonCreating},
		"NotCreated":   {reason: "Without a create nothing is replaced.", change: isCreating, writes: 1, want: xpv2.ReasonCreating},
		"Failed": {
			reason: "Nor where something failed after it.", created: &ready, writes: 1, want: xpv2.ReasonCreating,
			change: func(mg *v1alpha1.KeaReservation) {
				mg.SetConditions(xpv2.Creating(), xpv2.ReconcileError(errors.New("boom")))
			},
		},
		"Same": {reason: "What is written already is not written again.", has: isCreating, change: isCreating, want: xpv2.ReasonCreating},
		"SameButBehind": {
			reason: "What the cache has may have been replaced since.", has: isCreating, change: isCreating, behind: true, writes: 1, want: xpv2.ReasonCreating,
		},
		"SameButFailed": {
			reason: "A write that failed may have been carried out.", has: isCreating, change: isCreating, failed: errors.New("timeout"), writes: 1, want: xpv2.ReasonCreating,
		},
		"SameButConflict": {
			reason: "One that was refused was not.", has: isCreating, change: isCreating, want: xpv2.ReasonCreating,
			failed: kerrors.NewConflict(v1alpha1.KeaReservationGroupResource, "a", errors.New("changed")),
		},
	}
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				if tc.has != nil {
					tc.has(mg)
				}
			})
			writes := 0
			kube := fake.NewClientBuilder().WithScheme(s).WithObjects(mg).WithStatusSubresource(mg).WithInterceptorFuncs(interceptor.Funcs{
				SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
					writes++
					return c.SubResource(sub).Update(ctx, o, opts...)
				},
			}).Build()
			c := &savingClient{Client: kube, created: newCreatedSet(), written: cached.NewWrites()}
			key := client.ObjectKeyFromObject(mg)
			if tc.created != nil {
				c.created.add(key, *tc.created)
			}
			if err := c.Get(t.Context(), key, mg); err != nil {
				t.Fatal(err)
			}
			if tc.behind {
				later := mg.DeepCopy()
				later.ResourceVersion = "1000000"
				c.written.Add(later, nil)
			}
			if tc.failed != nil {
				c.written.Add(mg, tc.failed)
			}
			tc.change(mg)
			if err := c.Status().Update(t.Context(), mg); err != nil {
				t.Fatal(err)
			}
			if err := c.Get(t.Context(), key, mg); err != nil {
				t.Fatal(err)
			}
			if got := mg.GetCondition(xpv2.TypeReady).Reason; got != tc.want || writes != tc.writes {
				t.Errorf("%s\nStatus().Update(...): %d writes, Ready has the reason %s, want %d, %s", tc.reason, writes, got, tc.writes, tc.want)
			}
		})
	}
}

// TestReconcileBehind: no reconcile begins with an older version of a resource than the provider wrote.
func TestReconcileBehind(t *testing.T) { synctest.Test(t, testReconcileBehind) }

func testReconcileBehind(t *testing.T) {
	t.Helper()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	mg := wanted(func(*v1alpha1.KeaReservation) {})
	kube := fake.NewClientBuilder().WithScheme(s).WithObjects(mg).Build()
	reconciles := 0
	h := &holdWhileUnusable{
		Reconciler: reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) {
			reconciles++
			return reconcile.Result{}, nil
		}),
		reader: kube, away: func(*v1alpha1.KeaReservation) (some, all bool) { return false, false }, untilTried: func(context.Context, *v1alpha1.KeaReservation) time.Duration { return 0 },
		created: newCreatedSet(), waiting: newResourceSet(), written: cached.NewWrites(),
	}
	request := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)}
	write := func(version string) {
		later := mg.DeepCopy()
		later.ResourceVersion = version
		h.written.Add(later, nil)
	}
	write("1000")
	got, err := h.Reconcile(t.Context(), request)
	if again := got.Requeue; err != nil || !again || reconciles != 0 { //nolint:staticcheck // It is what crossplane-runtime answers, too.
		t.Errorf("The cache gets the write later: others have their turn, and the backoff goes on.\nReconcile(...): %+v, %v after %d reconciles", got, err, reconciles)
	}
	time.AfterFunc(20*time.Millisecond, func() {
		mg.Labels = map[string]string{"a": "b"}
		if err := kube.Update(t.Context(), mg); err != nil {
			t.Error(err)
		}
	})
	if got, err := h.Reconcile(t.Context(), request); err != nil || got.RequeueAfter > 0 || reconciles != 1 {
		t.Errorf("The cache gets the write in a moment.\nReconcile(...): %+v, %v after %d reconciles", got, err, reconciles)
	}
	write("2000")
	if err := kube.Delete(t.Context(), mg); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Reconcile(t.Context(), request); err != nil || h.written.NewerThan(mg) {
		t.Errorf("Reconcile(...) of a resource that is gone: %v, its version is kept: %t", err, h.written.NewerThan(mg))
	}
}

type reasons struct{ of *[]event.Reason }

func (r reasons) Event(_ runtime.Object, e event.Event)      { *r.of = append(*r.of, e.Reason) }
func (r reasons) WithAnnotations(_ ...string) event.Recorder { return r }

// TestQuietRecorder: what a person has to know is recorded, and what is only a step is not.
func TestQuietRecorder(t *testing.T) {
	var got []event.Reason
	r := newQuietRecorder(reasons{&got}).WithAnnotations("external-name", "a")
	for _, e := range []event.Event{
		event.Normal(reasonCreated, "Successfully requested creation of external resource"),
		event.Normal(reasonUpdated, "Successfully requested update of external resource"),
		event.Normal("DeletedExternalResource", "Successfully requested deletion of external resource"),
		event.Warning("CannotCreateExternalResource", errors.New("boom")),
	} {
		r.Event(&v1alpha1.KeaReservation{}, e)
	}
	if diff := cmp.Diff([]event.Reason{reasonUpdated, "DeletedExternalResource", "CannotCreateExternalResource"}, got); diff != "" {
		t.Errorf("events: -want, +got:\n%s", diff)
	}

	got = nil
	for range 10 * updatesAtOnce {
		r.Event(&v1alpha1.KeaReservation{}, event.Normal(reasonUpdated, "Successfully requested update of external resource"))
	}
	if len(got) < updatesAtOnce-1 || len(got) > 2*updatesAtOnce {
		t.Errorf("a fleet that is put back: %d events, want about %d", len(got), updatesAtOnce)
	}
}
