// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/kea"
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
		errs = append(errs, r.remove(ctx, have))
	}
	for _, mac := range p.apply {
		if err := r.apply(ctx, nc, p.claim.place, mac); err != nil {
			failed[mac] = err
			errs = append(errs, err)
		}
	}
	return failed, errors.Join(errs...)
}

func (r *reconciler) apply(ctx context.Context, nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress) error {
	u := applyConfiguration(nc, at, mac)
	name := u.GetName() // the answer overwrites u, whatever it is
	err := r.kube.Apply(ctx, client.ApplyConfigurationFromUnstructured(u), client.FieldOwner(fieldOwner), client.ForceOwnership)
	if kerrors.HasStatusCause(err, corev1.NamespaceTerminatingCause) {
		return nil // the NetworkConfiguration goes next
	}
	if err != nil {
		return fmt.Errorf("cannot apply KeaReservation %s: %w", name, err)
	}
	r.log.Debug("Applied KeaReservation", "namespace", nc.Namespace, "name", name, "networkConfiguration", nc.Name)
	return nil
}

func (r *reconciler) remove(ctx context.Context, have *v1alpha1.KeaReservation) error {
	// Only the one that was read, not another that has its name by now.
	err := r.kube.Delete(ctx, have, client.Preconditions{UID: new(have.UID)})
	switch {
	case kerrors.IsNotFound(err), kerrors.IsConflict(err):
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
