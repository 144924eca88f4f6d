// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/group"
)

// connector gives a KeaReservation the group of servers of its provider
// configuration.
type connector struct {
	client      client.Client
	connections *providerconfig.Connections
}

// Connect records the use of the provider configuration and gives its group.
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
	g, err := c.connections.Group(ctx, ref)
	if err != nil {
		return nil, err
	}
	return &external{client: c.client, group: g}, nil
}

// config gets a provider configuration, and tells of a missing one by its name.
func (c *connector) config(ctx context.Context, ref providerconfig.Ref) (resource.ProviderConfig, error) {
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

func refOf(mg *v1alpha1.KeaReservation) providerconfig.Ref {
	r := mg.GetProviderConfigReference()
	if r == nil {
		// The API server fills it in; this is for objects that it has not seen.
		r = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
	}
	return providerconfig.RefFor(mg.GetNamespace(), r.Kind, r.Name)
}

// external observes and changes the host reservation of one reconcile.
type external struct {
	client client.Client
	group  *group.Group
	// pinned tells that this reconcile put the address into the spec.
	pinned bool
}

// Observe tells how the reservation stands: see group.Observe.
func (e *external) Observe(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalObservation, error) {
	in, err := e.intent(ctx, mg)
	if err != nil {
		return managed.ExternalObservation{}, err
	}
	if meta.WasDeleted(mg) {
		return e.observeDeleted(ctx, mg, in)
	}
	o, err := e.group.Observe(ctx, in)
	if err != nil {
		return managed.ExternalObservation{}, err
	}
	report(mg, o, time.Now())
	e.pinned = pin(mg, o)
	return managed.ExternalObservation{
		ResourceExists:          exists(mg, o),
		ResourceUpToDate:        upToDate(mg, o),
		ResourceLateInitialized: e.pinned,
		Diff:                    o.Diff,
	}, nil
}

// exists tells whether there is something to observe, update or leave alone. A
// reservation that waits or is blocked is no reason to create one.
func exists(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	switch {
	case observeOnly(mg):
		return o.Held.SubnetID != 0
	case o.State != group.Pending:
		return true
	case o.Exists || o.Held.SubnetID != 0:
		return true
	default:
		return !may(mg, xpv2.ManagementActionCreate)
	}
}

// upToDate tells whether there is nothing to update. What is not in Kea at all
// would be a create, whatever it is called.
func upToDate(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	return !o.Write || observeOnly(mg) || (o.Held.SubnetID == 0 && !may(mg, xpv2.ManagementActionCreate))
}

// pin late-initializes the address: that which Kea holds, or the one of the
// device's lease that is about to be reserved. The API server has it then before
// Kea does, with the write that precedes a create.
func pin(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	if (o.State != group.Reserved && o.State != group.Pending) || mg.Spec.ForProvider.IPAddress != "" || !o.Address.IsValid() ||
		!may(mg, xpv2.ManagementActionLateInitialize) {
		return false
	}
	mg.Spec.ForProvider.IPAddress = o.Address.String()
	return true
}

// observeDeleted tells whether something of a resource that is being deleted is
// left in Kea.
func (e *external) observeDeleted(ctx context.Context, mg *v1alpha1.KeaReservation, in group.Intent) (managed.ExternalObservation, error) {
	left, err := e.group.Left(ctx, in, hadIt(mg))
	if err != nil {
		return managed.ExternalObservation{}, fmt.Errorf("cannot tell whether every server has let go of the reservation: %w", err)
	}
	return managed.ExternalObservation{ResourceExists: left, ResourceUpToDate: true}, nil
}

// hadIt tells whether the reservation was held for this resource when it was
// last looked at, so that one without a mark is ours to remove. One that is in
// the status of a resource that was never Ready is somebody else's.
func hadIt(mg *v1alpha1.KeaReservation) bool {
	c := mg.GetCondition(xpv2.TypeReady)
	return mg.Status.AtProvider.IPAddress != "" && (c.Status == corev1.ConditionTrue || c.Reason == xpv2.ReasonDeleting)
}

// Create makes the reservation.
func (e *external) Create(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalCreation, error) {
	in, err := e.intent(ctx, mg)
	if err != nil {
		return managed.ExternalCreation{}, err
	}
	return managed.ExternalCreation{}, e.unpin(ctx, mg, e.group.Ensure(ctx, in))
}

// Update brings the reservation to what is wanted, and tells at once how it
// stands then: the next reconcile may be far away.
func (e *external) Update(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalUpdate, error) {
	in, err := e.intent(ctx, mg)
	if err != nil {
		return managed.ExternalUpdate{}, err
	}
	werr := e.unpin(ctx, mg, e.group.Ensure(ctx, in))
	if in, err = e.intent(ctx, mg); err != nil {
		return managed.ExternalUpdate{}, errors.Join(werr, err)
	}
	if o, err := e.group.Observe(ctx, in); err == nil {
		report(mg, o, time.Now())
	}
	return managed.ExternalUpdate{}, werr
}

// unpin takes the address that this reconcile has put into the spec out again, if
// err tells that somebody else's reservation of it came first. The device will get
// another lease, and is to follow it. It returns err, and what else went wrong.
func (e *external) unpin(ctx context.Context, mg *v1alpha1.KeaReservation, err error) error {
	blocked, ok := errors.AsType[*group.BlockedError](err)
	if !ok || !e.pinned || blocked.State != group.AddressConflict {
		return err
	}
	mg.Spec.ForProvider.IPAddress = ""
	if uerr := e.client.Update(ctx, mg); uerr != nil {
		return errors.Join(err, fmt.Errorf("cannot take the address out of the spec: %w", uerr))
	}
	return err
}

// Delete removes the reservation, wherever it is.
func (e *external) Delete(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalDelete, error) {
	in, err := intentOf(mg)
	if err != nil {
		return managed.ExternalDelete{}, err
	}
	return managed.ExternalDelete{}, e.group.Release(ctx, in)
}

// Disconnect does nothing: the group outlives the reconcile.
func (e *external) Disconnect(context.Context) error { return nil }
