// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// pin late-initializes the address: the one that Kea has reserved, or the one of the device's lease
// that is about to be reserved. The API server has it then before Kea does, with the write that
// precedes a create. The address of a lease that the management policies keep from being reserved
// is not filled in: the device may get another one tomorrow. Nor is it before a create that is tried
// again, but after that: filled in and taken out each time, it would enqueue the resource each time,
// whatever its backoff.
func pin(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	if mg.Spec.ForProvider.IPAddress != "" || !allows(mg, xpv2.ManagementActionLateInitialize) {
		return false
	}
	reserved := o.Held != nil && o.Held.IPAddress.IsValid() && o.Held.IPAddress == o.Address
	switch {
	case reservation.InfoOf(o.State).Held:
	case o.State == reservation.Pending && (reserved || toBeReserved(mg, o)):
	default:
		return false
	}
	if !o.Address.IsValid() {
		return false
	}
	mg.Spec.ForProvider.IPAddress = o.Address.String()
	return true
}

// toBeReserved reports whether the management policies let the address be reserved now.
func toBeReserved(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	if o.Held == nil {
		return allows(mg, xpv2.ManagementActionCreate) && !createFailed(mg)
	}
	return allows(mg, xpv2.ManagementActionUpdate)
}

// createFailed reports whether the last attempt at a create has failed.
func createFailed(mg *v1alpha1.KeaReservation) bool {
	return mg.GetCondition(xpv2.TypeSynced).Status == corev1.ConditionFalse && !meta.GetExternalCreatePending(mg).IsZero()
}

// unpinWait is how long the API server may take to take an address out of the spec.
const unpinWait = 5 * time.Second

// unpin takes the address that this reconcile has put into the spec out again, as it was not
// reserved: another host may have it by now, or the device a reservation with another one, or
// another lease. Kea may have reserved it all the same, if it did not answer; that is found by the
// next reconcile. Before an update all that was read, and the address stays unless something is in the
// way. It returns err, and what else went wrong.
func (e *external) unpin(ctx context.Context, mg *v1alpha1.KeaReservation, err error) error {
	blocked, isBlocked := errors.AsType[*group.BlockedError](err)
	switch {
	case err == nil, !e.pinned, !isBlocked && !e.creates, isBlocked && blocked.State == reservation.Refused:
		return err
	}
	mg.Spec.ForProvider.IPAddress = ""
	if !providerconfig.MayBeInKea(mg) {
		// One of several servers may have been changed, and nothing else says so now: see recordUse.
		meta.SetExternalCreatePending(mg, time.Now())
	}
	// Also where the provider is just being stopped: what is in the spec is taken for what a user
	// wants.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unpinWait)
	defer cancel()
	if uerr := e.client.Update(ctx, mg); uerr != nil {
		return errors.Join(err, fmt.Errorf("cannot take the address out of the spec: %w", uerr))
	}
	return err
}
