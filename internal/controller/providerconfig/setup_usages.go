// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"sync"

	xperrors "github.com/crossplane/crossplane-runtime/v2/pkg/errors"
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
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/gate"
)

// Usages is the controller that deletes ProviderConfigUsages. Its methods may be called at the same
// time.
type Usages struct {
	mgr        ctrl.Manager
	reconciler *usageReconciler

	mu         sync.Mutex // guards controller, and is held while it is made
	controller controller.Controller
}

// SetupUsages has the gate add the controller that deletes ProviderConfigUsages to the manager,
// once their kind is served. It runs without a CRD of KeaReservations, too: usages may be left from
// one that was deleted.
func SetupUsages(mgr ctrl.Manager, g *gate.Gate) *Usages {
	u := &Usages{mgr: mgr, reconciler: &usageReconciler{client: mgr.GetClient(), crdExists: crdExists(mgr.GetAPIReader())}}
	g.AddOnce(gate.Part{
		Name: v1alpha1.ProviderConfigUsageKind + "s",
		Need: gate.Need{CRDs: []gate.CRD{gate.ProviderConfigUsages}, Permissions: gate.MayWatch(gate.ProviderConfigUsages.GroupResource())},
		Run:  func(ctx context.Context, _ gate.CRDs) error { return u.Start(ctx) },
	})
	return u
}

// Watch has the controller, which was started before, watch KeaReservations, which must be in the
// cache by now.
func (u *Usages) Watch() error {
	u.mu.Lock()
	defer u.mu.Unlock()
	gone := handler.Funcs{DeleteFunc: func(_ context.Context, e kevent.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		q.Add(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: e.Object.GetNamespace(), Name: string(e.Object.GetUID())}})
	}}
	if err := u.controller.Watch(source.Kind[client.Object](u.mgr.GetCache(), &v1alpha1.KeaReservation{}, gone)); err != nil {
		return fmt.Errorf("cannot watch KeaReservations for their ProviderConfigUsages: %w", err)
	}
	u.reconciler.watching.Store(true)
	return nil
}

// Start adds the controller to the manager, unless that was done before. It blocks until the cache
// is filled, two minutes at most, and may be called again after an error.
func (u *Usages) Start(ctx context.Context) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.controller != nil {
		return nil
	}
	if err := fillCache(ctx, u.mgr.GetCache(), &v1alpha1.ProviderConfigUsage{}); err != nil {
		return err
	}
	deleting := predicate.NewPredicateFuncs(func(o client.Object) bool { return o.GetDeletionTimestamp() != nil })
	c, err := ctrl.NewControllerManagedBy(u.mgr).
		Named("providerconfigusage").
		For(&v1alpha1.ProviderConfigUsage{}, builder.WithPredicates(deleting)).
		WithOptions(controller.Options{RateLimiter: rateLimiter()}).
		Build(xperrors.WithSilentRequeueOnConflict(u.reconciler))
	if err != nil {
		return fmt.Errorf("cannot set up the controller of ProviderConfigUsage: %w", err)
	}
	u.controller = c
	return nil
}
