// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kmeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A family is the KeaReservations that a NetworkConfiguration has for one device.
// There is one in each place while the device moves from one to another.
type family struct {
	// keeper is the one in the wanted place; nil if there is none. It may be an
	// orphan that is to be adopted.
	keeper *v1alpha1.KeaReservation

	// spare are others in the same place, which do not hold the address.
	spare []*v1alpha1.KeaReservation

	// going is one in the same place that is being deleted; nil if there is none.
	going *v1alpha1.KeaReservation

	// elsewhere are those in other places, but for what is being deleted.
	elsewhere []*v1alpha1.KeaReservation
}

// familyOf returns the KeaReservations of a device. They are known by their
// controller, hardware address and place, and not by their names.
func familyOf(s *situation, mac kea.HWAddress, at *place) family {
	var out family
	var here []*v1alpha1.KeaReservation
	for _, r := range slices.Concat(s.owned, s.orphans) {
		owned := controls(s.nc, r)
		switch {
		case hwAddressOf(r) != mac || !owned && !orphanOf(s.nc, r):
		case !inPlace(r, at):
			if owned && !meta.WasDeleted(r) {
				out.elsewhere = append(out.elsewhere, r)
			}
		case !meta.WasDeleted(r):
			here = append(here, r)
		case owned:
			out.going = r
		}
	}
	byPrecedence(here)
	byPrecedence(out.elsewhere)
	for i, r := range here {
		switch {
		case i == 0:
			out.keeper = r
		case controls(s.nc, r) && !holds(r):
			out.spare = append(out.spare, r)
		}
	}
	return out
}

// byPrecedence sorts KeaReservations of one device: first those that hold its
// address, then the older ones.
func byPrecedence(rs []*v1alpha1.KeaReservation) {
	slices.SortFunc(rs, func(a, b *v1alpha1.KeaReservation) int {
		switch {
		case holds(a) != holds(b):
			if holds(a) {
				return -1
			}
			return 1
		case older(a, b):
			return -1
		}
		return 1
	})
}

// holds reports whether Kea has a device's address reserved for a KeaReservation,
// as far as is known: while Kea cannot be reached, its status stays.
func holds(r *v1alpha1.KeaReservation) bool {
	ready := r.GetCondition(xpv2.TypeReady)
	return ready.Status == corev1.ConditionTrue ||
		r.Status.AtProvider.IPAddress != "" && ready.Reason != v1alpha1.ReasonOwnedByAnother
}

// settled reports whether a KeaReservation is served in its place: Kea has the
// reservation, or makes it as soon as the device has a lease.
func settled(r *v1alpha1.KeaReservation) bool {
	ready := r.GetCondition(xpv2.TypeReady)
	return r.GetCondition(xpv2.TypeSynced).Status == corev1.ConditionTrue &&
		(ready.Status == corev1.ConditionTrue || ready.Reason == v1alpha1.ReasonAwaitingLease)
}

// handsOver returns the KeaReservation of another place that keeps the keeper from
// having the reservation, as both places are the same subnet of one Kea under two
// names; nil if there is none. There is one reservation for both then, so that the
// keeper gets it, with its address, when the other one is deleted.
// owner is what Kea's reservation is marked with.
func (f family) handsOver(at *place, owner string) *v1alpha1.KeaReservation {
	if f.keeper.GetCondition(xpv2.TypeReady).Reason != v1alpha1.ReasonOwnedByAnother {
		return nil
	}
	for _, r := range f.elsewhere {
		if owner == r.Namespace+"/"+r.Name && r.Spec.ForProvider.Subnet == at.subnet {
			return r
		}
	}
	return nil
}

// chosenByUser reports whether a user moved a NetworkConfiguration away from the
// place of a KeaReservation, by naming another NetworkNamespace in it. Other moves
// follow from what the provider reads elsewhere.
func chosenByUser(nc *vitistack.NetworkConfiguration, r *v1alpha1.KeaReservation, at *place) bool {
	return nc.Spec.NetworkNamespaceName != "" && r.Labels[labelNetworkNamespace] != labelValue(at.network)
}

// lostByReading reports whether a hardware address has left a NetworkConfiguration
// although no user has changed its spec since the last status: a CRD that lost the
// field leaves the generation as it was.
func lostByReading(nc *vitistack.NetworkConfiguration, mac kea.HWAddress) bool {
	if held := kmeta.FindStatusCondition(nc.Status.Conditions, conditionRemovalsHeld); held != nil && held.ObservedGeneration == nc.Generation {
		return true
	}
	ready := kmeta.FindStatusCondition(nc.Status.Conditions, vitistack.ConditionReady)
	return lastReported(nc)[mac] != nil && ready != nil && ready.ObservedGeneration == nc.Generation
}

// placeText names the place of a KeaReservation, for messages.
func placeText(r *v1alpha1.KeaReservation) string {
	ref := connection.RefOf(r)
	return (&place{subnet: r.Spec.ForProvider.Subnet, config: ref}).String()
}

// String names a place for messages.
func (p *place) String() string {
	return fmt.Sprintf("%s with %s %s", p.subnet, p.config.Kind, p.config.Name)
}
