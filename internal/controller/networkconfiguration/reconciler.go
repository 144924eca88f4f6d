// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"k8s.io/apimachinery/pkg/api/equality"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/keareservation"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// conflictRetry is how soon a write is tried again after another client's write
// came first. The cache has that write by then.
const conflictRetry = 250 * time.Millisecond

// A reconciler brings one NetworkConfiguration's KeaReservations and status up
// to date. It may run for several NetworkConfigurations at the same time.
type reconciler struct {
	// vitistack reads NetworkConfigurations and NetworkNamespaces, kube reads
	// KeaReservations, both from caches; kube also writes.
	vitistack client.Reader
	kube      client.Client
	// machines and reservations find the same by their indexes.
	machines     machines
	reservations keareservation.Reservations

	// written has what the controller wrote of NetworkConfigurations, which comes back with the cache.
	written *cached.Writes

	policy policy
	shard  connection.Shard
	// places returns what is known about places while its context lasts.
	places func(context.Context) places
	waits  *waits
	guard  *guard
	events *onceRecorder
	log    logging.Logger

	// allocation is true if the CRD of NetworkConfigurations has the fields that
	// vitistack/common added.
	allocation bool

	now func() time.Time
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	nc := &vitistack.NetworkConfiguration{}
	switch err := r.written.Get(ctx, r.vitistack, req.NamespacedName, nc, client.UnsafeDisableDeepCopy); {
	case kerrors.IsNotFound(err):
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	case kerrors.IsConflict(err):
		// With the backoff: it has kept a worker from others for a second.
		return reconcile.Result{Requeue: true}, nil //nolint:staticcheck // No fixed time is right for it.
	case err != nil:
		return reconcile.Result{}, fmt.Errorf("cannot get NetworkConfiguration: %w", err)
	}

	// Who serves it and what is done about it follow from one reading of the networks.
	networks := newNetworksOf(r.vitistack)
	has, err := r.serves(ctx, nc, networks)
	switch {
	case err != nil:
		return reconcile.Result{}, err
	case !has:
		// What is held is so by another process now, which reads it in the status.
		r.forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	r.waits.clear(req.NamespacedName)
	// Nothing is done with an incomplete situation: a reservation might seem to
	// have no owner.
	s, err := r.situationOf(ctx, nc, networks)
	if err != nil {
		return reconcile.Result{}, err
	}
	after, err := r.execute(ctx, s, r.plan(ctx, s))
	if kerrors.IsConflict(err) {
		r.log.Debug("Another client wrote first", "namespace", req.Namespace, "name", req.Name, "error", err)
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return reconcile.Result{RequeueAfter: after}, err
}

// forget drops what is remembered of a NetworkConfiguration that is gone.
func (r *reconciler) forget(nc types.NamespacedName) {
	r.events.forget(nc)
	r.waits.clear(nc)
	r.guard.forget(nc)
	r.written.Forget(nc)
}

// plan decides what to do in a situation, and which removals of it are held.
func (r *reconciler) plan(ctx context.Context, s *situation) plan {
	nc := client.ObjectKeyFromObject(s.nc)
	known := r.places(ctx)
	out := r.policy.decide(s)
	if meta.WasDeleted(s.nc) {
		return out
	}
	confirmed := func(ref connection.Ref) bool {
		if nn, _ := networkOf(s.nc, s.networks); nn != nil && confirmsRemovals(nn) {
			return true
		}
		r.waits.add(nc, ref)
		return known.confirms(ref)
	}
	count := func(ref connection.Ref) int { return len(r.reservations.Of(ref)) }
	out.remove, out.held = r.guard.split(nc, out.remove, removalsHeld(s.nc), r.now(), confirmed, count)
	return out
}

// execute carries out a plan and writes the status. It returns how long a status is held
// that is not worth a write yet; 0 if none is.
func (r *reconciler) execute(ctx context.Context, s *situation, p plan) (time.Duration, error) {
	switch {
	case meta.WasDeleted(s.nc) && !servedByOther(s.nc):
		// The garbage collector deletes its KeaReservations once it is gone, and
		// each of them is gone when Kea has removed its reservation. No other
		// component removes kea-operator's finalizers.
		return 0, r.removeFinalizers(ctx, s.nc)
	case !p.claim.ours:
		return 0, r.release(ctx, s, p)
	}

	held := r.guard.heldText(s, p)
	failed, err := r.applyPlan(ctx, s.nc, p)
	status := statusOf(s, p, failed, held, r.now())
	if !r.allocation {
		status.NetworkInterfaces = vitistack.WithoutAllocation(status.NetworkInterfaces)
	}
	r.events.record(s.nc, eventsOf(s, p, held, unlessConflict(err)))
	if after := untilWorthReporting(s, p, r.now()); after > 0 && err == nil && held == "" {
		return after, nil
	}
	// The status is written also after an error: it says what failed.
	statusErr := r.writeStatus(ctx, s.nc, status)
	if err == nil {
		return 0, statusErr // unwrapped, so that a conflict is seen
	}
	return 0, errors.Join(err, statusErr)
}

// unlessConflict returns an error, nil if it is a conflict: that is worth no event, as the write is
// tried again in a moment.
func unlessConflict(err error) error {
	if kerrors.IsConflict(err) {
		return nil
	}
	return err
}

// release deletes the KeaReservations of a NetworkConfiguration that is not, or no
// longer, the provider's. The NetworkConfiguration itself is not touched, but for
// two things: kea-operator's finalizers on one that was the provider's until now, as
// no other controller removes them, and the condition about what is held.
func (r *reconciler) release(ctx context.Context, s *situation, p plan) error {
	// The condition may be there, although the cache does not have it.
	mayHold := removalsHeld(s.nc) || r.written.IsUnknown(client.ObjectKeyFromObject(s.nc))
	if len(s.owned) == 0 && !mayHold {
		return nil
	}
	// Before the reservations go: they are the evidence that it was the provider's.
	if len(p.held) == 0 {
		if err := r.removeFinalizers(ctx, s.nc); err != nil {
			return err
		}
	}
	held := r.guard.heldText(s, p)
	_, err := r.applyPlan(ctx, s.nc, p)
	if held != "" || mayHold {
		err = errors.Join(err, r.writeStatus(ctx, s.nc, withRemovalsHeld(*s.nc.Status.DeepCopy(), s.nc.Generation, held, r.now())))
		r.events.record(s.nc, heldEvents(held))
	}
	return err
}

// removeFinalizers removes kea-operator's finalizers, if they are there.
func (r *reconciler) removeFinalizers(ctx context.Context, nc *vitistack.NetworkConfiguration) error {
	without := nc.DeepCopy()
	for _, f := range vitistack.KeaOperatorFinalizers() {
		controllerutil.RemoveFinalizer(without, f)
	}
	if len(without.Finalizers) == len(nc.Finalizers) {
		return nil
	}
	// A list is patched as a whole: with the lock no other change to it is lost.
	patch := client.MergeFromWithOptions(nc, client.MergeFromWithOptimisticLock{})
	err := r.kube.Patch(ctx, without, patch)
	r.written.Add(without, err)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot remove kea-operator's finalizers: %w", err)
	}
	r.log.Debug("Removed kea-operator's finalizers", "namespace", nc.Namespace, "name", nc.Name)
	return nil
}

// writeStatus writes the status if it differs. It sends a merge patch, which does
// not touch fields that these types do not know. Server-side apply would not
// either, but it would have to own the whole list of conditions, as the CRD says,
// and with it the conditions of other controllers.
func (r *reconciler) writeStatus(ctx context.Context, nc *vitistack.NetworkConfiguration, status vitistack.NetworkConfigurationStatus) error {
	if equality.Semantic.DeepEqual(nc.Status, status) && !r.written.IsUnknown(client.ObjectKeyFromObject(nc)) {
		return nil
	}
	with := nc.DeepCopy()
	with.Status = *status.DeepCopy() // The answer is read into it, and it has slices of the caches' objects.
	patch := client.MergeFromWithOptions(nc, client.MergeFromWithOptimisticLock{})
	err := r.kube.Status().Patch(ctx, with, patch)
	r.written.Add(with, err)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot write status: %w", err)
	}
	return nil
}

// failures are the errors of a plan's steps, by device.
type failures = map[kea.HWAddress]error
