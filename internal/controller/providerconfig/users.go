// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"slices"
	"time"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	xperrors "github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	usage "github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/providerconfig"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	kevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// usersDelay lets many changes of usages be counted at once.
const usersDelay = time.Second

// setupUsers adds crossplane-runtime's controller that counts users and keeps a
// used configuration from being deleted.
func setupUsers(mgr ctrl.Manager, o xpcontroller.Options, gvk schema.GroupVersionKind, newConfig func() config, usages *Usages) error {
	name := usage.ControllerName(gvk.Kind)
	kinds := resource.ProviderConfigKinds{Config: gvk, Usage: v1alpha1.ProviderConfigUsageGroupVersionKind, UsageList: v1alpha1.ProviderConfigUsageListGroupVersionKind}
	r := usage.NewReconciler(countingManager{Manager: mgr, usages: usages.reconciler}, kinds, usage.WithLogger(o.Logger.WithValues("controller", name)),
		usage.WithRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(name)))) //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(newConfig(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{RateLimiter: rateLimiter()}).
		Watches(&v1alpha1.ProviderConfigUsage{}, enqueueUserCount(gvk.Kind)).
		Complete(xperrors.WithSilentRequeueOnConflict(capRequeue(r, usages.reconciler.watching.Load)))
}

// countingManager is a manager with a client that lists usages for a count.
type countingManager struct {
	ctrl.Manager

	usages *usageReconciler
}

// GetClient returns the client.
func (m countingManager) GetClient() client.Client {
	return countingClient{Client: m.Manager.GetClient(), usages: m.usages}
}

// countingClient lists only usages that are a KeaReservation's. Whoever may create a usage in some
// namespace could otherwise keep any ClusterProviderConfig from being deleted.
type countingClient struct {
	client.Client

	usages *usageReconciler
}

// List implements client.Reader.
func (c countingClient) List(ctx context.Context, l client.ObjectList, opts ...client.ListOption) error {
	if err := c.Client.List(ctx, l, opts...); err != nil {
		return err //nolint:wrapcheck // It stands in for the client.
	}
	usages, ok := l.(*v1alpha1.ProviderConfigUsageList)
	if !ok {
		return nil
	}
	var failed error
	usages.Items = slices.DeleteFunc(usages.Items, func(u v1alpha1.ProviderConfigUsage) bool {
		backed, err := c.usages.backed(ctx, &u)
		if err != nil {
			failed = err
		}
		return err == nil && !backed
	})
	if failed != nil {
		return fmt.Errorf("cannot tell which ProviderConfigUsages are those of KeaReservations: %w", failed)
	}
	return nil
}

// capRequeue limits the wait of a reconciler to that of a count. That of
// crossplane-runtime waits half a minute after a conflict, which here is one with
// our own reconciler. Until KeaReservations are watched, forged usages count, and so
// it counts again.
func capRequeue(r reconcile.Reconciler, watching func() bool) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		final := watching()
		res, err := r.Reconcile(ctx, req)
		res.RequeueAfter = min(res.RequeueAfter, usersDelay)
		if err == nil && !final && res.RequeueAfter == 0 {
			res.RequeueAfter = recountInterval
		}
		return res, err
	})
}

// recountInterval is how often usages are counted again while KeaReservations are not watched.
const recountInterval = 10 * time.Second

// enqueueUserCount enqueues the configuration that a usage names, some time after
// the usage was created, changed or deleted: counting reads all usages.
func enqueueUserCount(kind string) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(o client.Object, q queue) {
		u, ok := o.(*v1alpha1.ProviderConfigUsage)
		if !ok || u.ProviderConfigReference.Kind != kind {
			return
		}
		ref := connection.RefOf(u.Namespace, &u.ProviderConfigReference)
		q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}, usersDelay)
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e kevent.CreateEvent, q queue) { add(e.Object, q) },
		DeleteFunc: func(_ context.Context, e kevent.DeleteEvent, q queue) { add(e.Object, q) },
		UpdateFunc: func(_ context.Context, e kevent.UpdateEvent, q queue) { add(e.ObjectOld, q); add(e.ObjectNew, q) },
	}
}
