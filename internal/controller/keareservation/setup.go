// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"time"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/util/wait"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/gate"
)

// minPoll is the shortest poll interval that a resource may ask for with the
// annotation crossplane.io/poll-interval: changes come as events, not by polling.
const minPoll = 10 * time.Second

// reconcileTimeout bounds one reconcile. Its commands take turns with those of other reconciles: where
// Kea needs two seconds for each, a minute is too short for as many workers as there are.
const reconcileTimeout = 5 * time.Minute

// pollJitter spreads the polls of resources that were made together, as a part
// of a resource's poll interval: crossplane-runtime's own jitter would be a part
// of the provider's, which may be far longer.
const pollJitter = 0.1

// Setup has the gate add the controller of KeaReservations to the manager, once
// there are any. It stays there: should the CRD go, the controller has nothing to
// do until it is back. It reconciles those whose provider configuration is in the shard, and no more
// than perSecond of them in a second.
func Setup(mgr ctrl.Manager, g *gate.Gate, o xpcontroller.Options, perSecond int, c *connection.Groups, shard connection.Shard, users *providerconfig.Users, namespaces *Namespaces, fleet *Fleet) {
	uses := providerconfig.Needs()
	g.AddOnce(namespaces.part())
	g.AddOnce(gate.Part{
		Name: "KeaReservations",
		Need: gate.Need{
			CRDs:        append([]gate.CRD{gate.KeaReservations}, uses.CRDs...),
			Permissions: append(gate.MayWatch(v1alpha1.KeaReservationGroupResource), uses.Permissions...),
		},
		Run: func(ctx context.Context, _ gate.CRDs) error {
			// First what can fail, and is tried again then: a cluster takes a moment to know a new
			// kind.
			if err := namespaces.fillIfAllowed(ctx); err != nil {
				return err
			}
			if err := users.Watch(ctx, mgr.GetCache()); err != nil {
				return err
			}
			all, err := fleet.Reservations(ctx)
			if err != nil {
				return err
			}
			return add(mgr, o, perSecond, c, served{shard: shard, reader: mgr.GetClient()}, users, namespaces, all) //nolint:contextcheck // The queue outlives this context, and its cache does not block.
		},
	})
}

// syncLimit is how long the cache may take to fill. After that the wait starts over.
const syncLimit = 2 * time.Minute

// add adds the controller to the manager, which runs already.
func add(mgr ctrl.Manager, o xpcontroller.Options, perSecond int, c *connection.Groups, here served, users *providerconfig.Users, n *Namespaces, all Reservations) error {
	name := managed.ControllerName(v1alpha1.KeaReservationKind)
	w := newWaker(all, max(1, perSecond/wakeShare))
	c.Listen(w.notify)
	access := &accessWaker{reader: mgr.GetClient(), all: all, waker: w, shard: here.shard}
	n.Listen(access.namespaceChanged)
	if o.MetricOptions != nil && o.MetricOptions.MRStateMetrics != nil {
		r := &stateRecorder{all: func(ctx context.Context) []*v1alpha1.KeaReservation { return here.only(ctx, all.all()) }, metrics: o.MetricOptions.MRStateMetrics, interval: o.MetricOptions.PollStateMetricInterval}
		if err := mgr.Add(r); err != nil {
			return fmt.Errorf("cannot add the state metrics of KeaReservations: %w", err)
		}
	}
	kube, waiting := &savingClient{Client: mgr.GetClient(), created: newCreatedSet(), written: cached.NewWrites()}, newResourceSet()
	recorder := newQuietRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(name))) //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	connect := &connector{client: kube, groups: c, all: all, users: users, labels: n.Labels, recorder: recorder, created: kube.created, waiting: waiting}
	r := managed.NewReconciler(managerOf{mgr, kube}, resource.ManagedKind(v1alpha1.KeaReservationGroupVersionKind), reconcilerOptions(kube, o, connect, name)...)
	co := o.ForControllerRuntime()
	co.NewQueue = newQueue(o.MaxConcurrentReconciles, perSecond, configIn(mgr.GetCache()))
	err := ctrl.NewControllerManagedBy(mgr).
		Named(name).
		WithOptions(co).
		Watches(&v1alpha1.KeaReservation{}, &eventHandler{groups: c, waker: w, here: here, reader: mgr.GetClient(), labels: n.Labels, written: kube.written}, builder.WithPredicates(concerns)).
		Watches(&v1alpha1.ClusterProviderConfig{}, access.handler()).
		Watches(&v1alpha1.ClusterProviderConfig{}, here.onGone(v1alpha1.ClusterProviderConfigKind, w.notify)).
		Watches(&v1alpha1.ProviderConfig{}, here.onGone(v1alpha1.ProviderConfigKind, w.notify)).
		WatchesRawSource(source.Func(w.start)).
		Complete(&holdWhileUnusable{
			Reconciler: r, here: here, reader: mgr.GetClient(), poll: o.PollInterval, away: away(c), untilTried: untilTried(c, mgr.GetClient()),
			created: kube.created, waiting: waiting, written: kube.written,
		})
	if err != nil {
		return fmt.Errorf("cannot set up the controller of KeaReservations: %w", err)
	}
	return nil
}

// configIn returns a function that returns the provider configuration of a resource, and whether the
// cache has the resource.
func configIn(cache client.Reader) func(reconcile.Request) (connection.Ref, bool) {
	return func(req reconcile.Request) (connection.Ref, bool) {
		mg := &v1alpha1.KeaReservation{}
		if err := cache.Get(context.Background(), req.NamespacedName, mg, client.UnsafeDisableDeepCopy); err != nil {
			return connection.Ref{}, false
		}
		return connection.RefOf(mg), true
	}
}

func reconcilerOptions(kube client.Client, o xpcontroller.Options, connect *connector, name string) []managed.ReconcilerOption {
	opts := []managed.ReconcilerOption{
		managed.WithTypedExternalConnector(connect),
		managed.WithInitializers(managed.InitializerFn(initialize(kube))),
		managed.WithLogger(o.Logger.WithValues("controller", name)),
		managed.WithRecorder(connect.recorder),
		managed.WithTimeout(reconcileTimeout),
		managed.WithPollInterval(o.PollInterval),
		managed.WithMinPollInterval(minPoll),
		managed.WithPollIntervalHook(func(_ resource.Managed, d time.Duration) time.Duration { return wait.Jitter(d, pollJitter) }),
		managed.WithDeterministicExternalName(true),
		managed.WithFinalizer(finalizer{resource.NewAPIFinalizer(kube, managed.FinalizerName)}),
		// The annotations that record whether a create has ended are of no use where the external
		// name is known beforehand, and cost a write each.
		managed.WithCriticalAnnotationUpdater(managed.CriticalAnnotationUpdateFn(func(context.Context, client.Object) error { return nil })),
	}
	if o.Features.Enabled(feature.EnableBetaManagementPolicies) {
		opts = append(opts, managed.WithManagementPolicies())
	}
	if o.Features.Enabled(feature.EnableAlphaChangeLogs) {
		opts = append(opts, managed.WithChangeLogger(o.ChangeLogOptions.ChangeLogger))
	}
	if o.MetricOptions != nil {
		opts = append(opts, managed.WithMetricRecorder(o.MetricOptions.MRMetrics))
	}
	return opts
}

// finalizer keeps what was observed when it is added: the write returns the status as the API
// server has it, and no event reconciles a resource again that waits or is blocked.
type finalizer struct{ resource.Finalizer }

// AddFinalizer adds the finalizer, and with it the external name, if it is not there yet, and if the
// resource may have something in Kea: one that never may must be deleted without a look there.
func (f finalizer) AddFinalizer(ctx context.Context, o resource.Object) error {
	r, ok := o.(*v1alpha1.KeaReservation)
	if !ok {
		return fmt.Errorf("cannot add a finalizer to a %T", o)
	}
	if !allowedBefore(r) {
		return nil
	}
	observed := r.Status.DeepCopy()
	err := f.Finalizer.AddFinalizer(ctx, r)
	r.Status = *observed
	return err //nolint:wrapcheck // It is crossplane-runtime's own.
}

// initialize sets the external name, which a NetworkConfiguration's reservations come with already. It
// is written together with the finalizer, if that is not there yet.
func initialize(c client.Client) func(ctx context.Context, mg resource.Managed) error {
	return func(ctx context.Context, mg resource.Managed) error {
		r, ok := mg.(*v1alpha1.KeaReservation)
		if !ok {
			return fmt.Errorf("cannot initialize a %T", mg)
		}
		if meta.WasDeleted(r) {
			// What is wrong with the name must not keep the resource from going.
			return nil
		}
		in, err := intentOf(r)
		if err != nil {
			return err
		}
		missing, err := checkExternalName(r, in.HWAddress)
		if err != nil || !missing {
			return err
		}
		meta.SetExternalName(r, string(in.HWAddress))
		if !meta.FinalizerExists(r, managed.FinalizerName) {
			return nil
		}
		if err := c.Update(ctx, r); err != nil {
			return fmt.Errorf("cannot set the external name: %w", err)
		}
		return nil
	}
}
