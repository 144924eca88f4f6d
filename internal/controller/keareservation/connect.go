// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/kea"
)

// connector connects a KeaReservation to the servers of its provider configuration.
type connector struct {
	client   client.Client
	groups   *connection.Groups
	recorder event.Recorder
	created  *resourceSet
	waiting  *resourceSet
}

// Connect records the use of the provider configuration, and waits until its servers have been read
// for the first time.
func (c *connector) Connect(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.TypedExternalClient[*v1alpha1.KeaReservation], error) {
	ref := refOf(mg)
	pc, err := c.config(ctx, ref)
	if err != nil {
		return nil, err
	}
	if !meta.WasDeleted(mg) {
		if err := providerconfig.Track(ctx, c.client, mg, pc); err != nil {
			return nil, err
		}
	}
	g, err := c.groups.Group(ctx, ref)
	if err != nil {
		return nil, err
	}
	hw, _ := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress) // What is wrong with it is reported later.
	if err := g.Await(ctx, hw); err != nil {
		return nil, fmt.Errorf("cannot use %s: %w", ref, err)
	}
	return &external{client: c.client, group: g, recorder: c.recorder, created: c.created, waiting: c.waiting}, nil
}

// config returns a provider configuration; the error for a missing one names it.
func (c *connector) config(ctx context.Context, ref connection.Ref) (resource.ProviderConfig, error) {
	var pc resource.ProviderConfig
	switch ref.Kind {
	case v1alpha1.ClusterProviderConfigKind:
		pc = &v1alpha1.ClusterProviderConfig{}
	case v1alpha1.ProviderConfigKind:
		pc = &v1alpha1.ProviderConfig{}
	default:
		return nil, fmt.Errorf("cannot use spec.providerConfigRef.kind %q: it must be %s or %s", ref.Kind, v1alpha1.ClusterProviderConfigKind, v1alpha1.ProviderConfigKind)
	}
	err := c.client.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, pc)
	if kerrors.IsNotFound(err) {
		return nil, fmt.Errorf("cannot find %s: create it, or correct spec.providerConfigRef", ref)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	return pc, nil
}

// refOf returns the provider configuration of a KeaReservation.
func refOf(mg *v1alpha1.KeaReservation) connection.Ref {
	return connection.RefOf(mg.GetNamespace(), mg.GetProviderConfigReference())
}
