// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	extclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/util/workqueue"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/vitistack"
)

// controllerName stands in logs, metrics and events.
const controllerName = "networkconfiguration"

// askEvery is how often the provider asks again whether it may work with
// VitiStack's kinds: nothing tells it when a role changes.
const askEvery = 30 * time.Second

// Options of the controller.
type Options struct {
	// Logger of the controller. Nothing is logged without one.
	Logger logging.Logger

	// DefaultProviderConfig is used for NetworkNamespaces that name none. The
	// zero value means ClusterProviderConfig/default.
	DefaultProviderConfig xpv2.ProviderConfigReference

	// StrictProvider leaves NetworkConfigurations alone that do not say that
	// their provider is Kea.
	StrictProvider bool

	// MaxConcurrentReconciles is how many NetworkConfigurations are worked on at
	// the same time. Zero means the manager's default.
	MaxConcurrentReconciles int

	// RateLimiter of the controller's queue, controller-runtime's where it is
	// nil.
	RateLimiter workqueue.TypedRateLimiter[reconcile.Request]

	// askEvery replaces the constant in tests.
	askEvery time.Duration
}

// Setup adds a controller that makes KeaReservations for NetworkConfigurations.
// It needs neither VitiStack's kinds nor permission to use them: it waits for
// both, for as long as it takes, and stops and waits again when the kinds go.
func Setup(mgr ctrl.Manager, o Options) error {
	if err := vitistack.AddToScheme(mgr.GetScheme()); err != nil {
		return fmt.Errorf("cannot add VitiStack's kinds to the scheme: %w", err)
	}
	crds, err := extclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("cannot make a client for CustomResourceDefinitions: %w", err)
	}
	auth, err := authclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return fmt.Errorf("cannot make a client for access reviews: %w", err)
	}
	if o.Logger == nil {
		o.Logger = logging.NewNopLogger()
	}
	if o.askEvery == 0 {
		o.askEvery = askEvery
	}
	o.DefaultProviderConfig = defaultConfig(o.DefaultProviderConfig)
	log := o.Logger.WithValues("controller", controllerName)

	s := &starter{
		mgr:     mgr,
		options: o,
		log:     log,
		crds:    newCRDWatch(crds, log),
		access:  &access{reviews: auth.SelfSubjectAccessReviews()},
	}
	if err := mgr.Add(s); err != nil {
		return fmt.Errorf("cannot add the %s controller to the manager: %w", controllerName, err)
	}
	return nil
}
