// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// intent returns what a KeaReservation wants of Kea, and whether it may take the reservation over.
// Of several that have the adopt annotation the oldest may: otherwise each would take it from the
// others forever.
func (e *external) intent(ctx context.Context, mg *v1alpha1.KeaReservation) (reservation.Intent, error) {
	in, err := intentOf(mg)
	if err != nil || !in.Adopt {
		return in, err
	}
	l := &v1alpha1.KeaReservationList{}
	key := configKey(refOf(mg)) + "/" + string(in.HWAddress)
	if err := e.client.List(ctx, l, client.MatchingFields{byHWAddress: key}, client.UnsafeDisableDeepCopy); err != nil {
		return reservation.Intent{}, fmt.Errorf("cannot list the KeaReservations that would take the reservation over: %w", err)
	}
	for i := range l.Items {
		if rival := &l.Items[i]; adopts(rival) && mayWrite(rival) && sameSubnet(rival, mg) && older(rival, mg) {
			in.Adopt = false
		}
	}
	return in, nil
}

func adopts(mg *v1alpha1.KeaReservation) bool {
	return mg.GetAnnotations()[v1alpha1.AnnotationKeyAdopt] == "true"
}

// mayWrite reports whether a KeaReservation may change anything in Kea.
func mayWrite(mg *v1alpha1.KeaReservation) bool {
	return !meta.WasDeleted(mg) && !meta.IsPaused(mg) && !observeOnly(mg)
}

// sameSubnet reports whether two KeaReservations are in the same subnet, which one
// may name by its prefix and the other by its id.
func sameSubnet(a, b *v1alpha1.KeaReservation) bool {
	if x, y := a.Status.AtProvider.SubnetID, b.Status.AtProvider.SubnetID; x != nil && y != nil {
		return *x == *y
	}
	x, errX := subnetOf(a.Spec.ForProvider)
	y, errY := subnetOf(b.Spec.ForProvider)
	return errX == nil && errY == nil && x == y
}

// older reports whether a is older than b, by name if both are of the same second.
func older(a, b *v1alpha1.KeaReservation) bool {
	if at, bt := a.GetCreationTimestamp(), b.GetCreationTimestamp(); !at.Equal(&bt) {
		return at.Before(&bt)
	}
	return strings.Compare(client.ObjectKeyFromObject(a).String(), client.ObjectKeyFromObject(b).String()) < 0
}
