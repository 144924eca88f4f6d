// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"slices"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// leaseLookupHeadStart is how long a new resource is held back while Kea is asked for its lease.
// Resources that come together share one lookup.
const leaseLookupHeadStart = 500 * time.Millisecond

// eventHandler enqueues KeaReservations. For a new one without an address it first has Kea asked
// for the device's lease: a device that has one is pinned at once, without a status that says it
// waits.
type eventHandler struct {
	handler.EnqueueRequestForObject

	groups *connection.Groups
	waker  *waker
	here   served
	reader client.Reader
	labels labeler
	// written is what a reconcile forgets of a resource that is gone.
	written *cached.Writes
}

// enqueues lets updates pass that concern the resource itself: status changes are our own doing,
// and would defeat the backoff.
var enqueues = resource.DesiredStateChanged()

// concerns lets updates pass that concern the resource itself, or those that would take over what
// it has the first right to.
var concerns = predicate.Or(enqueues, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	before, ok := e.ObjectOld.(*v1alpha1.KeaReservation)
	now, isNow := e.ObjectNew.(*v1alpha1.KeaReservation)
	return ok && isNow && claimOf(before) != claimOf(now)
}})

// Create implements handler.EventHandler.
func (h *eventHandler) Create(ctx context.Context, e event.CreateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	mg, ok := e.Object.(*v1alpha1.KeaReservation)
	if ok && !h.here.mayHave(ctx, mg) {
		return
	}
	if ok && !e.IsInInitialList && mg.Spec.ForProvider.IPAddress == "" && h.expect(ctx, mg) {
		// The lease enqueues the resource, see waker; this is for devices without one.
		q.AddAfter(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)}, leaseLookupHeadStart)
		return
	}
	h.EnqueueRequestForObject.Create(ctx, e, q)
}

// Delete implements handler.EventHandler. A resource may be gone without having been observed as
// deleted: with a management policy that leaves Kea alone.
func (h *eventHandler) Delete(ctx context.Context, e event.DeleteEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	if mg, ok := e.Object.(*v1alpha1.KeaReservation); ok {
		if !h.here.mayHave(ctx, mg) {
			h.written.Forget(client.ObjectKeyFromObject(mg))
			return
		}
		h.forget(mg)
		h.wakeDevice(mg)
	}
	h.EnqueueRequestForObject.Delete(ctx, e, q)
}

// Update implements handler.EventHandler.
func (h *eventHandler) Update(ctx context.Context, e event.UpdateEvent, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	before, ok := e.ObjectOld.(*v1alpha1.KeaReservation)
	if now, isNow := e.ObjectNew.(*v1alpha1.KeaReservation); ok && isNow {
		moved := connection.RefOf(before) != connection.RefOf(now)
		if moved {
			h.forget(before)
		}
		if moved || claimOf(before) > claimOf(now) {
			h.wakeRivals(before)
		}
	}
	if enqueues.Update(e) && h.concernsShard(ctx, e) {
		h.EnqueueRequestForObject.Update(ctx, e, q)
	}
}

// concernsShard reports whether a version of a resource is served here.
func (h *eventHandler) concernsShard(ctx context.Context, e event.UpdateEvent) bool {
	return slices.ContainsFunc([]client.Object{e.ObjectOld, e.ObjectNew}, func(o client.Object) bool {
		mg, ok := o.(*v1alpha1.KeaReservation)
		return !ok || h.here.mayHave(ctx, mg)
	})
}

// wakeRivals enqueues the resources that would take over what this one had the first right to.
func (h *eventHandler) wakeRivals(mg *v1alpha1.KeaReservation) {
	if adopts(mg) {
		h.wakeDevice(mg)
	}
}

// wakeDevice enqueues all resources of a device, whatever configuration they reach its servers by.
func (h *eventHandler) wakeDevice(mg *v1alpha1.KeaReservation) {
	hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
	if err != nil {
		return
	}
	for _, ref := range h.groups.Sharing(connection.RefOf(mg)) {
		h.waker.notify(ref, mirror.Changes{HWAddresses: map[kea.HWAddress]string{hw: ""}})
	}
}

// forget has the group drop what it remembers for a resource. It remembers nothing for one that may
// not use its subnet, but may do so for another one of the device.
func (h *eventHandler) forget(mg *v1alpha1.KeaReservation) {
	if !allowedBefore(mg) {
		return
	}
	if in, err := intentOf(mg); err == nil {
		if g, ok := h.groups.Running(connection.RefOf(mg)); ok {
			g.Forget(in)
		}
	}
}

// expect has the group ask for the device's lease, and reports whether that is what is missing. It
// does not for a resource that may not use its subnet.
func (h *eventHandler) expect(ctx context.Context, mg *v1alpha1.KeaReservation) bool {
	g, ok := h.groups.Running(connection.RefOf(mg))
	if !ok {
		return false
	}
	in, err := intentOf(mg)
	if err != nil {
		return false
	}
	pc, err := configOf(ctx, h.reader, connection.RefOf(mg))
	if err != nil {
		return false
	}
	if in.Grant, err = grantOf(ctx, pc, mg.GetNamespace(), h.labels); err != nil || in.Denied() {
		return false
	}
	return g.Expect(in)
}
