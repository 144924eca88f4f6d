// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Labels of a KeaReservation that was made for a NetworkConfiguration. A name
// that is too long for a label's value is shortened, see labelValue.
const (
	labelNetworkConfiguration = v1alpha1.Group + "/network-configuration"
	labelNetworkNamespace     = v1alpha1.Group + "/network-namespace"
)

// hashLength is long enough for no two names of a cluster to meet: 64 bits.
const hashLength = 16

// A device is a network interface as the provider sees it.
type device struct {
	name string // of the interface, for messages
	mac  kea.HWAddress
	err  error // why there is no mac
}

// devicesOf returns a device for each interface, in their order.
func devicesOf(nc *vitistack.NetworkConfiguration) []device {
	out := make([]device, len(nc.Spec.NetworkInterfaces))
	for i, in := range nc.Spec.NetworkInterfaces {
		out[i].name = in.Name
		if mac := strings.TrimSpace(in.MacAddress); mac != "" {
			out[i].mac, out[i].err = kea.ParseHWAddress(mac)
		}
	}
	return out
}

// macsOf returns the hardware addresses that a NetworkConfiguration names, each
// once.
func macsOf(nc *vitistack.NetworkConfiguration) []kea.HWAddress {
	var out []kea.HWAddress
	for _, d := range devicesOf(nc) {
		if d.mac != "" && !slices.Contains(out, d.mac) {
			out = append(out, d.mac)
		}
	}
	return out
}

// reservationName names the KeaReservation of a device. It is the same at every
// pass, so that a reservation that the cache does not show yet is not made twice.
func reservationName(nc string, mac kea.HWAddress) string {
	suffix := "-" + strings.ReplaceAll(mac.String(), ":", "")
	return shortened(nc, validation.DNS1123SubdomainMaxLength-len(suffix)) + suffix
}

// labelValue makes a label's value of an object's name.
func labelValue(name string) string {
	return shortened(name, validation.LabelValueMaxLength)
}

// shortened returns a name that fits, and that is another one for another name.
func shortened(name string, limit int) string {
	if len(name) <= limit {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	hash := hex.EncodeToString(sum[:])[:hashLength]
	// Neither a name nor a label's value may have a dot before a dash.
	return strings.TrimRight(name[:limit-1-hashLength], "-.") + "-" + hash
}

func labelsOf(nc *vitistack.NetworkConfiguration, at *place) map[string]string {
	return map[string]string{
		labelNetworkConfiguration: labelValue(nc.Name),
		labelNetworkNamespace:     labelValue(at.network),
	}
}

// applyConfiguration is what the provider wants of a KeaReservation, for
// server-side apply. It names neither ipAddress nor anything else that is not
// its own, so that the address that is pinned later stays.
func applyConfiguration(nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"providerConfigRef": map[string]any{"kind": at.config.Kind, "name": at.config.Name},
			"forProvider":       map[string]any{"subnet": at.subnet, "hwAddress": mac.String()},
		},
	}}
	u.SetGroupVersionKind(v1alpha1.KeaReservationGroupVersionKind)
	u.SetNamespace(nc.Namespace)
	u.SetName(reservationName(nc.Name, mac))
	u.SetLabels(labelsOf(nc, at))
	// Set here, it need not be written by itself before the reservation is made.
	u.SetAnnotations(map[string]string{meta.AnnotationKeyExternalName: mac.String()})
	u.SetOwnerReferences([]metav1.OwnerReference{controllerRef(nc)})
	return u
}

// controllerRef is how a KeaReservation refers to the NetworkConfiguration that
// it was made for. A machine's deletion does not wait for Kea.
func controllerRef(nc *vitistack.NetworkConfiguration) metav1.OwnerReference {
	ref := *metav1.NewControllerRef(nc, vitistack.NetworkConfigurationGroupVersionKind)
	ref.BlockOwnerDeletion = new(false)
	return ref
}
