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
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

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

	policy policy
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
	if err := r.vitistack.Get(ctx, req.NamespacedName, nc); err != nil {
		if kerrors.IsNotFound(err) {
			r.events.forget(req.NamespacedName)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, fmt.Errorf("cannot get NetworkConfiguration: %w", err)
	}

	// Nothing is done with an incomplete situation: a reservation might seem to
	// have no owner.
	s, err := r.situationOf(ctx, nc)
	if err != nil {
		return reconcile.Result{}, err
	}
	err = r.execute(ctx, s, r.policy.decide(s))
	if kerrors.IsConflict(err) {
		r.log.Debug("Another client wrote first", "namespace", req.Namespace, "name", req.Name, "error", err)
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return reconcile.Result{}, err
}

// execute carries out a plan and writes the status.
func (r *reconciler) execute(ctx context.Context, s *situation, p plan) error {
	switch {
	case !p.claim.ours:
		return r.release(ctx, s, p)
	case meta.WasDeleted(s.nc):
		// The garbage collector deletes its KeaReservations once it is gone, and
		// each of them is gone when Kea has removed its reservation.
		return r.removeFinalizer(ctx, s.nc)
	}

	failed, err := r.applyPlan(ctx, s.nc, p)
	status := statusOf(s, p, failed, r.now())
	if !r.allocation {
		status.NetworkInterfaces = vitistack.WithoutAllocation(status.NetworkInterfaces)
	}
	// The status is written in any case: it says what failed.
	statusErr := r.writeStatus(ctx, s.nc, status)
	r.events.record(s.nc, eventsOf(s, p, status.Phase, err))
	if err == nil {
		return statusErr // unwrapped, so that a conflict is seen
	}
	return errors.Join(err, statusErr)
}

// release deletes the KeaReservations of a NetworkConfiguration that is not, or no
// longer, the provider's. The NetworkConfiguration itself is not touched, but for
// kea-operator's finalizer on one that was the provider's until now: no other
// controller removes it, and the NetworkConfiguration could never be deleted.
func (r *reconciler) release(ctx context.Context, s *situation, p plan) error {
	if len(s.owned) == 0 {
		return nil
	}
	// First, as the reservations are the evidence that it was the provider's.
	if err := r.removeFinalizer(ctx, s.nc); err != nil {
		return err
	}
	_, err := r.applyPlan(ctx, s.nc, p)
	return err
}

// removeFinalizer removes kea-operator's finalizer, if it is there.
func (r *reconciler) removeFinalizer(ctx context.Context, nc *vitistack.NetworkConfiguration) error {
	without := nc.DeepCopy()
	if !controllerutil.RemoveFinalizer(without, vitistack.KeaOperatorFinalizer) {
		return nil
	}
	// A list is patched as a whole: with the lock no other change to it is lost.
	patch := client.MergeFromWithOptions(nc, client.MergeFromWithOptimisticLock{})
	if err := r.kube.Patch(ctx, without, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot remove finalizer %s: %w", vitistack.KeaOperatorFinalizer, err)
	}
	r.log.Debug("Removed kea-operator's finalizer", "namespace", nc.Namespace, "name", nc.Name)
	return nil
}

// writeStatus writes the status if it differs. It sends a merge patch, which does
// not touch fields that these types do not know. Server-side apply would not
// either, but it would have to own the whole list of conditions, as the CRD says,
// and with it the conditions of other controllers.
func (r *reconciler) writeStatus(ctx context.Context, nc *vitistack.NetworkConfiguration, status vitistack.NetworkConfigurationStatus) error {
	if equality.Semantic.DeepEqual(nc.Status, status) {
		return nil
	}
	with := nc.DeepCopy()
	with.Status = status
	patch := client.MergeFromWithOptions(nc, client.MergeFromWithOptimisticLock{})
	if err := r.kube.Status().Patch(ctx, with, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot write status: %w", err)
	}
	return nil
}

// failures are the errors of a plan's steps, by device.
type failures = map[kea.HWAddress]error
