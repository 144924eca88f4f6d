// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
)

// mayBeInKea reports whether something of a resource may be in Kea. Its finalizer does not say so,
// since a NetworkConfiguration's resources are made with it, but one of these does: the API server
// has it before anything is written to Kea for the first time, see pin and recordUse.
func mayBeInKea(mg *v1alpha1.KeaReservation) bool {
	return mg.Spec.ForProvider.IPAddress != "" || providerconfig.MayBeInKea(mg)
}

// recordUse has the API server know that a resource may be in Kea before it is, as
// crossplane-runtime does before a create. It takes a write only where no address is pinned: to mark
// a reservation that has none, of a device without a lease.
func (e *external) recordUse(ctx context.Context, mg *v1alpha1.KeaReservation) error {
	if e.recorded || e.pinned {
		return nil
	}
	observed := mg.Status.DeepCopy()
	meta.SetExternalCreatePending(mg, time.Now())
	err := e.client.Update(ctx, mg)
	mg.Status = *observed
	if err != nil {
		return fmt.Errorf("cannot record that the reservation is about to be changed: %w", err)
	}
	return nil
}
