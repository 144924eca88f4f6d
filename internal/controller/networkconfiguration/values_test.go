// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// Values that the tests of the pure functions are made of.

const (
	mac1 = "02:00:00:00:00:01"
	mac2 = "02:00:00:00:00:02"
)

var epoch = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func clusterConfig(name string) connection.Ref {
	return connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: name}
}

func at(subnet string) *place {
	return &place{network: "net", prefix: subnet, subnet: subnet, config: clusterConfig("default")}
}

// aged returns the metadata of an object that was made some seconds after the
// epoch.
func aged(namespace, name string, seconds int) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Namespace: namespace, Name: name, UID: types.UID(namespace + "/" + name),
		CreationTimestamp: metav1.NewTime(epoch.Add(time.Duration(seconds) * time.Second)),
	}
}

type ncOption func(*vitistack.NetworkConfiguration)

func nc(name string, macs []string, o ...ncOption) *vitistack.NetworkConfiguration {
	out := &vitistack.NetworkConfiguration{ObjectMeta: aged("ns", name, 0)}
	out.Spec.NetworkInterfaces = interfaces(macs...)
	for _, f := range o {
		f(out)
	}
	return out
}

func provider(p string) ncOption {
	return func(nc *vitistack.NetworkConfiguration) { nc.Spec.Provider = p }
}

func inNetwork(name string) ncOption {
	return func(nc *vitistack.NetworkConfiguration) { nc.Spec.NetworkNamespaceName = name }
}

func made(namespace string, seconds int) ncOption {
	return func(nc *vitistack.NetworkConfiguration) { nc.ObjectMeta = aged(namespace, nc.Name, seconds) }
}

func deleted(nc *vitistack.NetworkConfiguration) {
	nc.DeletionTimestamp = &metav1.Time{Time: epoch}
}

type nnOption func(*vitistack.NetworkNamespace)

func nn(name, prefix string, seconds int, o ...nnOption) vitistack.NetworkNamespace {
	out := vitistack.NetworkNamespace{ObjectMeta: aged("ns", name, seconds)}
	out.Status.IPv4Prefix = prefix
	for _, f := range o {
		f(&out)
	}
	return out
}

func allocation(kind, provider string) nnOption {
	return func(nn *vitistack.NetworkNamespace) {
		nn.Spec.IPAllocation = &vitistack.IPAllocation{Type: kind, Provider: provider}
	}
}

func provisioning(phase string) nnOption {
	return func(nn *vitistack.NetworkNamespace) { nn.Status.ProvisioningPhase = phase }
}

func annotated(value string) nnOption {
	return func(nn *vitistack.NetworkNamespace) {
		nn.Annotations = map[string]string{annotationProviderConfig: value}
	}
}

type krOption func(*v1alpha1.KeaReservation)

// kr is the KeaReservation that an apply makes for a NetworkConfiguration in a
// place.
func kr(nc *vitistack.NetworkConfiguration, p *place, mac string, o ...krOption) *v1alpha1.KeaReservation {
	name := reservationName(nc.Name, kea.HWAddress(mac))
	out := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{
		Namespace: nc.Namespace, Name: name, UID: types.UID(nc.Namespace + "/" + name),
		Labels:          labelsOf(nc, p),
		Annotations:     map[string]string{"crossplane.io/external-name": mac},
		OwnerReferences: []metav1.OwnerReference{controllerRef(nc)},
	}}
	out.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: p.config.Kind, Name: p.config.Name}
	out.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: p.subnet, HWAddress: mac}
	for _, f := range o {
		f(out)
	}
	return out
}

// holding is what one is like whose address Kea holds.
func holding(r *v1alpha1.KeaReservation) {
	r.Spec.ForProvider.IPAddress = "10.0.0.5"
	r.Status.AtProvider.IPAddress = "10.0.0.5"
	r.SetConditions(xpv2.Available(), xpv2.ReconcileSuccess())
}

func unready(reason xpv2.ConditionReason, message string) krOption {
	return func(r *v1alpha1.KeaReservation) {
		r.SetConditions(xpv2.Condition{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reason, Message: message, LastTransitionTime: metav1.NewTime(epoch)})
	}
}

func going(r *v1alpha1.KeaReservation) { r.DeletionTimestamp = &metav1.Time{Time: epoch} }

func orphaned(r *v1alpha1.KeaReservation) { r.OwnerReferences = nil }

func unlabelled(r *v1alpha1.KeaReservation) { r.Labels = nil }

// named puts KeaReservations under their names.
func named(rs ...*v1alpha1.KeaReservation) map[string]*v1alpha1.KeaReservation {
	out := map[string]*v1alpha1.KeaReservation{}
	for _, r := range rs {
		out[r.Name] = r
	}
	return out
}

// moved is the name of one that was created while the device had another.
func moved(nc *vitistack.NetworkConfiguration, p *place) krOption {
	return func(r *v1alpha1.KeaReservation) {
		r.Name = movedName(nc.Name, hwAddressOf(r), p)
		r.UID = types.UID(r.Namespace + "/" + r.Name)
	}
}

// waiting is what one is like whose device has no lease yet.
func waiting(r *v1alpha1.KeaReservation) {
	r.SetConditions(xpv2.Condition{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonAwaitingLease}, xpv2.ReconcileSuccess())
}
