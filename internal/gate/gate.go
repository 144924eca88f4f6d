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

// calm is how much more seldom it asks while nothing is missing, which is every
// five minutes: a permission may be taken away.
const calm = 30

// jitter spreads what several providers ask at the same time.
const jitter = 0.3

// A Need is what something cannot work without.
type Need struct {
	// CRDs of the kinds. All must be there before the permissions are asked for.
	CRDs []CRD

	Permissions []Permission
}

// A Part of the provider that runs where what it needs is there.
type Part struct {
	Need

	// Name of what the part serves, in messages.
	Name string

	// Run runs the part. Its context ends when one of the CRDs changes or goes, but
	// not while another is being deleted: it may have objects to let go. It is run
	// again once the part can work again, and a while after an error.
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
	needs []Need // of the parts, and of what is none
	crds  *crdWatch

	// ask has an item when it is time to ask for permissions.
	ask chan struct{}

	mu sync.Mutex

	// granted is what was allowed when it was last asked for.
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
	g := &Gate{options: o, log: o.Logger, ask: make(chan struct{}, 1), changed: make(chan struct{})}
	g.clients.crds, g.clients.access = crds, &access{reviews: auth.SelfSubjectAccessReviews()}
	if err := mgr.Add(g); err != nil {
		return nil, fmt.Errorf("cannot add the gate to the manager: %w", err)
	}
	return g, nil
}

// Add a part, before the manager starts.
func (g *Gate) Add(p Part) {
	g.parts = append(g.parts, p)
	g.Tell(p.Need)
}

// Tell where a permission is missing to something that runs all the same.
func (g *Gate) Tell(n Need) { g.needs = append(g.needs, n) }

// NeedLeaderElection implements manager.LeaderElectionRunnable.
func (g *Gate) NeedLeaderElection() bool { return true }

// Start implements manager.Runnable. It never returns an error.
func (g *Gate) Start(ctx context.Context) error {
	var all sync.WaitGroup
	defer all.Wait()
	g.crds = newCRDWatch(g.clients.crds, g.log, g.needs, func() {
		g.notify()
		g.askNow()
	})
	g.crds.run(ctx, all.Go)
	for _, p := range g.parts {
		all.Go(func() { g.keep(ctx, p) })
	}
	g.askOn(ctx)
	return nil
}

// askOn asks for the permissions that are needed: when CRDs change, and again and
// again.
func (g *Gate) askOn(ctx context.Context) {
	t := teller{log: g.log, announce: g.options.Announce}
	failures := complaints{log: g.log}
	for again := false; ctx.Err() == nil; {
		pause := g.options.AskEvery
		lacking, err := g.review(ctx)
		failures.about("Cannot ask for permissions", err)
		if err == nil {
			t.found(lacking, again)
			if len(lacking) == 0 {
				pause *= calm
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait.Jitter(pause, jitter)):
			again = true
		case <-g.ask:
			again = false
		}
	}
}

// review asks for all that is needed, and returns what is missing.
func (g *Gate) review(ctx context.Context) ([]Permission, error) {
	var lacking []Permission
	granted := map[Permission]bool{}
	for _, p := range g.needed() {
		ok, err := g.clients.access.allowed(ctx, p)
		if err != nil {
			return nil, err
		}
		granted[p] = ok
		if !ok {
			lacking = append(lacking, p)
		}
	}
	g.mu.Lock()
	g.granted = granted
	g.mu.Unlock()
	g.notify()
	return lacking, nil
}

// needed returns the permissions that are needed on the way to where the CRDs
// are now.
func (g *Gate) needed() []Permission {
	if !g.crds.known() {
		return toSeeCRDs
	}
	var out []Permission
	for _, n := range g.needs {
		if _, missing := g.crds.of(n.CRDs); len(missing) > 0 {
			continue
		}
		for _, p := range n.Permissions {
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
