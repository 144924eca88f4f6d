// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// intent returns what a KeaReservation wants of Kea, and whether it may take the reservation over.
// Of several that have the adopt annotation the oldest may, whatever configuration it reaches the
// servers by: otherwise each would take it from the others forever. One that is blocked does not
// hold up the others, but keeps what has its mark.
func (e *external) intent(mg *v1alpha1.KeaReservation) (reservation.Intent, error) {
	in, err := intentOf(mg)
	if err != nil {
		return in, err
	}
	in.Grant, in.WasReserved = e.grant, heldBefore(mg)
	if !in.Adopt || in.Denied() {
		return in, nil
	}
	sharing := e.groups.Sharing(connection.RefOf(mg))
	for _, rival := range e.all.WithHWAddress(in.HWAddress) {
		ref := connection.RefOf(rival)
		if !slices.Contains(sharing, ref) || !sameSubnet(rival, mg) || !older(rival, mg) {
			continue
		}
		c := claimOf(rival)
		if ref != connection.RefOf(mg) {
			c = min(c, e.mostOf(ref))
		}
		switch c {
		case takesOver:
			in.Adopt = false
		case blocked:
			in.Spare = append(in.Spare, intentName(rival))
		case noClaim:
		}
	}
	return in, nil
}

// claim is what a KeaReservation keeps from those that are younger and have the adopt annotation.
type claim int

const (
	// noClaim is that of one that takes nothing over, or may not.
	noClaim claim = iota
	// blocked is that of one that cannot take the reservation over now.
	blocked
	// takesOver is that of one that has taken the reservation over, or will.
	takesOver
)

// claimOf returns the claim of a KeaReservation.
func claimOf(mg *v1alpha1.KeaReservation) claim {
	ready, synced := mg.GetCondition(xpv2.TypeReady), mg.GetCondition(xpv2.TypeSynced)
	switch {
	case !adopts(mg) || !mayWrite(mg) || ready.Reason == v1alpha1.ReasonNotAllowed:
		return noClaim
	case synced.Status == corev1.ConditionFalse, ready.Status == corev1.ConditionFalse && reservation.Blocks(string(ready.Reason)):
		return blocked
	default:
		return takesOver
	}
}

// mostOf returns the greatest claim that a resource of another provider configuration can have: one
// that cannot use its servers, as it has no credentials for them, takes nothing over, whatever its
// status says of servers that it had before.
func (e *external) mostOf(ref connection.Ref) claim {
	if e.groups.Usable(ref) {
		return takesOver
	}
	return blocked
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
