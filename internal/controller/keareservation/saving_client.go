// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"maps"
	"sync"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// savingClient writes KeaReservations for crossplane-runtime, and saves two writes of their status:
// one that changes nothing, and the one after a create, which would say that the reservation is being
// created although it has been read back already.
type savingClient struct {
	client.Client

	created *createdSet
	written *lastWrites
}

// Update implements client.Client.
func (c *savingClient) Update(ctx context.Context, o client.Object, opts ...client.UpdateOption) error {
	err := c.Client.Update(ctx, o, opts...)
	c.written.add(o, err)
	return err //nolint:wrapcheck // crossplane-runtime looks at it.
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
	w.of.written.add(o, err)
	return err //nolint:wrapcheck // As above.
}

// isWritten reports whether the API server has a resource's status already. The cache says so only
// for the version that the reconcile has begun with, and that is no older than the provider's last
// write: see lastWrites.
func (c *savingClient) isWritten(ctx context.Context, mg *v1alpha1.KeaReservation) bool {
	cached := &v1alpha1.KeaReservation{}
	err := c.Get(ctx, client.ObjectKeyFromObject(mg), cached, client.UnsafeDisableDeepCopy)
	return err == nil && cached.UID == mg.UID && cached.ResourceVersion == mg.ResourceVersion &&
		!c.written.newerThan(cached) && !c.written.isUnknown(client.ObjectKeyFromObject(mg)) && equality.Semantic.DeepEqual(cached.Status, mg.Status)
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

// lastWrites has the version that each resource got by the provider's last write of it, until the cache
// has that. A reconcile that began with an older one would be refused what it writes, or would take a
// status for written that has been replaced since. Its methods may be called by several goroutines at
// once.
type lastWrites struct {
	mu sync.Mutex // guards what follows
	of map[types.NamespacedName]lastWrite
	// swept is when the writes that are too old to matter were last dropped: most resources are not
	// looked at again before they are polled.
	swept time.Time
	// unknown has the resources whose last write may have been carried out, although it failed.
	unknown map[types.NamespacedName]bool
}

type lastWrite struct {
	version string
	at      time.Time
}

// cachePoll is how often the cache is read until it has the provider's last write of a resource, and
// cacheLag how long, before other resources have their turn.
const (
	cachePoll = 5 * time.Millisecond
	cacheLag  = time.Second
)

// maxCacheLag is how long the cache is waited for in all: a version that never comes is that of an
// API server with its data restored from an older backup.
const maxCacheLag = time.Minute

func newLastWrites() *lastWrites {
	return &lastWrites{of: map[types.NamespacedName]lastWrite{}, unknown: map[types.NamespacedName]bool{}}
}

// add records a write of a KeaReservation, and the error that it had.
func (l *lastWrites) add(o client.Object, err error) {
	if _, ok := o.(*v1alpha1.KeaReservation); !ok {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	k := client.ObjectKeyFromObject(o)
	switch {
	case err == nil:
		now := time.Now()
		if now.Sub(l.swept) >= maxCacheLag {
			maps.DeleteFunc(l.of, func(_ types.NamespacedName, w lastWrite) bool { return now.Sub(w.at) >= maxCacheLag })
			l.swept = now
		}
		l.of[k] = lastWrite{version: o.GetResourceVersion(), at: now}
		delete(l.unknown, k)
	case !kerrors.IsConflict(err) && !kerrors.IsNotFound(err):
		l.unknown[k] = true
	}
}

// isUnknown reports whether the last write of a resource may have been carried out, although it failed.
func (l *lastWrites) isUnknown(k types.NamespacedName) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.unknown[k]
}

// newerThan reports whether the provider's last write of a resource is not in what the cache has of it.
func (l *lastWrites) newerThan(cached client.Object) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k := client.ObjectKeyFromObject(cached)
	w, ok := l.of[k]
	if !ok {
		return false
	}
	order, err := resourceversion.CompareResourceVersion(cached.GetResourceVersion(), w.version)
	if err == nil && order < 0 && time.Since(w.at) < maxCacheLag {
		return true
	}
	delete(l.of, k)
	return false
}

// forget drops what is known of a resource that is gone.
func (l *lastWrites) forget(k types.NamespacedName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.of, k)
	delete(l.unknown, k)
}
