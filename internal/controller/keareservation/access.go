// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// namespaceResource is how permissions name namespaces.
var namespaceResource = schema.GroupResource{Resource: "namespaces"}

// Namespaces knows the labels of namespaces, from a cache of their metadata. Without spec.access no
// one asks for them, so that the provider also runs without the permission. Its methods may be
// called by several goroutines at once.
type Namespaces struct {
	cache cache.Cache
	// reader reads from the API server.
	reader client.Reader

	filling sync.Mutex // is held while the cache is filled

	mu      sync.RWMutex // guards what follows
	filled  bool
	changed []func(namespace string)
}

// NewNamespaces returns one that knows nothing before the KeaReservations' controller is set up.
func NewNamespaces(mgr ctrl.Manager) *Namespaces {
	return &Namespaces{cache: mgr.GetCache(), reader: mgr.GetAPIReader()}
}

// part is that of the gate which fills the cache once it may be.
func (n *Namespaces) part() gate.Part {
	return gate.Part{
		Name: "labels of namespaces",
		Need: gate.Need{Permissions: gate.MayWatch(namespaceResource)},
		Run:  func(ctx context.Context, _ gate.CRDs) error { return n.fill(ctx) },
	}
}

// fillIfAllowed fills the cache if the provider may list namespaces, so that it is filled before
// the first resource asks. Otherwise the gate's part does when the permission comes.
func (n *Namespaces) fillIfAllowed(ctx context.Context) error {
	l := &metav1.PartialObjectMetadataList{}
	l.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	err := n.reader.List(ctx, l, client.Limit(1))
	if kerrors.IsForbidden(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot list namespaces: %w", err)
	}
	return n.fill(ctx)
}

// fill fills the cache, unless that was done before. It blocks until that is done, two minutes at
// most, and may be called again after an error.
func (n *Namespaces) fill(ctx context.Context) error {
	n.filling.Lock()
	defer n.filling.Unlock()
	if n.isFilled() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	informer, err := n.cache.GetInformer(ctx, namespaceMetadata())
	if err != nil {
		return fmt.Errorf("cannot fill the cache of namespaces: %w", err)
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerDetailedFuncs{
		AddFunc: func(o any, isInInitialList bool) {
			if !isInInitialList {
				n.announce(o)
			}
		},
		UpdateFunc: func(before, now any) {
			b, ok := before.(client.Object)
			if a, isObject := now.(client.Object); ok && isObject && !maps.Equal(a.GetLabels(), b.GetLabels()) {
				n.announce(now)
			}
		},
	})
	if err != nil {
		return fmt.Errorf("cannot watch namespaces: %w", err)
	}
	n.mu.Lock()
	n.filled = true
	n.mu.Unlock()
	return n.announceAll(ctx)
}

// announceAll announces each namespace: resources may have been reconciled before its labels were known.
func (n *Namespaces) announceAll(ctx context.Context) error {
	l := &metav1.PartialObjectMetadataList{}
	l.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("NamespaceList"))
	if err := n.cache.List(ctx, l, client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("cannot list namespaces: %w", err)
	}
	for i := range l.Items {
		n.announce(&l.Items[i])
	}
	return nil
}

func (n *Namespaces) isFilled() bool {
	n.mu.RLock()
	defer n.mu.RUnlock()
	return n.filled
}

func namespaceMetadata() *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Namespace"))
	return o
}

// Listen has a function called with each namespace whose labels change. It must not block.
func (n *Namespaces) Listen(changed func(namespace string)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.changed = append(n.changed, changed)
}

func (n *Namespaces) announce(o any) {
	n.mu.RLock()
	changed := slices.Clone(n.changed)
	n.mu.RUnlock()
	ns, ok := o.(client.Object)
	if !ok {
		return
	}
	for _, fn := range changed {
		fn(ns.GetName())
	}
}

// Labels returns the labels of a namespace. An error if they are not known yet, which is not the same
// as none: the namespace is announced when they are.
func (n *Namespaces) Labels(ctx context.Context, name string) (map[string]string, error) {
	if !n.isFilled() {
		return nil, fmt.Errorf("cannot list and watch namespaces, whose labels spec.access of the provider configuration names: %s", gate.ApplyClusterRole)
	}
	o := namespaceMetadata()
	err := n.cache.Get(ctx, types.NamespacedName{Name: name}, o)
	if kerrors.IsNotFound(err) {
		return nil, fmt.Errorf("cannot tell what namespace %s may use: its labels are not known yet", name)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot get the labels of namespace %s: %w", name, err)
	}
	return o.GetLabels(), nil
}

// labeler returns the labels of a namespace.
type labeler func(ctx context.Context, namespace string) (map[string]string, error)

// grantOf returns what a namespace may use of a provider configuration. A ProviderConfig is its own
// namespace's, which may use all of it.
func grantOf(ctx context.Context, pc resource.ProviderConfig, namespace string, labels labeler) (reservation.Grant, error) {
	access := accessOf(pc)
	if len(access) == 0 {
		return reservation.Grant{FormerClusters: formerClusters(pc)}, nil
	}
	has, err := labels(ctx, namespace)
	if err != nil {
		return reservation.Grant{}, err
	}
	g := connection.GrantOf(access, has)
	g.FormerClusters = formerClusters(pc)
	return g, nil
}

func accessOf(o client.Object) []v1alpha1.Access {
	if pc, ok := o.(*v1alpha1.ClusterProviderConfig); ok {
		return pc.Spec.Access
	}
	return nil
}

// formerClusters returns the UIDs whose marks count as this cluster's.
func formerClusters(o client.Object) []string {
	if pc, ok := o.(*v1alpha1.ClusterProviderConfig); ok {
		return pc.Spec.FormerClusterUIDs
	}
	return nil
}

// accessWaker wakes the KeaReservations that a change of what is allowed concerns.
type accessWaker struct {
	reader client.Reader
	all    Reservations
	waker  *waker
	shard  connection.Shard
}

// namespaceChanged wakes those of a namespace whose provider configuration limits who may use it.
func (a *accessWaker) namespaceChanged(namespace string) {
	ctx := context.Background() // It reads from caches.
	devices := map[connection.Ref]map[kea.HWAddress]string{}
	for _, mg := range a.all.in(namespace) {
		ref := connection.RefOf(mg)
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			continue
		}
		if devices[ref] == nil {
			devices[ref] = map[kea.HWAddress]string{}
		}
		devices[ref][hw] = ""
	}
	for ref, hws := range devices {
		if pc, err := configOf(ctx, a.reader, ref); err == nil && a.shard.Has(pc.GetLabels()) && len(accessOf(pc)) > 0 {
			a.waker.notify(ref, mirror.Changes{HWAddresses: hws})
		}
	}
}

// handler wakes all that use a ClusterProviderConfig when its spec.access or spec.formerClusterUIDs
// changes.
func (a *accessWaker) handler() handler.EventHandler {
	return handler.Funcs{UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ workqueue.TypedRateLimitingInterface[reconcile.Request]) {
		changed := !equality.Semantic.DeepEqual(accessOf(e.ObjectOld), accessOf(e.ObjectNew)) || !slices.Equal(formerClusters(e.ObjectOld), formerClusters(e.ObjectNew))
		if a.shard.Has(e.ObjectNew.GetLabels()) && changed {
			a.waker.notify(connection.Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: e.ObjectNew.GetName()}, mirror.Changes{Everything: true})
		}
	}}
}
