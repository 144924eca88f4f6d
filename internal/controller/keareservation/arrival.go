// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"time"

	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// headStart is what the look for the lease of a new resource gets before the
// resource is reconciled without it. Those that come together share one look.
const headStart = 500 * time.Millisecond

// arrival enqueues KeaReservations. For a new one without an address it has Kea
// asked for the device's lease beforehand: a device that has one is pinned in one
// go, and nobody is told first that it waits.
type arrival struct {
	handler.EnqueueRequestForObject

	connections *providerconfig.Connections
	waker       *waker
}

// Create implements handler.EventHandler.
func (a *arrival) Create(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	if mg, ok := e.Object.(*v1alpha1.KeaReservation); ok && !e.IsInInitialList && mg.Spec.ForProvider.IPAddress == "" && a.expect(mg) {
		// The lease brings the resource into the queue, see waker; this is for those
		// without one.
		q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)}, headStart)
		return
	}
	a.EnqueueRequestForObject.Create(ctx, e, q)
}

// Delete implements handler.EventHandler. A resource may go without having been
// observed to be deleted: with a management policy that leaves Kea alone.
func (a *arrival) Delete(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	if mg, ok := e.Object.(*v1alpha1.KeaReservation); ok {
		a.forget(mg)
		a.yield(mg)
	}
	a.EnqueueRequestForObject.Delete(ctx, e, q)
}

// Update implements handler.EventHandler.
func (a *arrival) Update(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	before, ok := e.ObjectOld.(*v1alpha1.KeaReservation)
	if now, isNow := e.ObjectNew.(*v1alpha1.KeaReservation); ok && isNow {
		moved := refOf(before) != refOf(now)
		if moved {
			a.forget(before)
		}
		if moved || !adopts(now) || !acts(now) {
			a.yield(before)
		}
	}
	a.EnqueueRequestForObject.Update(ctx, e, q)
}

// yield wakes those who would take over what a resource had the first right to.
func (a *arrival) yield(mg *v1alpha1.KeaReservation) {
	if !adopts(mg) {
		return
	}
	if hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress); err == nil {
		a.waker.notify(refOf(mg), group.Touched{HWAddresses: map[kea.HWAddress]struct{}{hw: {}}})
	}
}

// forget has the group forget what it remembers for a resource.
func (a *arrival) forget(mg *v1alpha1.KeaReservation) {
	if in, err := intentOf(mg); err == nil {
		if g, ok := a.connections.Open(refOf(mg)); ok {
			g.Forget(in)
		}
	}
}

// expect has the group ask for the device's lease, if that is what is missing.
func (a *arrival) expect(mg *v1alpha1.KeaReservation) bool {
	g, ok := a.connections.Open(refOf(mg))
	if !ok {
		return false
	}
	in, err := intentOf(mg)
	if err != nil {
		return false
	}
	return g.Expect(in)
}
