// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	extclient "k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	"k8s.io/apimachinery/pkg/util/wait"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	ctrl "sigs.k8s.io/controller-runtime"
)

// askEvery is how often the gate asks again for a permission that is missing,
// and how long a part rests that has failed: nothing tells it when a role
// changes.
const askEvery = 10 * time.Second

// jitter spreads what several providers ask at the same time.
const jitter = 0.3

// A Part of the provider that works where some kinds are served and some things
// are allowed.
type Part struct {
	// Name of what the part serves, in messages.
	Name string

	// CRDs of the kinds that the part works with. All must be there before its
	// permissions are asked for.
	CRDs []CRD

	// Permissions that the part does not work without.
	Permissions []Permission

	// Run runs the part. Its context ends when one of the CRDs changes or goes;
	// it is run again once the part can work again, and a while after an error. A
	// part with nothing to run is only told of where a permission is missing.
	Run func(ctx context.Context, crds CRDs) error

	// Once says that what Run has started goes on by itself, whatever becomes of
	// the CRDs: it is run again only after an error.
	Once bool
}

// Options of a gate.
type Options struct {
	// Logger of the gate. Nothing is logged without one.
	Logger logging.Logger

	// Announce is given what the provider lacks, once, beside the log.
	Announce func(message string)

	// AskEvery replaces the constant in tests.
	AskEvery time.Duration
}

// A Gate runs the parts that can work. It is a runnable of the manager.
type Gate struct {
	options Options
	log     logging.Logger
	clients struct {
		crds   extclient.Interface
		access *access
	}
	parts []Part
	crds  *crdWatch

	// ask has an item when it is time to ask for permissions.
	ask chan struct{}

	mu      sync.Mutex
	granted map[Permission]bool

	// changed is closed, and made anew, when CRDs or permissions have changed.
	changed chan struct{}
}

// New adds a gate to the manager.
func New(mgr ctrl.Manager, o Options) (*Gate, error) {
	crds, err := extclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("cannot make a client for CustomResourceDefinitions: %w", err)
	}
	auth, err := authclient.NewForConfigAndClient(mgr.GetConfig(), mgr.GetHTTPClient())
	if err != nil {
		return nil, fmt.Errorf("cannot make a client for access reviews: %w", err)
	}
	if o.Logger == nil {
		o.Logger = logging.NewNopLogger()
	}
	if o.Announce == nil {
		o.Announce = func(string) {}
	}
	if o.AskEvery == 0 {
		o.AskEvery = askEvery
	}
	g := &Gate{options: o, log: o.Logger, ask: make(chan struct{}, 1), granted: map[Permission]bool{}, changed: make(chan struct{})}
	g.clients.crds, g.clients.access = crds, &access{reviews: auth.SelfSubjectAccessReviews()}
	if err := mgr.Add(g); err != nil {
		return nil, fmt.Errorf("cannot add the gate to the manager: %w", err)
	}
	return g, nil
}

// Add a part, before the manager starts.
func (g *Gate) Add(p Part) { g.parts = append(g.parts, p) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (g *Gate) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It never returns an error.
func (g *Gate) Start(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	g.crds = newCRDWatch(g.clients.crds, g.log, g.parts, func() {
		g.notify()
		g.askNow()
	})
	g.crds.run(ctx, all.Go)
	for _, p := range g.parts {
		if p.Run != nil {
			all.Go(func() { g.keep(ctx, p) })
		}
	}
	g.askOn(ctx)
	return nil
}

// askOn asks for the permissions that the parts need: when CRDs change, and again
// and again while one is missing.
func (g *Gate) askOn(ctx context.Context) {
	t := teller{log: g.log, announce: g.options.Announce}
	for again := false; ctx.Err() == nil; {
		lacking, err := g.review(ctx)
		if err != nil {
			g.log.Debug("Cannot ask for permissions", "error", err)
		} else {
			t.found(lacking, again)
		}
		var due <-chan time.Time
		if err != nil || len(lacking) > 0 {
			due = time.After(wait.Jitter(g.options.AskEvery, jitter))
		}
		select {
		case <-ctx.Done():
		case <-due:
			again = true
		case <-g.ask:
			again = false
		}
	}
}

// review asks for what is needed and not yet granted, and returns what is
// missing.
func (g *Gate) review(ctx context.Context) ([]Permission, error) {
	var lacking []Permission
	for _, p := range g.needed() {
		if g.isGranted(p) {
			continue
		}
		ok, err := g.clients.access.allowed(ctx, p)
		if err != nil {
			return nil, err
		}
		if !ok {
			lacking = append(lacking, p)
			continue
		}
		g.set(true, p)
	}
	return lacking, nil
}

// needed returns the permissions that are needed on the way to where the CRDs
// are now.
func (g *Gate) needed() []Permission {
	if !g.crds.known() {
		return toSeeCRDs
	}
	var out []Permission
	for _, part := range g.parts {
		if _, missing := g.crds.of(part); len(missing) > 0 {
			continue
		}
		for _, p := range part.Permissions {
			if !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	return out
}

// isGranted tells whether all of these permissions are known to be there.
func (g *Gate) isGranted(ps ...Permission) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !slices.ContainsFunc(ps, func(p Permission) bool { return !g.granted[p] })
}

func (g *Gate) set(granted bool, ps ...Permission) {
	g.mu.Lock()
	for _, p := range ps {
		g.granted[p] = granted
	}
	g.mu.Unlock()
	g.notify()
}

// notify has every part look anew.
func (g *Gate) notify() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.changed)
	g.changed = make(chan struct{})
}

func (g *Gate) askNow() {
	select {
	case g.ask <- struct{}{}:
	default: // there is one already that nobody has seen
	}
}

// news is closed at the next change.
func (g *Gate) news() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}
