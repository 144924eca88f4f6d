// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
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
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// connector connects a KeaReservation to the servers of its provider configuration.
type connector struct {
	client   client.Client
	groups   *connection.Groups
	all      Reservations
	users    *providerconfig.Users
	labels   labeler
	recorder event.Recorder
	created  *createdSet
	waiting  *resourceSet
}

// readWait is how long a worker waits for a provider configuration that was created just now: no
// longer, since it may be that it cannot be read.
const readWait = 2 * time.Second

// Connect waits until the provider configuration has been read, and for its servers only if that was
// done just now; not for a resource that may not use them. It keeps the configuration from being
// deleted until the resource has its finalizer: until Disconnect.
func (c *connector) Connect(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.TypedExternalClient[*v1alpha1.KeaReservation], error) {
	if meta.WasDeleted(mg) && !mayBeInKea(mg) {
		return nothingInKea(), nil
	}
	ref := connection.RefOf(mg)
	pc, err := configOf(ctx, c.client, ref)
	if _, missing := errors.AsType[configMissingError](err); missing && meta.WasDeleted(mg) && !providerconfig.IsUser(mg) {
		return nothingInKea(), nil
	}
	if err != nil {
		return nil, err
	}
	grant, err := c.grant(ctx, pc, mg)
	if err != nil {
		return nil, err
	}
	e := &external{client: c.client, groups: c.groups, all: c.all, grant: grant, recorder: c.recorder, created: c.created, waiting: c.waiting}
	in, _ := intentOf(mg) // What is wrong with it is reported later.
	in.Grant = grant
	if in.Denied() && !toRelease(mg) {
		e.group, _ = c.groups.Running(ref)
		return e, nil
	}
	return c.open(ctx, e, in, pc, mg)
}

// open has an external client use the group of its provider configuration, and makes the resource a
// user of that. A resource that may not use the configuration must not keep it from being deleted.
func (c *connector) open(ctx context.Context, e *external, in reservation.Intent, pc resource.ProviderConfig, mg *v1alpha1.KeaReservation) (managed.TypedExternalClient[*v1alpha1.KeaReservation], error) {
	ref := connection.RefOf(mg)
	s := &trackedExternal{external: e, end: func() {}}
	if !in.DependsOnPrefix() {
		if err := s.begin(c.users, ref, pc, mg); err != nil {
			return nil, err
		}
	}
	var err error
	if e.group, err = c.group(ctx, ref); err != nil {
		s.end()
		return nil, err
	}
	if in.DependsOnPrefix() && e.group.Allows(in) {
		if err := s.begin(c.users, ref, pc, mg); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// group returns the servers of a provider configuration.
func (c *connector) group(ctx context.Context, ref connection.Ref) (*group.Group, error) {
	read, cancel := context.WithTimeout(ctx, readWait)
	defer cancel()
	g, err := c.groups.Group(read, ref)
	if err != nil {
		return nil, err //nolint:wrapcheck // It names the provider configuration, and says what is wrong with it.
	}
	// Only where the group was opened just now: see holdWhileUnusable.
	g.AwaitTried(ctx)
	return g, nil
}

// trackedExternal is an external client that may make its resource a user of the provider configuration.
type trackedExternal struct {
	*external

	end func()
}

// begin begins to use the provider configuration, if the resource is not a user yet.
func (s *trackedExternal) begin(users *providerconfig.Users, ref connection.Ref, pc resource.ProviderConfig, mg *v1alpha1.KeaReservation) error {
	if meta.WasDeleted(mg) || !providerconfig.IsNew(mg) {
		return nil
	}
	end, err := users.Begin(ref, pc)
	if err != nil {
		return err //nolint:wrapcheck // It says what to do.
	}
	s.end = end
	return nil
}

// Disconnect ends what begin began. The API server has the resource's finalizer by now, if it was
// added, and the annotation that precedes a create.
func (s *trackedExternal) Disconnect(ctx context.Context) error {
	s.end()
	return s.external.Disconnect(ctx)
}

// nothingInKea is the external client of a deleted resource that has nothing in Kea: it goes also
// without its provider configuration, which does not wait for it.
func nothingInKea() managed.TypedExternalClient[*v1alpha1.KeaReservation] {
	return managed.TypedExternalClientFns[*v1alpha1.KeaReservation]{
		ObserveFn: func(context.Context, *v1alpha1.KeaReservation) (managed.ExternalObservation, error) {
			return managed.ExternalObservation{}, nil
		},
		DisconnectFn: func(context.Context) error { return nil },
	}
}

// grant returns what a resource may use. What has its own mark is released also where that is not
// known.
func (c *connector) grant(ctx context.Context, pc resource.ProviderConfig, mg *v1alpha1.KeaReservation) (reservation.Grant, error) {
	grant, err := grantOf(ctx, pc, mg.GetNamespace(), c.labels)
	if err != nil && toRelease(mg) {
		return reservation.Grant{Limited: true}, nil
	}
	return grant, err
}

// toRelease reports whether a resource is being deleted, and may have something in Kea.
func toRelease(mg *v1alpha1.KeaReservation) bool {
	return meta.WasDeleted(mg) && meta.FinalizerExists(mg, managed.FinalizerName) && mayBeInKea(mg)
}

// configMissingError is that of a provider configuration that does not exist.
type configMissingError struct{ ref connection.Ref }

// Error says what to do.
func (e configMissingError) Error() string {
	return fmt.Sprintf("cannot find %s: create it, or correct spec.providerConfigRef", e.ref)
}

// configOf returns a provider configuration; the error for a missing one names it.
func configOf(ctx context.Context, c client.Reader, ref connection.Ref) (resource.ProviderConfig, error) {
	pc := ref.Empty()
	if pc == nil {
		return nil, fmt.Errorf("cannot use spec.providerConfigRef.kind %q: it must be %s or %s", ref.Kind, v1alpha1.ClusterProviderConfigKind, v1alpha1.ProviderConfigKind)
	}
	err := c.Get(ctx, types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}, pc)
	if kerrors.IsNotFound(err) {
		return nil, configMissingError{ref: ref}
	}
	if err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	return pc, nil
}
