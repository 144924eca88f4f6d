// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"net/netip"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// places is what is known about places. Its functions read what is there and do
// not wait for Kea.
type places struct {
	// works returns nil if reservations of a namespace can be made in a place, or
	// why they cannot.
	works func(at *place, namespace string) error

	// owner returns the KeaReservation, as namespace/name, that Kea's reservation
	// for a device in a place is marked with; "" if there is none of this cluster.
	owner func(at *place, mac kea.HWAddress) string

	// confirms reports whether a user has confirmed, on a provider configuration, that
	// its KeaReservations are removed.
	confirms func(ref connection.Ref) bool
}

// A survey finds out about places.
type survey struct {
	kube   client.Reader
	groups *connection.Groups
	// labels returns the labels of a namespace.
	labels func(ctx context.Context, namespace string) (map[string]string, error)
}

func (v *survey) places(ctx context.Context) places {
	return places{
		works: func(at *place, namespace string) error { return v.works(ctx, at, namespace) },
		owner: v.owner,
		confirms: func(ref connection.Ref) bool {
			pc, err := v.config(ctx, ref)
			return err == nil && confirmsRemovals(pc)
		},
	}
}

// works returns texts that stay the same while the cause does: they get into the
// status of every NetworkConfiguration of a network.
func (v *survey) works(ctx context.Context, at *place, namespace string) error {
	pc, err := v.config(ctx, at.config)
	if err != nil {
		return err
	}
	if c := pc.GetCondition(xpv2.TypeReady); c.Status != corev1.ConditionTrue {
		return fmt.Errorf("%s is not Ready: its status says why", at.config)
	}
	if err := v.allowed(ctx, pc, at, namespace); err != nil {
		return err
	}
	group, running := v.groups.Running(at.config)
	if !running {
		return fmt.Errorf("%s is not Ready: its status says why", at.config)
	}
	if subnet, ok := subnetOf(at); !ok || !group.HasSubnet(subnet) {
		return fmt.Errorf("no server of %s that can be used has subnet %s: add it to Kea, or correct status.ipv4Prefix of NetworkNamespace %s", at.config, at.subnet, at.network)
	}
	return nil
}

// allowed returns nil if a namespace may use a place, or why not.
func (v *survey) allowed(ctx context.Context, pc providerConfig, at *place, namespace string) error {
	cluster, ok := pc.(*v1alpha1.ClusterProviderConfig)
	if !ok || len(cluster.Spec.Access) == 0 {
		return nil
	}
	labels, err := v.labels(ctx, namespace)
	if err != nil {
		return err
	}
	if subnet, ok := subnetOf(at); ok && connection.MayUse(cluster.Spec.Access, labels, subnet.Prefix) {
		return nil
	}
	return fmt.Errorf("%s does not let this namespace use %s: who manages it can allow that in spec.access", at.config, at.subnet)
}

// A providerConfig is a provider configuration of either kind.
type providerConfig interface {
	client.Object
	GetCondition(ct xpv2.ConditionType) xpv2.Condition
}

// config returns a provider configuration from the cache.
func (v *survey) config(ctx context.Context, ref connection.Ref) (providerConfig, error) {
	pc := newProviderConfig(ref)
	err := v.kube.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, pc)
	if kerrors.IsNotFound(err) {
		return nil, fmt.Errorf("%s does not exist: create it, or correct annotation %s of the NetworkNamespace", ref, annotationProviderConfig)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	return pc, nil
}

// newProviderConfig returns an empty provider configuration of the kind that a
// reference names.
func newProviderConfig(ref connection.Ref) providerConfig {
	if ref.Kind == v1alpha1.ProviderConfigKind {
		return &v1alpha1.ProviderConfig{}
	}
	return &v1alpha1.ClusterProviderConfig{}
}

func (v *survey) owner(at *place, mac kea.HWAddress) string {
	group, running := v.groups.Running(at.config)
	subnet, ok := subnetOf(at)
	if !running || !ok {
		return ""
	}
	return group.MarkedBy(subnet, mac)
}

// subnetOf returns the subnet of a place, as Kea's servers are asked for it.
func subnetOf(at *place) (reservation.SubnetRef, bool) {
	prefix, err := netip.ParsePrefix(at.subnet)
	return reservation.SubnetRef{Prefix: prefix}, err == nil
}
