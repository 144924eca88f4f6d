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
// addresses.
type rival struct {
	nc       *vitistack.NetworkConfiguration
	standing standing
}

// holderOf tells who has a device's address instead of nc: an older
// NetworkConfiguration that names it, or any whose KeaReservation for it is
// still there. Kea has room for one reservation for each address and subnet, so
// two KeaReservations for one would fight.
//
// The oldest has it, not the one who was faster: the outcome is then the same
// whatever happened in between, and can be explained.
func holderOf(nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress, s *situation) (string, bool) {
	var first *vitistack.NetworkConfiguration
	for _, r := range s.rivals {
		if r.wants(nc.Namespace, at, mac) && older(r.nc, nc) && (first == nil || older(r.nc, first)) {
			first = r.nc
		}
	}
	if first != nil {
		return fmt.Sprintf("%s belongs to NetworkConfiguration %s/%s, which is older: waiting until it is free",
			mac, first.Namespace, first.Name), true
	}
	for _, r := range s.elsewhere {
		name, ok := controllerOf(r)
		if !ok || controls(nc, r) || hwAddressOf(r) != mac || !occupies(r, nc.Namespace, at) {
			continue
		}
		return fmt.Sprintf("%s still has KeaReservation %s/%s of NetworkConfiguration %s: waiting until that is gone",
			mac, r.Namespace, r.Name, name), true
	}
	return "", false
}

// wants tells whether a rival is to have a reservation for the same device in
// the same place.
func (r rival) wants(namespace string, at *place, mac kea.HWAddress) bool {
	p := r.standing.place
	return r.standing.ours && p != nil && !meta.WasDeleted(r.nc) &&
		p.subnet == at.subnet && p.config == at.config && sameScope(at, namespace, r.nc.Namespace) &&
		slices.Contains(macsOf(r.nc), mac)
}

// occupies tells whether a KeaReservation is in a place of a namespace.
func occupies(r *v1alpha1.KeaReservation, namespace string, at *place) bool {
	return inPlace(r, at) && sameScope(at, namespace, r.Namespace)
}

// sameScope tells whether a reference to a provider configuration means the same
// one in both namespaces.
func sameScope(at *place, a, b string) bool {
	return a == b || at.config.Kind == v1alpha1.ClusterProviderConfigKind
}

// older tells whether a was made before b. Where that was in the same second,
// the name decides.
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
