// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"os"
	"time"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/ratelimiter"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/statemetrics"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/healthz"
	"sigs.k8s.io/controller-runtime/pkg/metrics"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/keareservation"
	"github.com/vitistack/provider-kea/internal/controller/networkconfiguration"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/gate"
)

// startCommand holds the flags. Those that other providers have too are named as
// there.
type startCommand struct {
	Debug bool `env:"DEBUG" help:"Log every decision, not only changes and failures."`

	Poll time.Duration `default:"30m" env:"POLL_INTERVAL" help:"Poll interval. Changes in Kea arrive as events; polling is a fallback."`
	Sync time.Duration `default:"1h" env:"SYNC_INTERVAL" help:"How often all Kubernetes objects are reconciled from the caches."`

	MaxReconcileRate        int `default:"2000" env:"MAX_RECONCILE_RATE" help:"Maximum reconciles of KeaReservations per second. Requests to the Kubernetes API are limited accordingly."`
	MaxConcurrentReconciles int `default:"16" env:"MAX_CONCURRENT_RECONCILES" help:"Maximum concurrent reconciles of each kind. One tenant gets half of those of KeaReservations at most."`

	LeaderElection          bool   `env:"LEADER_ELECTION" help:"Run the controllers in one of several replicas only."`
	LeaderElectionNamespace string `env:"POD_NAMESPACE" help:"Namespace of the leader election's lease; in a cluster the pod's own."`

	ProviderConfigSelector string `env:"PROVIDER_CONFIG_SELECTOR" help:"Label selector of the provider configurations to serve, with all that refers to them; by default all. Several providers with a selector each share the work, see docs/scale.md."`

	EnableManagementPolicies bool          `default:"true" negatable:"" env:"ENABLE_MANAGEMENT_POLICIES" help:"Honor spec.managementPolicies."`
	EnableChangeLogs         bool          `name:"enable-changelogs" env:"ENABLE_CHANGE_LOGS" help:"Send every change of a host reservation to a change log service."`
	ChangeLogsSocketPath     string        `name:"changelogs-socket-path" default:"/var/run/changelogs/changelogs.sock" env:"CHANGELOGS_SOCKET_PATH" help:"Unix socket that the change log service listens on."`
	PollStateMetric          time.Duration `default:"30s" env:"POLL_STATE_METRIC" help:"How often the metrics of ready and synced KeaReservations are updated."`

	Revision revision `embed:""`

	MetricsBindAddress     string `default:":8080" env:"METRICS_BIND_ADDRESS" help:"Address that Prometheus metrics are served on; 0 for none."`
	HealthProbeBindAddress string `default:":8081" env:"HEALTH_PROBE_BIND_ADDRESS" help:"Address that /healthz and /readyz are served on; 0 for none."`

	PprofBindAddress string `hidden:"" default:"0" env:"PPROF_BIND_ADDRESS" help:"Address that Go's profiles are served on, for those who work on the provider; 0 for none."`

	Network networkFlags `embed:""`

	StrictProvider        bool   `env:"STRICT_PROVIDER" help:"Refuse NetworkConfigurations without a spec.provider, and NetworkNamespaces without a spec.ipAllocation. By default both mean Kea."`
	DefaultProviderConfig string `default:"ClusterProviderConfig/default" env:"DEFAULT_PROVIDER_CONFIG" help:"Provider configuration, as Kind/name, for NetworkNamespaces that name none."`
	MaxRemovalPercent     int    `default:"10" env:"MAX_REMOVAL_PERCENT" help:"How many percent of a provider configuration's KeaReservations, and at least 5, are removed within a minute because a NetworkNamespace, a flag or an annotation changed. Removals beyond are held until they are confirmed. 100 holds none."`
}

// Run the controllers until the context ends.
func (c *startCommand) Run(ctx context.Context) error {
	limitGarbage()
	zl := newLogger(os.Stderr, c.Debug)
	ctrl.SetLogger(zl)
	klog.SetLogger(zl)
	log := logging.NewLogrLogger(zl.WithName("provider-kea"))

	defaultConfig, err := connection.ParseRef(c.DefaultProviderConfig)
	if err != nil {
		return fmt.Errorf("cannot use --default-provider-config %q: %w", c.DefaultProviderConfig, err)
	}
	shard, err := connection.ParseShard(c.ProviderConfigSelector)
	if err != nil {
		return fmt.Errorf("cannot use --provider-config-selector %q: %w", c.ProviderConfigSelector, err)
	}
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return fmt.Errorf("cannot find a cluster, set KUBECONFIG or run in one: %w", err)
	}
	leader := &leadership{now: time.Now}
	mgr, err := c.newManager(cfg, leader, shard)
	if err != nil {
		return err
	}
	network, err := c.Network.parse()
	if err != nil {
		return err
	}
	if c.LeaderElection {
		network.MayWrite = leader.mayWrite
	}
	groups := connection.NewGroups()
	metrics.Registry.MustRegister(groups)
	defer groups.Wait()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	if err := c.setup(ctx, mgr, log, groups, shard, network, defaultConfig); err != nil {
		return err
	}
	log.Info("Starting", "version", version, "poll", c.Poll.String(), "default-provider-config", c.DefaultProviderConfig, "provider-config-selector", c.ProviderConfigSelector)
	if err := mgr.Start(ctx); err != nil {
		return fmt.Errorf("cannot run the controllers: %w", err)
	}
	return nil
}

func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme() // VitiStack's kinds join it when their controller is set up.
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			return nil, fmt.Errorf("cannot build the scheme: %w", err)
		}
	}
	return s, nil
}

func (c *startCommand) newManager(cfg *rest.Config, leader *leadership, shard connection.Shard) (ctrl.Manager, error) {
	s, err := newScheme()
	if err != nil {
		return nil, err
	}
	cfg = ratelimiter.LimitRESTConfig(cfg, c.MaxReconcileRate)
	// The API server's warnings are about names that Crossplane has chosen.
	cfg.WarningHandler = rest.NoWarnings{}
	election := leader.config(cfg)
	if c.LeaderElection {
		cfg = leader.guard(cfg)
	}
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:                  s,
		LeaderElection:          c.LeaderElection,
		LeaderElectionID:        shard.LeaseName("crossplane-leader-election-provider-kea"),
		LeaderElectionNamespace: c.LeaderElectionNamespace,
		// The process ends when the manager does, so that the next leader need not
		// wait for the lease to run out.
		LeaderElectionReleaseOnCancel: true,
		LeaderElectionConfig:          election,
		RenewDeadline:                 new(renewDeadline),
		Metrics:                       metricsserver.Options{BindAddress: c.MetricsBindAddress},
		HealthProbeBindAddress:        c.HealthProbeBindAddress,
		PprofBindAddress:              c.PprofBindAddress,
		Cache: cache.Options{
			SyncPeriod:               &c.Sync,
			DefaultTransform:         cached.Share,
			ByObject:                 map[client.Object]cache.ByObject{&corev1.Secret{}: {Transform: providerconfig.StripSecret}},
			DefaultWatchErrorHandler: logWatchErrors,
		},
		Client: client.Options{Cache: &client.CacheOptions{DisableFor: []client.Object{&corev1.Secret{}}}},
	})
	if err != nil {
		return nil, fmt.Errorf("cannot make the controller manager: %w", err)
	}
	for name, add := range map[string]func(string, healthz.Checker) error{"healthz": mgr.AddHealthzCheck, "readyz": mgr.AddReadyzCheck} {
		if err := add(name, healthz.Ping); err != nil {
			return nil, fmt.Errorf("cannot add the check %s: %w", name, err)
		}
	}
	return mgr, nil
}

func (c *startCommand) setup(ctx context.Context, mgr ctrl.Manager, log logging.Logger, groups *connection.Groups, shard connection.Shard, network connection.Network, defaultConfig connection.Ref) error {
	o, err := c.options(log)
	if err != nil {
		return err
	}
	g, err := gate.New(mgr, gate.Options{Logger: log, Announce: c.Revision.announcer(mgr)})
	if err != nil {
		return err
	}
	users, namespaces, fleet := providerconfig.NewUsers(), keareservation.NewNamespaces(mgr), keareservation.NewFleet(mgr)
	providerconfig.Setup(ctx, mgr, g, groups, shard, network, users)
	keareservation.Setup(mgr, g, o, max(1, c.MaxReconcileRate), groups, shard, users, namespaces, fleet)
	return networkconfiguration.Setup(mgr, g, networkconfiguration.Options{
		Logger:                  log,
		DefaultProviderConfig:   defaultConfig,
		StrictProvider:          c.StrictProvider,
		Groups:                  groups,
		Fleet:                   fleet,
		Shard:                   shard,
		Namespaces:              namespaces,
		MaxRemovalPercent:       c.MaxRemovalPercent,
		MaxConcurrentReconciles: c.MaxConcurrentReconciles,
		RateLimiter:             ratelimiter.NewController(),
	})
}

func (c *startCommand) options(log logging.Logger) (xpcontroller.Options, error) {
	o := xpcontroller.Options{
		Logger:                  log,
		MaxConcurrentReconciles: c.MaxConcurrentReconciles,
		PollInterval:            c.Poll,
		Features:                &feature.Flags{},
		MetricOptions:           newMetrics(c.PollStateMetric),
	}
	if c.EnableManagementPolicies {
		o.Features.Enable(feature.EnableBetaManagementPolicies)
	}
	if c.EnableChangeLogs {
		l, err := newChangeLogger(c.ChangeLogsSocketPath)
		if err != nil {
			return o, err
		}
		o.Features.Enable(feature.EnableAlphaChangeLogs)
		o.ChangeLogOptions = &xpcontroller.ChangeLogOptions{ChangeLogger: l}
	}
	return o, nil
}

// logWatchErrors logs why a watch failed, unless the kind's CRD is gone: the watch
// is retried until the CRD is back, and fails each time.
func logWatchErrors(ctx context.Context, r *toolscache.Reflector, err error) {
	if !kerrors.IsNotFound(err) {
		toolscache.DefaultWatchErrorHandler(ctx, r, err)
	}
}

func newMetrics(interval time.Duration) *xpcontroller.MetricOptions {
	mr, state := managed.NewMRMetricRecorder(), statemetrics.NewMRStateMetrics()
	metrics.Registry.MustRegister(mr, state)
	return &xpcontroller.MetricOptions{PollStateMetricInterval: interval, MRMetrics: mr, MRStateMetrics: state}
}
