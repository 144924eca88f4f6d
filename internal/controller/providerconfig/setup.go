// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"sync"
	"time"

	xperrors "github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	usage "github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/providerconfig"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// bySecret indexes provider configurations by the Secrets that they read.
const bySecret = "secret"

// Setup has the gate add the controllers of both kinds of provider configuration to the
// manager, each once its kind is served. They stay there: should the CRD go, a controller has
// nothing to do until it is back. Only what is in the shard is opened and written to. The groups run
// until ctx ends.
func Setup(ctx context.Context, mgr ctrl.Manager, g *gate.Gate, groups *connection.Groups, shard connection.Shard, network connection.Network, users *Users) {
	kinds := []struct {
		gvk       schema.GroupVersionKind
		crd       gate.CRD
		newConfig func() config
		newList   func() client.ObjectList
	}{
		{v1alpha1.ProviderConfigGroupVersionKind, gate.ProviderConfigs, func() config { return &v1alpha1.ProviderConfig{} }, func() client.ObjectList { return &v1alpha1.ProviderConfigList{} }},
		{v1alpha1.ClusterProviderConfigGroupVersionKind, gate.ClusterProviderConfigs, func() config { return &v1alpha1.ClusterProviderConfig{} }, func() client.ObjectList { return &v1alpha1.ClusterProviderConfigList{} }},
	}
	cluster := &cluster{reader: mgr.GetAPIReader()}
	for _, k := range kinds {
		c := newConfigs(mgr.GetClient())
		r := &reconciler{
			configs: c, reader: mgr.GetAPIReader(), groups: groups, shard: shard, network: network, kind: k.gvk.Kind, newConfig: k.newConfig,
			running: ctx, cluster: cluster,
			recorder: event.NewAPIRecorder(mgr.GetEventRecorderFor("connection/" + k.gvk.Kind)), //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
		}
		g.AddOnce(gate.Part{
			Name: k.gvk.Kind + "s",
			Need: needs(k.crd),
			Run: func(ctx context.Context, _ gate.CRDs) error {
				if err := fillCaches(ctx, mgr, k.newConfig()); err != nil {
					return err
				}
				if err := setupConnection(mgr, r, k.newList); err != nil {
					return fmt.Errorf("cannot set up the controller of %s: %w", k.gvk.Kind, err)
				}
				if err := setupUsers(mgr, c, k.gvk.Kind, k.newConfig, shard, users); err != nil {
					return fmt.Errorf("cannot set up the user counter of %s: %w", k.gvk.Kind, err)
				}
				if err := setupOrphans(mgr, c, k.gvk.Kind, k.newConfig, groups, users); err != nil {
					return fmt.Errorf("cannot set up the counter of orphans of %s: %w", k.gvk.Kind, err)
				}
				return nil
			},
		})
	}
	// It is only reported: the reconcilers retry by themselves.
	g.AlsoReport(gate.Need{Permissions: []gate.Permission{gate.May("get", schema.GroupResource{Resource: "namespaces"})}})
}

// openers is how many provider configurations of a kind are opened and reported at a time: each waits
// for the API server several times, and KeaReservations that come with a new one for two seconds only.
const openers = 4

// setupConnection adds the controller that opens groups and reports their status.
func setupConnection(mgr ctrl.Manager, r *reconciler, newList func() client.ObjectList) error {
	w := &requests{kind: r.kind}
	r.groups.Listen(func(ref connection.Ref, c mirror.Changes) {
		if c.Servers {
			w.add(ref)
		}
	})
	return ctrl.NewControllerManagedBy(mgr).
		Named("connection/"+r.kind).
		Watches(r.newConfig(), &shardEvents{shard: r.shard}, builder.WithPredicates(changes(r.shard))).
		// The metadata is enough to notice a changed Secret. Its data is read when it
		// is needed, and is not cached.
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(usersOfSecret(mgr.GetClient(), newList))).
		WatchesRawSource(source.Func(w.start)).
		WithOptions(controller.Options{RateLimiter: rateLimiter(), MaxConcurrentReconciles: openers}).
		Complete(xperrors.WithSilentRequeueOnConflict(r))
}

// setupUsers adds the controller that reports the number of users, and keeps a configuration that is
// used from being deleted.
func setupUsers(mgr ctrl.Manager, c configs, kind string, newConfig func() config, shard connection.Shard, users *Users) error {
	name := usage.ControllerName(kind)
	w := &requests{kind: kind, delay: usersDelay}
	users.listen(w.add)
	r := &usersReconciler{
		configs: c, finder: finder{reader: mgr.GetAPIReader()}, users: users, shard: shard, kind: kind, newConfig: newConfig,
		recorder: event.NewAPIRecorder(mgr.GetEventRecorderFor(name)), //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	}
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		Watches(newConfig(), &shardEvents{shard: shard}, builder.WithPredicates(changes(shard))).
		WatchesRawSource(source.Func(w.start)).
		WithOptions(controller.Options{RateLimiter: rateLimiter()}).
		Complete(xperrors.WithSilentRequeueOnConflict(r))
}

// secretsOf names the Secrets that a provider configuration reads.
func secretsOf(o client.Object) []string {
	pc, ok := o.(config)
	if !ok {
		return nil
	}
	names := connection.SecretNames(pc.GetSpec(), pc.GetNamespace())
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, n.String())
	}
	return out
}

// usersOfSecret maps a Secret to the provider configurations that read it.
func usersOfSecret(c client.Reader, newList func() client.ObjectList) handler.MapFunc {
	return func(ctx context.Context, secret client.Object) []reconcile.Request {
		l := newList()
		if err := c.List(ctx, l, client.MatchingFields{bySecret: client.ObjectKeyFromObject(secret).String()}); err != nil {
			return nil
		}
		var out []reconcile.Request
		for _, name := range namesOf(l) {
			out = append(out, reconcile.Request{NamespacedName: name})
		}
		return out
	}
}

func namesOf(l client.ObjectList) []types.NamespacedName {
	var out []types.NamespacedName
	switch l := l.(type) {
	case *v1alpha1.ProviderConfigList:
		for i := range l.Items {
			out = append(out, client.ObjectKeyFromObject(&l.Items[i]))
		}
	case *v1alpha1.ClusterProviderConfigList:
		for i := range l.Items {
			out = append(out, client.ObjectKeyFromObject(&l.Items[i]))
		}
	}
	return out
}

// rateLimiter retries at least every minute: controller-runtime's own would let a
// configuration wait for a quarter of an hour.
func rateLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](10*time.Millisecond, time.Minute)
}

// requests enqueues the provider configurations of a kind that something has changed about. It may be
// used by several goroutines at once.
type requests struct {
	kind string
	// delay lets many changes be one request.
	delay time.Duration

	// mu guards what follows. pending has the requests from before the queue exists.
	mu      sync.Mutex
	pending map[reconcile.Request]struct{}
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// add enqueues a provider configuration, if it is of the kind. It does not block.
func (p *requests) add(ref connection.Ref) {
	if ref.Kind != p.kind {
		return
	}
	req := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue != nil {
		p.queue.AddAfter(req, p.delay)
		return
	}
	if p.pending == nil {
		p.pending = map[reconcile.Request]struct{}{}
	}
	p.pending[req] = struct{}{}
}

// start is a source of controller-runtime.
func (p *requests) start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = q
	for req := range p.pending {
		q.AddAfter(req, p.delay)
	}
	p.pending = nil
	return nil
}

// StripSecret drops all of a Secret's metadata but what names it and its version: its annotations may
// have its data in them (kubectl.kubernetes.io/last-applied-configuration). It is a transform of the
// cache, which has the metadata of all Secrets.
func StripSecret(o any) (any, error) {
	secret, ok := o.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("cannot cache a Secret as %T: it is to be read with the API reader", o)
	}
	return &metav1.PartialObjectMetadata{
		TypeMeta: secret.TypeMeta,
		ObjectMeta: metav1.ObjectMeta{
			Namespace: secret.Namespace, Name: secret.Name, UID: secret.UID, ResourceVersion: secret.ResourceVersion,
		},
	}, nil
}
