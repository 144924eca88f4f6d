// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// fieldOwner owns what this controller applies to KeaReservations.
const fieldOwner = "provider-kea-networkconfiguration"

// applyPlan applies and deletes the KeaReservations of a plan. If one fails the
// others are still done: the devices of a NetworkConfiguration do not depend on
// each other.
func (r *reconciler) applyPlan(ctx context.Context, nc *vitistack.NetworkConfiguration, p plan) (failures, error) {
	failed := failures{}
	var errs []error
	for _, have := range p.remove {
		errs = append(errs, r.remove(ctx, have.KeaReservation))
	}
	for _, a := range p.apply {
		if err := r.apply(ctx, nc, p.claim.place, a); err != nil {
			failed[a.mac] = err
			errs = append(errs, err)
		}
	}
	for _, take := range p.pin {
		errs = append(errs, r.pin(ctx, take))
	}
	return failed, errors.Join(errs...)
}

func (r *reconciler) apply(ctx context.Context, nc *vitistack.NetworkConfiguration, at *place, a application) error {
	err := r.send(ctx, applyConfiguration(nc, at, a.mac, a.name), a.isNew)
	switch {
	case kerrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return nil // the NetworkConfiguration goes next
	case a.isNew && kerrors.IsAlreadyExists(err):
		// The cache does not have it yet, and enqueues the NetworkConfiguration when it does. It may be
		// another client's, which is not to be changed.
		return nil
	case err != nil:
		return fmt.Errorf("cannot apply KeaReservation %s: %w", a.name, err)
	}
	r.log.Debug("Applied KeaReservation", "namespace", nc.Namespace, "name", a.name, "networkConfiguration", nc.Name)
	return nil
}

// send sends a KeaReservation. A new one is created, which costs the API server less than to apply it,
// with crossplane-runtime's finalizer, which would be a write of its own. It does not become a part of
// what is applied: that would add it to one that is about to go. A later apply has the same field
// manager, and sets the same fields but for the finalizer.
func (r *reconciler) send(ctx context.Context, u *unstructured.Unstructured, isNew bool) error {
	if isNew {
		u.SetFinalizers([]string{managed.FinalizerName})
		return r.kube.Create(ctx, u, client.FieldOwner(fieldOwner)) //nolint:wrapcheck // apply does.
	}
	return r.kube.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldOwner), client.ForceOwnership) //nolint:wrapcheck // As above.
}

// pin sets the address that a KeaReservation takes over. It is not applied: what is
// applied is ours, and would be removed by the next apply, which does not name it.
func (r *reconciler) pin(ctx context.Context, take pin) error {
	with := take.reservation.DeepCopy()
	with.Spec.ForProvider.IPAddress = take.address
	patch := client.MergeFromWithOptions(take.reservation, client.MergeFromWithOptimisticLock{})
	if err := r.kube.Patch(ctx, with, patch); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot set the address of KeaReservation %s: %w", take.reservation.Name, err)
	}
	return nil
}

func (r *reconciler) remove(ctx context.Context, have *v1alpha1.KeaReservation) error {
	// Only as it was read: another may have its name by now, or it is the one of several that has got
	// the address since.
	err := r.kube.Delete(ctx, have, client.Preconditions{UID: new(have.UID), ResourceVersion: new(have.ResourceVersion)})
	switch {
	case kerrors.IsNotFound(err):
		return nil
	case kerrors.IsForbidden(err):
		// Crossplane lets no provider delete its own resources.
		return fmt.Errorf("cannot delete KeaReservation %s: %s: %w", have.Name, gate.ApplyClusterRole, err)
	case err != nil:
		return fmt.Errorf("cannot delete KeaReservation %s: %w", have.Name, err)
	}
	r.log.Debug("Deleted KeaReservation", "namespace", have.Namespace, "name", have.Name)
	return nil
}
