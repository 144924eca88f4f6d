// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A rival is another NetworkConfiguration that names one of the same hardware
// addresses, and the provider's claim to it.
type rival struct {
	nc    *vitistack.NetworkConfiguration
	claim claim
}

// An otherChild is a KeaReservation that another NetworkConfiguration controls.
// That one exists, in the same namespace: anyone who may create KeaReservations
// can write what they like into ownerReferences.
type otherChild struct {
	*v1alpha1.KeaReservation

	owner *vitistack.NetworkConfiguration
}

// otherUser returns what keeps a device from having a KeaReservation here, if
// another NetworkConfiguration has its hardware address; nil if none has. yield
// reports whether the keeper, which does not hold the address, is to go in favour
// of that one. Kea keeps one reservation for each hardware address and subnet.
//
// Who holds the address keeps it, then who has a KeaReservation for it, then the
// oldest: nothing is taken from a machine that runs, and for the others the outcome
// can be explained.
func otherUser(s *situation, mac kea.HWAddress, at *place, keeper *v1alpha1.KeaReservation) (b *blocker, yield bool) {
	if keeper != nil && holds(keeper) {
		return nil, false
	}
	first := s.firstOther(at, mac)
	switch {
	case first != nil && holds(first.KeaReservation):
		wanted := s.wants(first.owner, at, mac)
		return &blocker{message: first.text(mac, wanted)}, wanted && keeper != nil
	case keeper != nil:
		return nil, false
	case first != nil:
		return &blocker{message: first.text(mac, s.wants(first.owner, at, mac))}, false
	}
	if oldest := s.oldestRival(at, mac); oldest != nil && older(oldest, s.nc) {
		return &blocker{message: fmt.Sprintf("%s belongs to NetworkConfiguration %s/%s, which is older: waiting until it is free",
			mac, oldest.Namespace, oldest.Name)}, false
	}
	return nil, false
}

// firstOther returns another NetworkConfiguration's KeaReservation for a device in a
// place, one that holds the address if there is one; nil if there is none.
func (s *situation) firstOther(at *place, mac kea.HWAddress) *otherChild {
	var first *otherChild
	for i, r := range s.others {
		if hwAddressOf(r.KeaReservation) == mac && inPlace(r.KeaReservation, at) && (first == nil || holds(r.KeaReservation) && !holds(first.KeaReservation)) {
			first = &s.others[i]
		}
	}
	return first
}

// text says that the child is in the way of another one for the same device.
func (c *otherChild) text(mac kea.HWAddress, wanted bool) string {
	switch {
	case !wanted:
		return fmt.Sprintf("%s still has KeaReservation %s/%s of NetworkConfiguration %s: waiting until that is gone", mac, c.Namespace, c.Name, c.owner.Name)
	case holds(c.KeaReservation):
		return fmt.Sprintf("%s belongs to NetworkConfiguration %s/%s, which has it reserved: waiting until it is free", mac, c.Namespace, c.owner.Name)
	}
	return fmt.Sprintf("%s belongs to NetworkConfiguration %s/%s, which has a KeaReservation for it: waiting until it is free", mac, c.Namespace, c.owner.Name)
}

// wants reports whether a NetworkConfiguration is a rival for a device in a place.
func (s *situation) wants(nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress) bool {
	return slices.ContainsFunc(s.rivals, func(r rival) bool { return r.nc.UID == nc.UID && r.wants(at, mac) })
}

// oldestRival returns the oldest rival for a device in a place; nil if there is none.
func (s *situation) oldestRival(at *place, mac kea.HWAddress) *vitistack.NetworkConfiguration {
	var first *vitistack.NetworkConfiguration
	for _, r := range s.rivals {
		if r.wants(at, mac) && (first == nil || older(r.nc, first)) {
			first = r.nc
		}
	}
	return first
}

// wants reports whether a rival is to have a reservation for the same device in
// the same place.
func (r rival) wants(at *place, mac kea.HWAddress) bool {
	p := r.claim.place
	return r.claim.ours && p != nil && !meta.WasDeleted(r.nc) &&
		p.subnet == at.subnet && p.config == at.config && slices.Contains(macsOf(r.nc), mac)
}

// older reports whether a was created before b. If both were in the same second,
// the namespace and the name decide.
func older(a, b metav1.Object) bool {
	ta, tb := a.GetCreationTimestamp(), b.GetCreationTimestamp()
	if !ta.Equal(&tb) {
		return ta.Before(&tb)
	}
	if a.GetNamespace() != b.GetNamespace() {
		return a.GetNamespace() < b.GetNamespace()
	}
	return a.GetName() < b.GetName()
}
