// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/keareservation"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// controllerName is its name in logs, metrics and events.
const controllerName = "networkconfiguration"

// Options of the controller.
type Options struct {
	// Logger of the controller; nil logs nothing.
	Logger logging.Logger

	// DefaultProviderConfig is used for NetworkNamespaces that name none, without a
	// namespace. The zero value means connection.DefaultRef.
	DefaultProviderConfig connection.Ref

	// StrictProvider refuses NetworkConfigurations without a spec.provider, and
	// NetworkNamespaces without a spec.ipAllocation. Otherwise both mean Kea.
	StrictProvider bool

	// Groups has the Kea servers of each provider configuration. They are asked before
	// a reservation is moved to another place.
	Groups *connection.Groups

	// Fleet has the KeaReservations.
	Fleet *keareservation.Fleet

	// Shard is which NetworkConfigurations are handled: those whose provider configuration is in it.
	Shard connection.Shard

	// Namespaces has the labels of namespaces, which spec.access of a ClusterProviderConfig names.
	Namespaces *keareservation.Namespaces

	// MaxRemovalPercent is how many percent of a provider configuration's
	// KeaReservations, and at least 5, may be removed within a minute because of what
	// the provider read. Removals beyond are held until they are confirmed.
	MaxRemovalPercent int

	// MaxConcurrentReconciles is how many NetworkConfigurations are reconciled at
	// the same time; 0 is the manager's default.
	MaxConcurrentReconciles int

	// RateLimiter of the controller's queue; nil is controller-runtime's default.
	RateLimiter workqueue.TypedRateLimiter[reconcile.Request]

	// places replaces what Groups know, in tests without Kea.
	places func(context.Context) places
}

// Setup has the gate run a controller that makes KeaReservations for
// NetworkConfigurations. It needs neither VitiStack's CRDs nor permission to use
// them: the controller runs while both are there. Call it before the manager
// starts.
func Setup(mgr ctrl.Manager, g *gate.Gate, o Options) error {
	if err := vitistack.AddToScheme(mgr.GetScheme()); err != nil {
		return fmt.Errorf("cannot add VitiStack's kinds to the scheme: %w", err)
	}
	if o.Logger == nil {
		o.Logger = logging.NewNopLogger()
	}
	if o.DefaultProviderConfig == (connection.Ref{}) {
		o.DefaultProviderConfig = connection.DefaultRef
	}
	if o.places == nil {
		o.places = (&survey{kube: mgr.GetClient(), groups: o.Groups, labels: o.Namespaces.Labels}).places
	}
	log := o.Logger.WithValues("controller", controllerName)
	s := &starter{
		mgr:      mgr,
		options:  o,
		waits:    newWaits(),
		guard:    newGuard(o.MaxRemovalPercent),
		log:      log,
		failures: &readFailures{log: log, now: time.Now},
		events:   newOnceRecorder(event.NewAPIRecorder(mgr.GetEventRecorderFor(controllerName))), //nolint:staticcheck // The roles that Crossplane makes lack events.k8s.io.
	}
	o.Groups.Listen(s.waits.listen)
	o.Namespaces.Listen(s.waits.listenNamespace)
	// With Crossplane's activation policies our own CRD too may come later.
	ours := gate.KeaReservations
	ours.Created = true
	// It waits for all that the controller of KeaReservations needs: what it makes has the finalizer
	// that only that one removes. And it is to know whether a place works before anything is moved to it.
	uses := providerconfig.Needs()
	g.AddWhileServed(gate.Part{Name: "NetworkConfigurations", Need: gate.Need{CRDs: slices.Concat(vitistackCRDs(), []gate.CRD{ours}, uses.CRDs), Permissions: slices.Concat(toServe, uses.Permissions)}, Run: s.run})
	// Without toRelease the controller runs, but finalizers and KeaReservations stay
	// behind. All of it is reported at once, also while our own CRD is missing.
	g.AlsoReport(gate.Need{CRDs: vitistackCRDs(), Permissions: slices.Concat(toServe, toRelease)})
	g.AlsoReport(gate.Need{Permissions: toDelete})
	return nil
}

// vitistackCRDs are VitiStack's CRDs that the controller needs.
func vitistackCRDs() []gate.CRD {
	crd := func(r schema.GroupResource, versions ...string) gate.CRD {
		return gate.CRD{
			GroupVersionResource: r.WithVersion(versions[0]),
			Otherwise:            versions[1:],
			Schema:               true, // an old one lacks some of the fields
			Remedy:               "install VitiStack's CRDs where it is to be served",
		}
	}
	return []gate.CRD{
		crd(vitistack.NetworkConfigurationResource, vitistack.GroupVersion.Version),
		crd(vitistack.NetworkNamespaceResource, vitistack.NetworkNamespaceVersions...),
	}
}

// The permissions that the controller needs, beside those to write
// KeaReservations, which come with that to watch them.
var (
	toServe = slices.Concat(
		gate.MayWatch(vitistack.NetworkConfigurationResource),
		[]gate.Permission{gate.May("patch", vitistack.NetworkConfigurationResource).Sub("status")},
		gate.MayWatch(vitistack.NetworkNamespaceResource),
		gate.MayWatch(v1alpha1.KeaReservationGroupResource),
	)
	// toRelease is to remove kea-operator's finalizer.
	toRelease = []gate.Permission{gate.May("patch", vitistack.NetworkConfigurationResource)}
	// toDelete is to delete what it made.
	toDelete = []gate.Permission{gate.May("delete", v1alpha1.KeaReservationGroupResource)}
)

// A starter runs the controller whenever its CRDs and permissions are there.
type starter struct {
	mgr     ctrl.Manager
	options Options
	log     logging.Logger
	events  *onceRecorder
	waits   *waits
	guard   *guard

	// failures outlasts a controller, so that an outage is logged once however often
	// the controller is started.
	failures *readFailures
}
