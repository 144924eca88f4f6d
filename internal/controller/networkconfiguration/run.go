// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/controller/keareservation"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// indexLimit is how long the manager's cache may take to find the kind that it is
// to index. After that the controller is started again.
const indexLimit = 2 * time.Minute

// readLimit is how long the caches may take to fill. A conversion webhook may be
// down for hours: starting again would not help, and each start is logged.
const readLimit = 24 * time.Hour

// run runs the controller until ctx ends, which the gate has it do when the CRDs
// change.
func (s *starter) run(ctx context.Context, crds gate.CRDs) error {
	// The CRD of KeaReservations is there by now, but it may be deleted: nothing here
	// may wait for its cache forever.
	indexing, done := context.WithTimeout(ctx, indexLimit)
	defer done()
	reservations, err := s.options.Fleet.Reservations(indexing)
	if err != nil {
		return err //nolint:wrapcheck // It says what it is about.
	}

	// VitiStack's kinds have a cache of their own, which ends with the controller:
	// the manager's would go on listing kinds that are gone.
	kinds := kindsOf(crds)
	vitistackCache, err := s.newCache(kinds.networkNamespaces)
	if err != nil {
		return err
	}
	byIndex, err := cached.AddIndexers(ctx, vitistackCache, &vitistack.NetworkConfiguration{}, byMAC.Indexers())
	if err != nil {
		return fmt.Errorf("cannot index NetworkConfigurations: %w", err)
	}
	c, err := s.newController(vitistackCache, machines{byIndex}, reservations, kinds)
	if err != nil {
		return err
	}

	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return vitistackCache.Start(ctx) })
	g.Go(func() error { return c.Start(ctx) })
	if err := g.Wait(); err != nil {
		return fmt.Errorf("cannot run the controller: %w", err)
	}
	return nil
}

// kinds are VitiStack's as its CRDs have them.
type kinds struct {
	// networkNamespaces is the version that NetworkNamespaces are read in.
	networkNamespaces string

	// allocation is true if NetworkConfigurations keep what vitistack/common added.
	allocation bool

	// ipAllocation is true if NetworkNamespaces have spec.ipAllocation.
	ipAllocation bool
}

func kindsOf(crds gate.CRDs) kinds {
	nn := crds[vitistack.NetworkNamespaceResource]
	version := vitistack.NetworkNamespaceVersion(nn)
	return kinds{
		networkNamespaces: version,
		allocation:        vitistack.HasAllocationFields(crds[vitistack.NetworkConfigurationResource]),
		ipAllocation:      vitistack.HasIPAllocation(nn, version),
	}
}

func (s *starter) newCache(networkNamespaces string) (cache.Cache, error) {
	// The manager's scheme lasts, and a scheme can have a type in one version only.
	scheme := runtime.NewScheme()
	if err := vitistack.AddToScheme(scheme); err != nil {
		return nil, fmt.Errorf("cannot add VitiStack's kinds to a scheme: %w", err)
	}
	vitistack.AddNetworkNamespaces(scheme, networkNamespaces)
	c, err := cache.New(s.mgr.GetConfig(), cache.Options{
		Scheme:                   scheme,
		Mapper:                   s.mgr.GetRESTMapper(),
		HTTPClient:               s.failures.observe(s.mgr.GetHTTPClient()),
		DefaultTransform:         cached.Share,
		DefaultWatchErrorHandler: s.failures.watchFailed,
	})
	if err != nil {
		return nil, fmt.Errorf("cannot make a cache for VitiStack's kinds: %w", err)
	}
	return c, nil
}

func (s *starter) newController(vitistackCache cache.Cache, ncs machines, reservations keareservation.Reservations, kinds kinds) (controller.Controller, error) {
	p := policy{
		strict:         s.options.StrictProvider,
		strictNetworks: s.options.StrictProvider && kinds.ipAllocation,
		config:         s.options.DefaultProviderConfig,
	}
	o := controller.Options{
		Reconciler: &reconciler{
			vitistack:    vitistackCache,
			kube:         s.mgr.GetClient(),
			machines:     ncs,
			reservations: reservations,
			written:      cached.NewWrites(),
			policy:       p,
			shard:        s.options.Shard,
			places:       s.options.places,
			waits:        s.waits,
			guard:        s.guard,
			events:       s.events,
			log:          s.log,
			allocation:   kinds.allocation,
			now:          time.Now,
		},
		MaxConcurrentReconciles: s.options.MaxConcurrentReconciles,
		RateLimiter:             s.options.RateLimiter,
		CacheSyncTimeout:        readLimit,
		// The second controller of this name is the first one, started again.
		SkipNameValidation: new(true),
		Logger:             s.mgr.GetLogger(),
	}
	o.DefaultFromConfig(s.mgr.GetControllerOptions())
	c, err := controller.NewUnmanaged(controllerName, o)
	if err != nil {
		return nil, fmt.Errorf("cannot make the controller: %w", err)
	}

	w := &enqueuer{vitistack: vitistackCache, machines: ncs, policy: p, shard: s.options.Shard, waits: s.waits}
	shared := sharedCache{s.mgr.GetCache()}
	for _, src := range []source.Source{
		kind(vitistackCache, &vitistack.NetworkConfiguration{}, w.onNetworkConfiguration(), changed(sameNetworkConfiguration)),
		kind(vitistackCache, &vitistack.NetworkNamespace{}, w.onNetworkNamespace(), changed(sameNetworkNamespace)),
		kind(shared, &v1alpha1.KeaReservation{}, w.onKeaReservation(), changed(sameKeaReservation)),
		kind(shared, &v1alpha1.ProviderConfig{}, w.onProviderConfig(v1alpha1.ProviderConfigKind), changed(sameProviderConfig)),
		kind(shared, &v1alpha1.ClusterProviderConfig{}, w.onProviderConfig(v1alpha1.ClusterProviderConfigKind), changed(sameProviderConfig)),
		source.Func(s.waits.start),
	} {
		if err := c.Watch(src); err != nil {
			return nil, fmt.Errorf("cannot watch: %w", err)
		}
	}
	return c, nil
}

// kind returns a source of a kind's events.
func kind(c cache.Cache, o client.Object, h handler.EventHandler, p predicate.Predicate) source.SyncingSource {
	return source.Kind(c, o, h, p)
}
