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

// conflictRetry is how soon a write is tried again that somebody else's came
// before. The cache has their write by then.
const conflictRetry = 250 * time.Millisecond

// A reconciler brings one NetworkConfiguration's KeaReservations and status up
// to date.
type reconciler struct {
	// vitistack reads NetworkConfigurations and NetworkNamespaces, kube reads
	// KeaReservations, both from caches; kube also writes.
	vitistack client.Reader
	kube      client.Client

	policy   policy
	announce *announcer
	log      logging.Logger

	// allocation tells whether the NetworkConfiguration's CRD keeps the fields
	// that the successor added.
	allocation bool

	now func() time.Time
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	nc := &vitistack.NetworkConfiguration{}
	if err := r.vitistack.Get(ctx, req.NamespacedName, nc); err != nil {
		if kerrors.IsNotFound(err) {
			r.announce.forget(req.NamespacedName)
			return reconcile.Result{}, nil
		}
		return reconcile.Result{}, fmt.Errorf("cannot get NetworkConfiguration: %w", err)
	}

	// What cannot be read completely is not acted upon: a reservation might seem
	// to be nobody's.
	s, err := r.look(ctx, nc)
	if err != nil {
		return reconcile.Result{}, err
	}
	err = r.carryOut(ctx, s, r.policy.decide(s))
	if kerrors.IsConflict(err) {
		r.log.Debug("Somebody else wrote first", "namespace", req.Namespace, "name", req.Name, "error", err)
		return reconcile.Result{RequeueAfter: conflictRetry}, nil
	}
	return reconcile.Result{}, err
}

func (r *reconciler) carryOut(ctx context.Context, s *situation, p plan) error {
	switch {
	case !p.standing.ours:
		return r.letGo(ctx, s, p)
	case meta.WasDeleted(s.nc):
		// The garbage collector deletes its KeaReservations once it is gone, and
		// each of them is gone when Kea has let go of it.
		return r.removeFinalizer(ctx, s.nc)
	}

	failed, err := r.act(ctx, s.nc, p)
	status := statusOf(s, p, failed, r.now())
	if !r.allocation {
		status.NetworkInterfaces = vitistack.WithoutAllocation(status.NetworkInterfaces)
	}
	// An error here does not keep the status from being told.
	told := r.writeStatus(ctx, s.nc, status)
	r.announce.announce(s.nc, eventsOf(s, p, status.Phase, err))
	if err == nil {
		return told // as it is, so that a conflict is seen
	}
	return errors.Join(err, told)
}

// letGo deletes the KeaReservations of a NetworkConfiguration that is not, or no
// longer, the provider's business. Nothing of it is touched but one thing:
// kea-operator's finalizer on one that was ours until now. Nobody else would
// remove it, and the NetworkConfiguration could never be deleted.
func (r *reconciler) letGo(ctx context.Context, s *situation, p plan) error {
	if len(s.owned) == 0 {
		return nil
	}
	// Before the reservations, which are what tells that it was ours.
	if err := r.removeFinalizer(ctx, s.nc); err != nil {
		return err
	}
	_, err := r.act(ctx, s.nc, p)
	return err
}

// removeFinalizer removes kea-operator's finalizer, if it is there.
func (r *reconciler) removeFinalizer(ctx context.Context, nc *vitistack.NetworkConfiguration) error {
	without := nc.DeepCopy()
	if !controllerutil.RemoveFinalizer(without, vitistack.KeaOperatorFinalizer) {
		return nil
	}
	// A list is patched as a whole: with the lock nobody's change to it is lost.
	patch := client.MergeFromWithOptions(nc, client.MergeFromWithOptimisticLock{})
	if err := r.kube.Patch(ctx, without, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot remove finalizer %s: %w", vitistack.KeaOperatorFinalizer, err)
	}
	r.log.Debug("Removed kea-operator's finalizer", "namespace", nc.Namespace, "name", nc.Name)
	return nil
}

// writeStatus writes what differs. It is a merge patch, which leaves fields
// alone that these types do not know. Server-side apply would do so too, but it
// would have to own the list of conditions as a whole, since the CRD says so,
// and with it the conditions of others.
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

// failures has what could not be done, by the device that it was for.
type failures = map[kea.HWAddress]error
