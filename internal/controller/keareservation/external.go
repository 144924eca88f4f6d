// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// external observes and changes the host reservation of one reconcile.
type external struct {
	client client.Client
	groups *connection.Groups
	all    Reservations
	// group is nil where the resource may not use its subnet, and no group runs.
	group *group.Group
	// grant is what the resource may use.
	grant    reservation.Grant
	recorder event.Recorder
	created  *createdSet
	waiting  *resourceSet
	// accepted and wasReserved are what the status had before this reconcile: see
	// reservation.Intent.
	accepted    *kea.Reservation
	wasReserved bool
	// pinned reports that this reconcile put the address into the spec, and creates that it makes a
	// reservation.
	pinned, creates bool
	// recorded reports that the API server has something that says that the resource may be in Kea.
	recorded bool
	// ready is the Ready condition as observed after a write; empty if it could not be observed.
	ready xpv2.Condition
	// conditions are those of the resource before this reconcile.
	conditions []xpv2.Condition
}

// reasonContentLost is the reason of the event about what could not be kept of a reservation.
const reasonContentLost event.Reason = "ContentLost"

// Observe returns how the reservation stands, and puts it into the status.
func (e *external) Observe(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalObservation, error) {
	in, err := e.intent(mg)
	if err != nil {
		return managed.ExternalObservation{}, err
	}
	switch {
	case toRelease(mg), meta.WasDeleted(mg) && !in.Denied():
		return e.observeDeleted(ctx, mg, in)
	case meta.WasDeleted(mg):
		return managed.ExternalObservation{}, nil
	}
	e.accepted, e.wasReserved, e.recorded = in.Accepted, in.WasReserved, mayBeInKea(mg)
	o, err := e.look(ctx, in, allows(mg, xpv2.ManagementActionCreate))
	if err != nil {
		return managed.ExternalObservation{}, err
	}
	if o.State == reservation.NotAllowed {
		e.stopWaiting(mg, in)
	}
	o.Servers = lastSeen(mg, o.Servers)
	e.conditions = slices.Clone(mg.Status.Conditions)
	setStatus(mg, o, time.Now(), beforeWrite)
	e.pinned = pin(mg, o)
	return managed.ExternalObservation{
		ResourceExists:          exists(mg, o),
		ResourceUpToDate:        upToDate(mg, o),
		ResourceLateInitialized: e.pinned,
		Diff:                    o.Difference(),
	}, nil
}

// look returns how an intent stands, without a look at Kea if it may not use its subnet. With adds,
// what is missing is added next. While what it may use depends on the servers, an error of theirs
// is not the resource's to know.
func (e *external) look(ctx context.Context, in reservation.Intent, adds bool) (group.Observation, error) {
	if in.Denied() {
		return group.Observation{Observation: reservation.Observe(nil, in, reservation.Owner{})}, nil
	}
	err := e.group.Refresh(ctx, in, adds)
	var o group.Observation
	if err == nil {
		o, err = e.group.Observe(in)
	}
	if err != nil && in.DependsOnPrefix() && !e.group.Allows(in) {
		err = fmt.Errorf("cannot tell the prefix of %s now, and whether this namespace may use it: name the subnet by prefix", in.Subnet)
	}
	return o, err
}

// stopWaiting has Kea no longer asked for the lease of a resource that may not use its subnet any
// more. One that never could does not end the waiting of another resource of the device.
func (e *external) stopWaiting(mg *v1alpha1.KeaReservation, in reservation.Intent) {
	if e.group != nil && mg.GetCondition(xpv2.TypeReady).Reason == v1alpha1.ReasonAwaitingLease {
		e.group.StopWaiting(in)
	}
}

// exists reports whether there is something to observe, update or leave alone. A reservation that
// waits or is blocked is no reason to create one.
func exists(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	switch {
	case o.State == reservation.NotAllowed:
		return true
	case observeOnly(mg):
		return o.Held != nil
	case o.State != reservation.Pending:
		return true
	case o.Held != nil:
		return true
	case wasReserved(mg) && allows(mg, xpv2.ManagementActionUpdate):
		// What Kea has lost is restored like any other difference: the resource was created long
		// ago, and stays Ready meanwhile.
		return true
	default:
		return !allows(mg, xpv2.ManagementActionCreate)
	}
}

// upToDate reports whether there is nothing to update. What is not in Kea at all would be a create,
// whatever it is called.
func upToDate(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	return len(o.Steps) == 0 || observeOnly(mg) || (o.Held == nil && !allows(mg, xpv2.ManagementActionCreate))
}

// observeDeleted reports whether something of a resource that is being deleted is left in Kea.
func (e *external) observeDeleted(ctx context.Context, mg *v1alpha1.KeaReservation, in reservation.Intent) (managed.ExternalObservation, error) {
	remains, err := e.group.Remains(ctx, in, wasReserved(mg))
	if err != nil {
		return managed.ExternalObservation{}, fmt.Errorf("cannot tell whether the reservation is gone from every server: %w", err)
	}
	return managed.ExternalObservation{ResourceExists: remains, ResourceUpToDate: true}, nil
}

// wasReserved reports whether Kea held the reservation for this resource when it was last observed,
// so that one without a mark is ours to remove. One that is in the status of a resource that was
// never Ready, or was only observed, belongs to another owner.
func wasReserved(mg *v1alpha1.KeaReservation) bool {
	c := mg.GetCondition(xpv2.TypeReady)
	return mg.Status.AtProvider.IPAddress != "" && (c.Status == corev1.ConditionTrue || c.Reason == xpv2.ReasonDeleting) && !seenBlocked(mg)
}

// seenBlocked reports whether a server that has the subnet had something else than what was wanted,
// which was left alone.
func seenBlocked(mg *v1alpha1.KeaReservation) bool {
	return slices.ContainsFunc(mg.Status.AtProvider.Servers, func(s v1alpha1.ServerObservation) bool {
		return s.State == v1alpha1.ServerStateBlocked && s.SubnetID != nil
	})
}

// heldBefore reports whether what Kea has otherwise than wanted is drift, to be restored: also
// where an attempt to do that has failed, or was in conflict with another host. Nothing that has
// another address, and was never reserved for the resource, gets there without the adopt
// annotation.
func heldBefore(mg *v1alpha1.KeaReservation) bool {
	switch mg.GetCondition(xpv2.TypeReady).Reason {
	case xpv2.ReasonUnavailable, v1alpha1.ReasonAddressConflict, v1alpha1.ReasonIgnoredByKea:
		return mg.Status.AtProvider.IPAddress != ""
	default:
		return wasReserved(mg)
	}
}

// Create makes the reservation.
func (e *external) Create(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalCreation, error) {
	e.creates = true
	err := e.apply(ctx, mg)
	if err == nil {
		e.created.add(client.ObjectKeyFromObject(mg), e.ready)
	}
	return managed.ExternalCreation{}, err
}

// Update brings the reservation to what is wanted, and puts into the status how it stands then: the
// next reconcile may be far away.
func (e *external) Update(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalUpdate, error) {
	if err := e.recordUse(ctx, mg); err != nil {
		return managed.ExternalUpdate{}, err
	}
	return managed.ExternalUpdate{}, e.apply(ctx, mg)
}

func (e *external) apply(ctx context.Context, mg *v1alpha1.KeaReservation) error {
	in, err := e.intent(mg)
	if err != nil {
		return err
	}
	in.Accepted, in.WasReserved, in.LateInitialized = e.accepted, e.wasReserved, e.pinned
	warnings, werr := e.group.Apply(ctx, in)
	for _, w := range warnings {
		e.recorder.Event(mg, event.Warning(reasonContentLost, errors.New(w)))
	}
	werr = e.unpin(ctx, mg, werr)
	if in, err = e.intent(mg); err != nil {
		return errors.Join(werr, err)
	}
	in.Accepted, in.WasReserved = e.accepted, e.wasReserved
	if o, err := e.group.Observe(in); err == nil {
		o.Servers = lastSeen(mg, o.Servers)
		setStatus(mg, o, time.Now(), afterWrite)
		keepTransitions(mg, e.conditions)
		e.ready = mg.GetCondition(xpv2.TypeReady)
	}
	return werr
}

// Delete removes the reservation, wherever it is.
func (e *external) Delete(ctx context.Context, mg *v1alpha1.KeaReservation) (managed.ExternalDelete, error) {
	in, err := intentOf(mg)
	if err != nil {
		return managed.ExternalDelete{}, err
	}
	in.Grant = e.grant
	err = e.group.Release(ctx, in, wasReserved(mg))
	if _, waits := errors.AsType[*group.WaitingError](err); waits {
		e.waiting.add(client.ObjectKeyFromObject(mg))
	}
	return managed.ExternalDelete{}, err
}

// Disconnect does nothing: the group outlives the reconcile.
func (e *external) Disconnect(context.Context) error { return nil }
