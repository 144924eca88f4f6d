// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"crypto/sha256"
	"encoding/hex"
	"net"
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

// hashLength is in hexadecimal digits: 64 bits are enough for the names of a cluster.
const hashLength = 16

// placeHashLength is in hexadecimal digits: a device has few places.
const placeHashLength = 8

// A device is a network interface with its hardware address in canonical form.
type device struct {
	name string // of the interface, for messages
	mac  kea.HWAddress
	err  error // why mac is empty; nil if the interface names none
}

// devicesOf returns a device for each interface, in their order.
func devicesOf(nc *vitistack.NetworkConfiguration) []device {
	out := make([]device, len(nc.Spec.NetworkInterfaces))
	for i := range nc.Spec.NetworkInterfaces {
		in := &nc.Spec.NetworkInterfaces[i]
		out[i].name = in.Name
		out[i].mac, out[i].err = macOf(in)
	}
	return out
}

// macsOf returns the hardware addresses that a NetworkConfiguration names, each
// once.
func macsOf(nc *vitistack.NetworkConfiguration) []kea.HWAddress {
	var out []kea.HWAddress
	for i := range nc.Spec.NetworkInterfaces {
		mac, err := macOf(&nc.Spec.NetworkInterfaces[i])
		if err == nil && mac != "" && !slices.Contains(out, mac) {
			out = append(out, mac)
		}
	}
	return out
}

// macOf returns the hardware address of an interface; "" if it names none.
func macOf(in *vitistack.NetworkConfigurationInterface) (kea.HWAddress, error) {
	mac := strings.TrimSpace(in.MacAddress)
	if mac == "" {
		return "", nil
	}
	return kea.ParseHWAddress(mac) //nolint:wrapcheck // The caller names the interface.
}

// reservationName returns the name of a device's KeaReservation. It is the same in
// every reconcile, so that one that is not in the cache yet is not created twice.
func reservationName(nc string, mac kea.HWAddress) string {
	suffix := "-" + strings.ReplaceAll(mac.String(), ":", "")
	return shortened(nc, validation.DNS1123SubdomainMaxLength-len(suffix)) + suffix
}

// macIn returns the hardware address in a name that reservationName may have returned; not ok if
// there is none.
func macIn(name string) (mac kea.HWAddress, ok bool) {
	digits := name[strings.LastIndexByte(name, '-')+1:]
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return "", false
	}
	mac, err = kea.ParseHWAddress(net.HardwareAddr(raw).String())
	return mac, err == nil
}

// movedName returns the name of a device's KeaReservation that is created while one
// in another place has the name that reservationName returns. It keeps it.
func movedName(nc string, mac kea.HWAddress, at *place) string {
	sum := sha256.Sum256([]byte(strings.Join([]string{at.subnet, at.config.Kind, at.config.Namespace, at.config.Name}, "\n")))
	suffix := "-" + strings.ReplaceAll(mac.String(), ":", "") + "-" + hex.EncodeToString(sum[:])[:placeHashLength]
	return shortened(nc, validation.DNS1123SubdomainMaxLength-len(suffix)) + suffix
}

// firstName returns the name that reservationName returns for the device of which
// movedName returned this one.
func firstName(moved string) string {
	if at := len(moved) - 1 - placeHashLength; at > 0 && moved[at] == '-' {
		return moved[:at]
	}
	return moved
}

// labelValue returns an object's name as a label's value.
func labelValue(name string) string {
	return shortened(name, validation.LabelValueMaxLength)
}

// shortened returns a name of at most limit bytes, which differs for different names.
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

// applyConfiguration returns a KeaReservation for server-side apply. It sets
// neither ipAddress nor anything else that is not this controller's, so that the
// address that is pinned later stays.
func applyConfiguration(nc *vitistack.NetworkConfiguration, at *place, mac kea.HWAddress, name string) *unstructured.Unstructured {
	u := &unstructured.Unstructured{Object: map[string]any{
		"spec": map[string]any{
			"providerConfigRef": map[string]any{"kind": at.config.Kind, "name": at.config.Name},
			"forProvider":       map[string]any{"subnet": at.subnet, "hwAddress": mac.String()},
		},
	}}
	u.SetGroupVersionKind(v1alpha1.KeaReservationGroupVersionKind)
	u.SetNamespace(nc.Namespace)
	u.SetName(name)
	u.SetLabels(labelsOf(nc, at))
	// Set here, crossplane-runtime need not write it in a request of its own.
	u.SetAnnotations(map[string]string{meta.AnnotationKeyExternalName: mac.String()})
	u.SetOwnerReferences([]metav1.OwnerReference{controllerRef(nc)})
	return u
}

// controllerRef returns a KeaReservation's reference to its NetworkConfiguration.
// It does not block the owner's deletion: a machine's deletion does not wait for
// Kea.
func controllerRef(nc *vitistack.NetworkConfiguration) metav1.OwnerReference {
	ref := *metav1.NewControllerRef(nc, vitistack.NetworkConfigurationGroupVersionKind)
	ref.BlockOwnerDeletion = new(false)
	return ref
}
