// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
)

func TestHoldWhileUnusable(t *testing.T) {
	const poll = 30 * time.Minute
	boom := errors.New("boom")
	again := reconcile.Result{Requeue: true} //nolint:staticcheck // See holdWhileUnusable.
	cases := map[string]struct {
		reason string
		res    reconcile.Result
		err    error
		// some and all servers are away.
		some, all bool
		waits     bool
		// untried is how long the servers may yet take to be read for the first time.
		untried time.Duration
		change  func(*v1alpha1.KeaReservation)
		// least and most are the bounds of the rest; zero where res is passed on.
		least, most time.Duration
	}{
		"Unusable": {reason: "What cannot be done is tried again with the next poll, or when it can be.", res: again, some: true, all: true, least: poll, most: poll * 11 / 10},
		"Untold": {
			reason: "What has not been told is.", res: again, some: true, all: true,
			change: func(mg *v1alpha1.KeaReservation) { mg.SetConditions(xpv2.ReconcileSuccess()) },
		},
		"NothingToDelete": {
			reason: "What goes without Kea is let go.", res: again, some: true, all: true,
			change: func(mg *v1alpha1.KeaReservation) {
				mg.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionObserve}
				mg.DeletionTimestamp, mg.Finalizers = &metav1.Time{Time: someTime}, []string{"here"}
			},
		},
		"Usable": {reason: "What has failed for another reason is tried again soon.", res: again, some: true},
		"Waits": {
			reason: "What waits for one server of several is enqueued when that is back.", res: again, some: true, waits: true,
			least: poll, most: poll * 11 / 10,
		},
		"Returned": {reason: "If it has come back meanwhile, nothing enqueues it.", res: again, waits: true},
		"Untried": {
			reason: "Before the servers have been read, nothing is done, and no worker waits.", err: nil, untried: time.Second,
			least: time.Second, most: time.Second,
		},
		"Done":   {reason: "What has been done is polled as ever.", res: reconcile.Result{RequeueAfter: time.Minute}},
		"Failed": {reason: "An error is passed on.", err: boom},
	}
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) { mg.SetConditions(xpv2.ReconcileError(boom)) })
			if tc.change != nil {
				tc.change(mg)
			}
			reader := fake.NewClientBuilder().WithScheme(s).WithObjects(mg).Build()
			inner := reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) { return tc.res, tc.err })
			waiting := newResourceSet()
			if tc.waits {
				waiting.add(client.ObjectKeyFromObject(mg))
			}
			p := &holdWhileUnusable{created: newCreatedSet(), written: cached.NewWrites(), waiting: waiting, Reconciler: inner, reader: reader, poll: poll, away: func(*v1alpha1.KeaReservation) (some, all bool) { return tc.some, tc.all }, untilTried: func(context.Context, *v1alpha1.KeaReservation) time.Duration { return tc.untried }}
			got, err := p.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)})
			if !errors.Is(err, tc.err) {
				t.Errorf("%s\nReconcile(...): %v", tc.reason, err)
			}
			got.Priority = nil // TestPriorities
			if tc.most == 0 && got != tc.res {
				t.Errorf("%s\nReconcile(...): %+v, want %+v", tc.reason, got, tc.res)
			}
			if tc.most != 0 && (got.Requeue || got.RequeueAfter < tc.least || got.RequeueAfter > tc.most) { //nolint:staticcheck // See holdWhileUnusable.
				t.Errorf("%s\nReconcile(...): %+v, want a rest of %s to %s", tc.reason, got, tc.least, tc.most)
			}
		})
	}
}

// TestPriorities: what is new goes before what is tried again, and that before what is polled.
func TestPriorities(t *testing.T) {
	again := reconcile.Result{Requeue: true} //nolint:staticcheck // See holdWhileUnusable.
	cases := map[string]struct {
		reason string
		res    reconcile.Result
		err    error
		// created means that the reservation has just been made.
		created bool
		want    *int
	}{
		"Failed":  {reason: "A retry is not new.", err: errors.New("boom"), want: new(prioritySingle)},
		"Again":   {reason: "A retry is not new.", res: again, want: new(prioritySingle)},
		"Polled":  {reason: "Most polls find nothing.", res: reconcile.Result{RequeueAfter: time.Hour}, want: new(priorityMany)},
		"Created": {reason: "What has just been made is about to be Ready.", res: again, created: true},
		"Done":    {reason: "Nothing is left to do."},
	}
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(*v1alpha1.KeaReservation) {})
			h := &holdWhileUnusable{
				Reconciler: reconcile.Func(func(context.Context, reconcile.Request) (reconcile.Result, error) { return tc.res, tc.err }),
				reader:     fake.NewClientBuilder().WithScheme(s).WithObjects(mg).Build(), poll: time.Hour,
				away: func(*v1alpha1.KeaReservation) (some, all bool) { return false, false }, untilTried: func(context.Context, *v1alpha1.KeaReservation) time.Duration { return 0 },
				created: newCreatedSet(), written: cached.NewWrites(), waiting: newResourceSet(),
			}
			if tc.created {
				h.created.add(client.ObjectKeyFromObject(mg), xpv2.Condition{})
			}
			got, _ := h.Reconcile(t.Context(), reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)})
			if diff := cmp.Diff(tc.want, got.Priority); diff != "" {
				t.Errorf("%s\npriority: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestUntilConfigured: a resource and its provider configuration may be created together, and nothing is
// wrong with that.
func TestUntilConfigured(t *testing.T) {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	config := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	for name, tc := range map[string]struct {
		reason  string
		created time.Time
		deleted bool
		configs []client.Object
		want    time.Duration
	}{
		"Together": {reason: "The configuration may be there in a moment.", created: time.Now(), want: configPoll},
		"There":    {reason: "Nothing is missing.", created: time.Now(), configs: []client.Object{config}},
		"Missing":  {reason: "After a while its absence is reported.", created: time.Now().Add(-time.Hour)},
		"Ahead":    {reason: "So it is where the API server's clock is ahead.", created: time.Now().Add(time.Hour)},
		"Deleted":  {reason: "What goes does not wait for it.", created: time.Now(), deleted: true},
	} {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				mg.CreationTimestamp = metav1.NewTime(tc.created)
				mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
				if tc.deleted {
					mg.DeletionTimestamp = &metav1.Time{Time: tc.created}
				}
			})
			kube := fake.NewClientBuilder().WithScheme(s).WithObjects(tc.configs...).Build()
			if got := untilTried(connection.NewGroups(), kube)(t.Context(), mg); got != tc.want {
				t.Errorf("%s\nuntilTried(...): %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}
