// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"sync"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
)

// savingClient writes KeaReservations for crossplane-runtime, and saves two writes of their status:
// one that changes nothing, and the one after a create, which would say that the reservation is being
// created although it has been read back already.
type savingClient struct {
	client.Client

	created *createdSet
	written *cached.Writes
}

// Update implements client.Client.
func (c *savingClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	err := c.Client.Update(ctx, o, opts...)
	c.record(o, err)
	return err //nolint:wrapcheck // crossplane-runtime looks at it.
}

// record records a write of a KeaReservation.
func (c *savingClient) record(o client.Object, err error) {
	if _, ok := o.(*v1alpha1.KeaReservation); ok {
		c.written.Add(o, err)
	}
}

// Status implements client.Client.
func (c *savingClient) Status() client.SubResourceWriter {
	return &savingStatusWriter{SubResourceWriter: c.Client.Status(), of: c}
}

type savingStatusWriter struct {
	client.SubResourceWriter

	of *savingClient
}

// Update implements client.SubResourceWriter.
func (w *savingStatusWriter) Update(ctx context.Context, o client.Object, opts ...client.SubResourceUpdateOption) error {
	if mg, ok := o.(*v1alpha1.KeaReservation); ok {
		w.of.created.replaceCreating(mg)
		if w.of.isWritten(ctx, mg) {
			return nil
		}
	}
	err := w.SubResourceWriter.Update(ctx, o, opts...)
	w.of.record(o, err)
	return err //nolint:wrapcheck // As above.
}

// isWritten reports whether the API server has a resource's status already. The cache says so only
// for the version that the reconcile has begun with, and that is no older than the provider's last
// write: see cached.Writes.
func (c *savingClient) isWritten(ctx context.Context, mg *v1alpha1.KeaReservation) bool {
	has := &v1alpha1.KeaReservation{}
	err := c.Get(ctx, client.ObjectKeyFromObject(mg), has, client.UnsafeDisableDeepCopy)
	return err == nil && has.UID == mg.UID && has.ResourceVersion == mg.ResourceVersion &&
		!c.written.NewerThan(has) && !c.written.IsUnknown(client.ObjectKeyFromObject(mg)) && equality.Semantic.DeepEqual(has.Status, mg.Status)
}

// managerOf is a manager whose client is another one.
type managerOf struct {
	ctrl.Manager

	client client.Client
}

// GetClient implements manager.Manager.
func (m managerOf) GetClient() client.Client { return m.client }

// createdSet has the resources whose reservation has been made in the reconcile that is under way, each
// with its Ready condition as it was observed after that; without one if it could not be observed. Its
// methods may be called by several goroutines at once.
type createdSet struct {
	mu    sync.Mutex // guards ready
	ready map[types.NamespacedName]xpv2.Condition
}

func newCreatedSet() *createdSet {
	return &createdSet{ready: map[types.NamespacedName]xpv2.Condition{}}
}

func (s *createdSet) add(k types.NamespacedName, ready xpv2.Condition) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ready[k] = ready
}

// take reports whether a resource is in the set, and removes it.
func (s *createdSet) take(k types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.ready[k]
	delete(s.ready, k)
	return ok
}

// replaceCreating has a resource say that it is Ready where crossplane-runtime would have it say,
// after a create without an error, that it is being created.
func (s *createdSet) replaceCreating(mg *v1alpha1.KeaReservation) {
	s.mu.Lock()
	defer s.mu.Unlock()
	ready, ok := s.ready[client.ObjectKeyFromObject(mg)]
	if ok && ready.Status == corev1.ConditionTrue && ready.ObservedGeneration == mg.GetGeneration() &&
		mg.GetCondition(xpv2.TypeReady).Reason == xpv2.ReasonCreating && mg.GetCondition(xpv2.TypeSynced).Status == corev1.ConditionTrue {
		mg.SetConditions(ready)
	}
}
