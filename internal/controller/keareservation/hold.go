// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
)

// holdWhileUnusable keeps a resource from being tried again and again while its provider
// configuration cannot be used, and from being tried before the servers have been read for the
// first time: the waker enqueues it then. No worker waits for a server to be read.
type holdWhileUnusable struct {
	reconcile.Reconciler

	here   served
	reader client.Reader
	poll   time.Duration
	// away reports whether some servers of a resource are away, and whether all are. It sees to it
	// that the resource is enqueued when one of these has come back.
	away func(*v1alpha1.KeaReservation) (some, all bool)
	// untilTried returns how long a resource is to be left alone since servers have not been read
	// yet.
	untilTried func(context.Context, *v1alpha1.KeaReservation) time.Duration
	// created has the resources whose reservation has just been made, and waiting those that have
	// been deleted and wait for a server.
	created *createdSet
	waiting *resourceSet
	written *cached.Writes
}

// resourceSet is a set of resources. Its methods may be called by several goroutines at once.
type resourceSet struct {
	mu   sync.Mutex // guards keys
	keys map[types.NamespacedName]struct{}
}

func newResourceSet() *resourceSet { return &resourceSet{keys: map[types.NamespacedName]struct{}{}} }

func (s *resourceSet) add(k types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[k] = struct{}{}
}

// take reports whether a resource is in the set, and removes it.
func (s *resourceSet) take(k types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.keys[k]
	delete(s.keys, k)
	return ok
}

// Reconcile a KeaReservation.
func (h *holdWhileUnusable) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	mg := &v1alpha1.KeaReservation{}
	err := h.written.Get(ctx, h.reader, req.NamespacedName, mg, client.UnsafeDisableDeepCopy)
	switch {
	case kerrors.IsConflict(err):
		// With the backoff: what it comes from must not start over.
		return reconcile.Result{Requeue: true, Priority: new(prioritySingle)}, nil //nolint:staticcheck // It is what crossplane-runtime answers, too.
	case err == nil:
		has, err := h.here.has(ctx, mg)
		if err != nil {
			return reconcile.Result{}, err
		}
		if !has {
			// Another process writes it from now on.
			h.written.Forget(req.NamespacedName)
			return reconcile.Result{}, nil
		}
		if d := h.untilTried(ctx, mg); d > 0 {
			return reconcile.Result{RequeueAfter: d}, nil
		}
	}
	res, err := h.reconcile(ctx, req)
	switch {
	case err != nil || res.Requeue: //nolint:staticcheck // It is what crossplane-runtime answers after an error.
		res.Priority = new(prioritySingle)
	case res.RequeueAfter >= minPoll:
		res.Priority = new(priorityMany)
	}
	return res, err
}

// reconcile reconciles a KeaReservation, and decides when that is to be done again.
func (h *holdWhileUnusable) reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	res, err := h.Reconciler.Reconcile(ctx, req)
	if h.created.take(req.NamespacedName) && err == nil && res.Requeue { //nolint:staticcheck // As below.
		// The next reconcile finds it Ready, which counts for crossplane-runtime's metrics, or
		// reports why it is not. It must not wait for what earlier errors have made of the backoff,
		// as the one that crossplane-runtime asks for would.
		return reconcile.Result{RequeueAfter: time.Millisecond}, nil
	}
	waits := h.waiting.take(req.NamespacedName)
	if err != nil || !res.Requeue { //nolint:staticcheck // It is what crossplane-runtime answers after an error.
		return res, err
	}
	mg := &v1alpha1.KeaReservation{}
	if err := h.reader.Get(ctx, req.NamespacedName, mg, client.UnsafeDisableDeepCopy); err != nil {
		return res, client.IgnoreNotFound(err) //nolint:wrapcheck // It is the cache's, which names what it was asked for.
	}
	if some, all := h.away(mg); (all || waits && some) && !hasWorkWithoutKea(mg) {
		return reconcile.Result{RequeueAfter: wait.Jitter(h.poll, pollJitter)}, nil
	}
	return res, nil
}

// away returns a function for holdWhileUnusable. A resource whose provider configuration cannot be
// used is enqueued when that changes.
func away(c *connection.Groups) func(*v1alpha1.KeaReservation) (some, all bool) {
	return func(mg *v1alpha1.KeaReservation) (some, all bool) {
		g, ok := c.Running(connection.RefOf(mg))
		if !ok {
			return true, true
		}
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			return false, false
		}
		return g.TrackAway(hw)
	}
}

// untilTried returns a function for holdWhileUnusable.
func untilTried(c *connection.Groups, reader client.Reader) func(context.Context, *v1alpha1.KeaReservation) time.Duration {
	return func(ctx context.Context, mg *v1alpha1.KeaReservation) time.Duration {
		g, ok := c.Running(connection.RefOf(mg))
		if !ok {
			return untilConfigured(ctx, reader, mg)
		}
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			return 0
		}
		return g.UntilTried(hw)
	}
}

// configPoll is how often the cache is read for a provider configuration that is not there yet.
const configPoll = 250 * time.Millisecond

// untilConfigured returns how long a resource that was created just now is left alone as its
// provider configuration is not there: both may have been created together, and a cache may have
// one before the other.
func untilConfigured(ctx context.Context, reader client.Reader, mg *v1alpha1.KeaReservation) time.Duration {
	if time.Since(mg.GetCreationTimestamp().Time).Abs() > readWait || meta.WasDeleted(mg) {
		return 0
	}
	_, err := configOf(ctx, reader, connection.RefOf(mg))
	if _, missing := errors.AsType[configMissingError](err); missing {
		return configPoll
	}
	return 0
}

// hasWorkWithoutKea reports whether a retry is useful although Kea is unusable: to write the
// status, where that failed because of a conflict, or to remove the finalizer of a resource that is
// deleted without its reservation.
func hasWorkWithoutKea(mg *v1alpha1.KeaReservation) bool {
	if meta.WasDeleted(mg) && !allows(mg, xpv2.ManagementActionDelete) {
		return true
	}
	return mg.GetCondition(xpv2.TypeSynced).Status != corev1.ConditionFalse
}
