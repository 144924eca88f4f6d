// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"time"

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
	"github.com/vitistack/provider-kea/internal/reservation"
)

// connector connects a KeaReservation to the servers of its provider configuration.
type connector struct {
	client   client.Client
	groups   *connection.Groups
	labels   labeler
	recorder event.Recorder
	created  *resourceSet
	waiting  *resourceSet
}

// readWait is how long a worker waits for a provider configuration that was created just now: no longer,
// since it may be that it cannot be read.
const readWait = 2 * time.Second

// Connect records the use of the provider configuration, and waits until that has been read. It waits
// for servers only if the provider configuration was read meanwhile. It does neither for a resource
// that may not use them.
func (c *connector) Connect(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.TypedExternalClient[*v1alpha1.KeaReservation], error) {
	ref := refOf(mg)
	pc, err := configOf(ctx, c.client, ref)
	if err != nil {
		return nil, err
	}
	grant, err := c.grant(ctx, pc, mg)
	if err != nil {
		return nil, err
	}
	e := &external{client: c.client, groups: c.groups, grant: grant, recorder: c.recorder, created: c.created, waiting: c.waiting}
	in, _ := intentOf(mg) // What is wrong with it is reported later.
	in.Grant = grant
	if in.Denied() && !toRelease(mg) {
		e.group, _ = c.groups.Running(ref)
		return e, nil
	}
	track := func() error { return providerconfig.Track(ctx, c.client, mg, pc) }
	if !meta.WasDeleted(mg) && !in.DependsOnPrefix() {
		if err := track(); err != nil {
			return nil, err
		}
	}
	read, cancel := context.WithTimeout(ctx, readWait)
	defer cancel()
	g, err := c.groups.Group(read, ref)
	if err != nil {
		return nil, err
	}
	// Only where the group was opened just now: see holdWhileUnusable.
	g.AwaitTried(ctx)
	// Who may not use the configuration must not keep it from being deleted.
	if !meta.WasDeleted(mg) && in.DependsOnPrefix() && g.Allows(in) {
		if err := track(); err != nil {
			return nil, err
		}
	}
	e.group = g
	return e, nil
}

// grant returns what a resource may use. What has its own mark is released also where that cannot be
// told.
func (c *connector) grant(ctx context.Context, pc resource.ProviderConfig, mg *v1alpha1.KeaReservation) (reservation.Grant, error) {
	grant, err := grantOf(ctx, pc, mg.GetNamespace(), c.labels)
	if err != nil && toRelease(mg) {
		return reservation.Grant{Limited: true}, nil
	}
	return grant, err
}

// toRelease reports whether a resource is being deleted, and may have something in Kea: its
// finalizer is added as soon as it may use its subnet.
func toRelease(mg *v1alpha1.KeaReservation) bool {
	return meta.WasDeleted(mg) && meta.FinalizerExists(mg, managed.FinalizerName)
}

// configOf returns a provider configuration; the error for a missing one names it.
func configOf(ctx context.Context, c client.Reader, ref connection.Ref) (resource.ProviderConfig, error) {
	var pc resource.ProviderConfig
	switch ref.Kind {
	case v1alpha1.ClusterProviderConfigKind:
		pc = &v1alpha1.ClusterProviderConfig{}
	case v1alpha1.ProviderConfigKind:
		pc = &v1alpha1.ProviderConfig{}
	default:
		return nil, fmt.Errorf("cannot use spec.providerConfigRef.kind %q: it must be %s or %s", ref.Kind, v1alpha1.ClusterProviderConfigKind, v1alpha1.ProviderConfigKind)
	}
	err := c.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, pc)
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
