// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/ptr"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// controls reports whether a NetworkConfiguration controls a KeaReservation. It
// compares UIDs: there may have been another one of the same name. An owner is in
// the same namespace; a reference from another one is forged.
func controls(nc *vitistack.NetworkConfiguration, r *v1alpha1.KeaReservation) bool {
	c := metav1.GetControllerOf(r)
	return c != nil && c.UID == nc.UID && r.Namespace == nc.Namespace
}

// orphanOf reports whether a KeaReservation was made for a NetworkConfiguration of
// this name and has no controller any more: that was deleted with
// --cascade=orphan, or the KeaReservation was restored from a backup without owners.
func orphanOf(nc *vitistack.NetworkConfiguration, r *v1alpha1.KeaReservation) bool {
	return metav1.GetControllerOf(r) == nil && r.Namespace == nc.Namespace && r.Labels[labelNetworkConfiguration] == labelValue(nc.Name)
}

// controllerOf returns the name of the NetworkConfiguration that controls a
// KeaReservation, by what that says of itself.
func controllerOf(r *v1alpha1.KeaReservation) (string, bool) {
	c := metav1.GetControllerOf(r)
	if c == nil || c.Kind != vitistack.NetworkConfigurationKind {
		return "", false
	}
	gv, err := schema.ParseGroupVersion(c.APIVersion)
	return c.Name, err == nil && gv.Group == vitistack.GroupVersion.Group
}

// inPlace reports whether a KeaReservation is in the subnet and the Kea of a place.
func inPlace(r *v1alpha1.KeaReservation, at *place) bool {
	return r.Spec.ForProvider.Subnet == at.subnet && connection.RefOf(r) == at.config
}

// metadataUpToDate reports whether a KeaReservation has the wanted metadata.
func metadataUpToDate(r *v1alpha1.KeaReservation, nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress) bool {
	for k, v := range labelsOf(nc, at) {
		if r.Labels[k] != v {
			return false
		}
	}
	c := metav1.GetControllerOf(r)
	return c != nil && c.UID == nc.UID && !ptr.Deref(c.BlockOwnerDeletion, true) &&
		meta.GetExternalName(r) == mac.String()
}

// hwAddressOf returns a KeaReservation's hardware address in canonical form, or ""
// if it is invalid.
func hwAddressOf(r *v1alpha1.KeaReservation) kea.HWAddress {
	mac, err := kea.ParseHWAddress(r.Spec.ForProvider.HWAddress)
	if err != nil {
		return ""
	}
	return mac
}
