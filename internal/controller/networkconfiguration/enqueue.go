// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"maps"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// An enqueuer enqueues the NetworkConfigurations that an event concerns. It has no
// state of its own.
type enqueuer struct {
	vitistack client.Reader
	machines  machines
	policy    policy
	shard     connection.Shard
	waits     *waits
}

// requests are the NetworkConfigurations that an event concerns.
type requests map[types.NamespacedName]bool

func (c requests) enqueue(q queue) {
	for name := range c {
		q.Add(reconcile.Request{NamespacedName: name})
	}
}

// onNetworkConfiguration enqueues it, and those that name one of its hardware
// addresses: they may have to wait for it, or need not wait any longer.
func (w *enqueuer) onNetworkConfiguration() handler.Funcs {
	add := func(q queue, versions ...client.Object) {
		c := requests{}
		for _, v := range versions {
			if nc, ok := v.(*vitistack.NetworkConfiguration); ok {
				w.withRivals(c, nc)
			}
		}
		c.enqueue(q)
	}
	return handlerFuncs(add)
}

// onNetworkNamespace enqueues the NetworkConfigurations that use it, or might, and
// with them those that compete with them.
func (w *enqueuer) onNetworkNamespace() handler.Funcs {
	add := func(q queue, versions ...client.Object) {
		c := requests{}
		nn := versions[0]
		for _, nc := range w.machines.in(nn.GetNamespace()) {
			if name := nc.Spec.NetworkNamespaceName; name == "" || name == nn.GetName() {
				w.withRivals(c, nc)
			}
		}
		c.enqueue(q)
	}
	return handlerFuncs(add)
}

// onKeaReservation enqueues the NetworkConfiguration that controls it or wants its
// name. When it is deleted, or holds its address or no longer does, or has another
// controller, so are those that name its hardware address.
func (w *enqueuer) onKeaReservation() handler.Funcs {
	rivals := func(c requests, o client.Object) {
		if r, ok := o.(*v1alpha1.KeaReservation); ok {
			c.add(w.machines.withMAC(hwAddressOf(r))...)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) {
			c := requests{}
			w.usersOf(c, e.Object)
			c.enqueue(q)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) {
			c := requests{}
			w.usersOf(c, e.ObjectNew)
			w.usersOf(c, e.ObjectOld)
			if !sameClaim(e.ObjectOld, e.ObjectNew) {
				rivals(c, e.ObjectNew)
			}
			c.enqueue(q)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) {
			c := requests{}
			w.usersOf(c, e.Object)
			rivals(c, e.Object)
			c.enqueue(q)
		},
	}
}

// sameClaim reports whether two versions of a KeaReservation mean the same to those
// that compete for its hardware address.
func sameClaim(a, b client.Object) bool {
	x, okX := a.(*v1alpha1.KeaReservation)
	y, okY := b.(*v1alpha1.KeaReservation)
	return okX && okY && holds(x) == holds(y) && equality.Semantic.DeepEqual(x.OwnerReferences, y.OwnerReferences)
}

// usersOf adds the NetworkConfigurations that control a KeaReservation or want
// its name.
func (w *enqueuer) usersOf(c requests, o client.Object) {
	r, ok := o.(*v1alpha1.KeaReservation)
	if !ok {
		return
	}
	if name, ok := controllerOf(r); ok {
		c[types.NamespacedName{Namespace: r.Namespace, Name: name}] = true
	}
	c.add(w.machines.wanting(r.Namespace, r.Name)...)
	if first := firstName(r.Name); first != r.Name {
		c.add(w.machines.wanting(r.Namespace, first)...)
	}
}

// withRivals adds a NetworkConfiguration and those that name one of its hardware
// addresses.
func (w *enqueuer) withRivals(c requests, nc *vitistack.NetworkConfiguration) {
	c.add(nc)
	for _, mac := range macsOf(nc) {
		c.add(w.machines.withMAC(mac)...)
	}
}

func (c requests) add(ncs ...*vitistack.NetworkConfiguration) {
	for _, nc := range ncs {
		c[client.ObjectKeyFromObject(nc)] = true
	}
}

// handlerFuncs calls add with every version of an object that an event has.
func handlerFuncs(add func(q queue, versions ...client.Object)) handler.Funcs {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, q queue) { add(q, e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, q queue) { add(q, e.ObjectNew, e.ObjectOld) },
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, q queue) { add(q, e.Object) },
	}
}

// changed returns a predicate that drops updates for which same reports true.
func changed[T client.Object](same func(a, b T) bool) predicate.Funcs {
	return predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		before, ok := e.ObjectOld.(T)
		if !ok {
			return true
		}
		after, ok := e.ObjectNew.(T)
		return !ok || !same(before, after)
	}}
}

// sameNetworkConfiguration ignores the status, which is mostly our own.
func sameNetworkConfiguration(a, b *vitistack.NetworkConfiguration) bool {
	return sameMeta(a, b) && a.Generation == b.Generation && slices.Equal(a.Finalizers, b.Finalizers)
}

func sameNetworkNamespace(a, b *vitistack.NetworkNamespace) bool {
	return sameMeta(a, b) && a.Generation == b.Generation && a.Status == b.Status
}

// sameKeaReservation ignores what is not in a NetworkConfiguration's status, above
// all the lease, which changes all the time.
func sameKeaReservation(a, b *v1alpha1.KeaReservation) bool {
	return sameMeta(a, b) && a.Generation == b.Generation &&
		equality.Semantic.DeepEqual(a.OwnerReferences, b.OwnerReferences) &&
		a.Status.AtProvider.IPAddress == b.Status.AtProvider.IPAddress &&
		a.Status.AtProvider.Gateway == b.Status.AtProvider.Gateway &&
		slices.Equal(a.Status.AtProvider.DNSServers, b.Status.AtProvider.DNSServers) &&
		sameCondition(a, b, xpv2.TypeReady) &&
		a.GetCondition(xpv2.TypeSynced).Status == b.GetCondition(xpv2.TypeSynced).Status
}

func sameCondition(a, b *v1alpha1.KeaReservation, t xpv2.ConditionType) bool {
	return a.GetCondition(t).Equal(b.GetCondition(t))
}

func sameMeta(a, b client.Object) bool {
	return a.GetUID() == b.GetUID() && meta.WasDeleted(a) == meta.WasDeleted(b) &&
		maps.Equal(a.GetLabels(), b.GetLabels()) && maps.Equal(a.GetAnnotations(), b.GetAnnotations())
}

// sameProviderConfig ignores what does not say whether it can be used.
func sameProviderConfig(a, b providerConfig) bool {
	return sameMeta(a, b) && a.GetGeneration() == b.GetGeneration() &&
		a.GetCondition(xpv2.TypeReady).Status == b.GetCondition(xpv2.TypeReady).Status
}
