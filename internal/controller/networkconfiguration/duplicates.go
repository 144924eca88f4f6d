// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A rival is another NetworkConfiguration that names one of the same hardware
// addresses, and the provider's claim to it.
type rival struct {
	nc    *vitistack.NetworkConfiguration
	claim claim
}

// otherUser says which object has a device's hardware address instead of nc, and
// reports whether there is one: an older NetworkConfiguration that names it, or
// any whose KeaReservation for it still exists. Kea keeps one reservation for
// each hardware address and subnet, so two KeaReservations would overwrite each
// other.
//
// The oldest NetworkConfiguration has it, not the first to be reconciled: the
// outcome is then the same whatever the order, and can be explained.
func otherUser(nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress, s *situation) (string, bool) {
	var first *vitistack.NetworkConfiguration
	for _, r := range s.rivals {
		if r.wants(at, mac) && older(r.nc, nc) && (first == nil || older(r.nc, first)) {
			first = r.nc
		}
	}
	if first != nil {
		return fmt.Sprintf("%s belongs to NetworkConfiguration %s/%s, which is older: waiting until it is free",
			mac, first.Namespace, first.Name), true
	}
	for _, r := range s.sameMAC {
		name, ok := controllerOf(r)
		if !ok || controls(nc, r) || hwAddressOf(r) != mac || !inPlace(r, at) {
			continue
		}
		return fmt.Sprintf("%s still has KeaReservation %s/%s of NetworkConfiguration %s: waiting until that is gone",
			mac, r.Namespace, r.Name, name), true
	}
	return "", false
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
