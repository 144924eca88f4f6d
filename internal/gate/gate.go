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

// askEvery is how often a missing permission is reviewed again, and how long a
// part that failed waits: there is no event when a role changes.
const askEvery = 10 * time.Second

// calmFactor is by how much the interval grows while nothing is missing, to five
// minutes: a permission may be revoked.
const calmFactor = 30

// jitter spreads the reviews of several providers.
const jitter = 0.3

// A Need is what a part cannot run without.
type Need struct {
	// CRDs of the kinds. The permissions are reviewed once all of them are served.
	CRDs []CRD

	Permissions []Permission
}

// A Part of the provider runs while what it needs is there.
type Part struct {
	Need

	// Name of what the part serves, in messages.
	Name string

	// Run runs the part. Its context ends when one of the CRDs changes or is gone,
	// but not while another is being deleted, whose objects may have finalizers to
	// remove. It is called again when the part can run again, and some seconds after
	// an error.
	Run func(ctx context.Context, crds CRDs) error

	// once is set by AddOnce.
	once bool
}

// Options of a gate.
type Options struct {
	// Logger of the gate; nil logs nothing.
	Logger logging.Logger

	// Announce is called with the missing permissions, once, beside the log. May be
	// nil; must not block.
	Announce func(message string)

	// AskEvery replaces the constant in tests.
	AskEvery time.Duration
}

// A Gate runs the parts that can run. It is a runnable of the manager.
type Gate struct {
	options Options
	log     logging.Logger
	clients struct {
		crds   extclient.Interface
		access *access
	}
	parts []Part
	needs []Need // of the parts, and those that are only reported
	crds  *crdWatch

	// ask has an item when the permissions are to be reviewed at once.
	ask chan struct{}

	mu sync.Mutex // guards what follows

	// granted is the result of the last review.
	granted map[Permission]bool

	// changed is closed, and replaced, when CRDs or permissions have changed.
	changed chan struct{}
}

// New returns a gate that it has added to the manager.
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

// AddWhileServed adds a part that runs while its CRDs are served. Call it before
// the manager starts.
func (g *Gate) AddWhileServed(p Part) {
	g.parts = append(g.parts, p)
	g.AlsoReport(p.Need)
}

// AddOnce adds a part whose Run only starts something, which goes on whatever
// happens to the CRDs: Run is called again only after an error. Call it before the
// manager starts.
func (g *Gate) AddOnce(p Part) {
	p.once = true
	g.AddWhileServed(p)
}

// AlsoReport has missing permissions reported that no part waits for. Call it
// before the manager starts.
func (g *Gate) AlsoReport(n Need) { g.needs = append(g.needs, n) }

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
		all.Go(func() { g.supervise(ctx, p) })
	}
	g.reviewLoop(ctx)
	return nil
}

// reviewLoop reviews the permissions until ctx ends: when CRDs change, and regularly.
func (g *Gate) reviewLoop(ctx context.Context) {
	t := permissionReport{log: g.log, announce: g.options.Announce}
	failures := repeatLogger{logger: g.log}
	for onTime := false; ctx.Err() == nil; {
		pause := g.options.AskEvery
		lacking, err := g.review(ctx)
		failures.log("Cannot review permissions", err)
		if err == nil {
			t.found(lacking, onTime)
			if len(lacking) == 0 {
				pause *= calmFactor
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait.Jitter(pause, jitter)):
			onTime = true
		case <-g.ask:
			onTime = false
		}
	}
}

// review asks the API server for all needed permissions, and returns the missing
// ones.
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

// needed returns the permissions that are needed with the CRDs as they are.
func (g *Gate) needed() []Permission {
	if !g.crds.known() {
		return toSeeCRDs
	}
	var out []Permission
	for _, n := range g.needs {
		if _, missing := g.crds.split(n.CRDs); len(missing) > 0 {
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

// isGranted reports whether the last review found all of these permissions.
func (g *Gate) isGranted(ps ...Permission) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return !slices.ContainsFunc(ps, func(p Permission) bool { return !g.granted[p] })
}

// notify wakes all parts to check what they need.
func (g *Gate) notify() {
	g.mu.Lock()
	defer g.mu.Unlock()
	close(g.changed)
	g.changed = make(chan struct{})
}

// askNow has the permissions reviewed soon. It does not block.
func (g *Gate) askNow() {
	select {
	case g.ask <- struct{}{}:
	default: // a review is due already
	}
}

// changes returns a channel that is closed at the next change.
func (g *Gate) changes() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.changed
}
