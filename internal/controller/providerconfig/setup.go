// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"sync"
	"time"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	xperrors "github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	usage "github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/providerconfig"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	kevent "sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// bySecret indexes provider configurations by the Secrets that they read.
const bySecret = "secret"

// usersDelay lets many changes of usages be counted at once.
const usersDelay = time.Second

// Setup has the gate add the controllers of both kinds of provider configuration to the
// manager, each once its kind is served. They stay there: should the CRD go, a controller has
// nothing to do until it is back. The groups run until ctx ends.
func Setup(ctx context.Context, mgr ctrl.Manager, g *gate.Gate, o xpcontroller.Options, groups *connection.Groups) {
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
		r := &reconciler{
			client: mgr.GetClient(), reader: mgr.GetAPIReader(), groups: groups, kind: k.gvk.Kind, newConfig: k.newConfig,
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
				if err := setupUsers(mgr, o, k.gvk, k.newConfig); err != nil {
					return fmt.Errorf("cannot set up the usage counter of %s: %w", k.gvk.Kind, err)
				}
				return nil
			},
		})
	}
	// These are only reported: the reconcilers retry by themselves.
	g.AlsoReport(gate.Need{Permissions: []gate.Permission{
		gate.May("get", schema.GroupResource{Resource: "namespaces"}),
		gate.May("delete", schema.GroupResource{Group: v1alpha1.Group, Resource: "providerconfigusages"}),
	}})
}

// setupConnection adds the controller that opens groups and reports their status.
func setupConnection(mgr ctrl.Manager, r *reconciler, newList func() client.ObjectList) error {
	w := &serverEvents{kind: r.kind}
	r.groups.Listen(w.notify)
	return ctrl.NewControllerManagedBy(mgr).
		Named("connection/"+r.kind).
		For(r.newConfig(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		// The metadata is enough to notice a changed Secret. Its data is read when it
		// is needed, and is not cached.
		WatchesMetadata(&corev1.Secret{}, handler.EnqueueRequestsFromMapFunc(usersOfSecret(mgr.GetClient(), newList))).
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

// setupUsers adds crossplane-runtime's controller that counts users and keeps a
// used configuration from being deleted.
func setupUsers(mgr ctrl.Manager, o xpcontroller.Options, gvk schema.GroupVersionKind, newConfig func() config) error {
	name := usage.ControllerName(gvk.Kind)
	kinds := resource.ProviderConfigKinds{Config: gvk, Usage: v1alpha1.ProviderConfigUsageGroupVersionKind, UsageList: v1alpha1.ProviderConfigUsageListGroupVersionKind}
	r := usage.NewReconciler(mgr, kinds, usage.WithLogger(o.Logger.WithValues("controller", name)),
		usage.WithRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(name)))) //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	return ctrl.NewControllerManagedBy(mgr).
		Named(name).
		For(newConfig(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WithOptions(controller.Options{RateLimiter: rateLimiter()}).
		Watches(&v1alpha1.ProviderConfigUsage{}, enqueueUserCount(gvk.Kind)).
		Complete(xperrors.WithSilentRequeueOnConflict(capRequeue(r)))
}

// capRequeue limits the wait of a reconciler to that of a count. That of
// crossplane-runtime waits half a minute after a conflict, which here is one with
// our own reconciler.
func capRequeue(r reconcile.Reconciler) reconcile.Reconciler {
	return reconcile.Func(func(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
		res, err := r.Reconcile(ctx, req)
		res.RequeueAfter = min(res.RequeueAfter, usersDelay)
		return res, err
	})
}

// rateLimiter retries at least every minute: controller-runtime's own would let a
// configuration wait for a quarter of an hour.
func rateLimiter() workqueue.TypedRateLimiter[reconcile.Request] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](10*time.Millisecond, time.Minute)
}

// enqueueUserCount enqueues the configuration that a usage names, some time after
// the usage was created, changed or deleted: counting reads all usages.
func enqueueUserCount(kind string) handler.EventHandler {
	type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]
	add := func(o client.Object, q queue) {
		u, ok := o.(*v1alpha1.ProviderConfigUsage)
		if !ok || u.ProviderConfigReference.Kind != kind {
			return
		}
		ref := connection.RefOf(u.Namespace, &u.ProviderConfigReference)
		q.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}, usersDelay)
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e kevent.CreateEvent, q queue) { add(e.Object, q) },
		DeleteFunc: func(_ context.Context, e kevent.DeleteEvent, q queue) { add(e.Object, q) },
		UpdateFunc: func(_ context.Context, e kevent.UpdateEvent, q queue) { add(e.ObjectOld, q); add(e.ObjectNew, q) },
	}
}

// serverEvents enqueues the provider configurations whose servers have changed. It
// may be used by several goroutines at once.
type serverEvents struct {
	kind string

	// mu guards what follows. pending has the requests from before the queue exists.
	mu      sync.Mutex
	pending []reconcile.Request
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// notify is a listener of connection.Groups.
func (p *serverEvents) notify(ref connection.Ref, t mirror.Changes) {
	if !t.Servers || ref.Kind != p.kind {
		return
	}
	req := reconcile.Request{NamespacedName: types.NamespacedName{Namespace: ref.Namespace, Name: ref.Name}}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.queue == nil {
		p.pending = append(p.pending, req)
		return
	}
	p.queue.Add(req)
}

// start is a source of controller-runtime.
func (p *serverEvents) start(_ context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.queue = q
	for _, req := range p.pending {
		q.Add(req)
	}
	p.pending = nil
	return nil
}
