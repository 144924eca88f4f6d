// SPDX-License-Identifier: Apache-2.0

package main

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"k8s.io/client-go/rest"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/fence"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// renewDeadline is how long after its last renewal a leader may still send writes. It is
// controller-runtime's deadline, after which a leader gives up. Another replica takes over 15 s
// after the last renewal at the earliest, so that a write has the time between to arrive.
const renewDeadline = 10 * time.Second

// leadership knows when the lease of the leader election was last renewed. A process that was
// frozen does not notice before its next renewal that another one has taken over: until then, this
// keeps it from sending what its successor may have superseded, to Kea or to the API server. There,
// resource versions are not enough: it would remove the finalizer of a reservation that it does not
// know of. Its methods may be called by several goroutines at once.
type leadership struct {
	now func() time.Time

	mu      sync.Mutex // guards renewed
	renewed time.Time
}

// errNotLeader is that of a write without a lease that is certain.
var errNotLeader = errors.New("another replica of the provider may have taken over, as the lease of the leader election was not renewed in time")

// mayWrite returns an error unless the lease was renewed a short while ago.
func (l *leadership) mayWrite() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	// The monotonic clock stands still while the machine is suspended, the other one may be set.
	if max(now.Sub(l.renewed), now.Round(0).Sub(l.renewed.Round(0))) > renewDeadline {
		return errNotLeader
	}
	return nil
}

// guard returns a configuration by which objects of the API groups that the provider manages are
// written only while mayWrite allows it.
func (l *leadership) guard(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { return &guarded{RoundTripper: rt, of: l} })
	return cfg
}

// guarded refuses writes of a process that may not be the leader any more.
type guarded struct {
	http.RoundTripper

	of *leadership
}

// ledGroups are the paths of the objects that only the leader writes. Other requests do no harm:
// events, questions about permissions, and the lease itself.
var ledGroups = []string{"/apis/" + v1alpha1.Group + "/", "/apis/" + vitistack.GroupVersion.Group + "/"}

// RoundTrip implements http.RoundTripper.
func (g *guarded) RoundTrip(req *http.Request) (*http.Response, error) {
	inPath := func(group string) bool { return strings.Contains(req.URL.Path, group) }
	if req.Method != http.MethodGet && slices.ContainsFunc(ledGroups, inPath) {
		// Here, too: a request may have no body.
		if err := g.of.mayWrite(); err != nil {
			if req.Body != nil {
				_ = req.Body.Close() // http.RoundTripper has it closed, always.
			}
			return nil, err
		}
		req = fence.Request(req, g.of.mayWrite)
	}
	return g.RoundTripper.RoundTrip(req) //nolint:wrapcheck // It is that of the request.
}

// config returns a configuration for the leader election alone, by whose requests it is known when
// the lease was renewed.
func (l *leadership) config(cfg *rest.Config) *rest.Config {
	cfg = rest.CopyConfig(cfg)
	cfg.Wrap(func(rt http.RoundTripper) http.RoundTripper { return &renewals{RoundTripper: rt, of: l} })
	return cfg
}

// leasePath is where leases are. The leader election writes events, too, perhaps long after what
// they are about.
const leasePath = "/apis/coordination.k8s.io/"

// renewals notes the renewals of a lease: the requests that write it.
type renewals struct {
	http.RoundTripper

	of *leadership
}

// RoundTrip implements http.RoundTripper.
func (r *renewals) RoundTrip(req *http.Request) (*http.Response, error) {
	sent := r.of.now()
	resp, err := r.RoundTripper.RoundTrip(req)
	renews := req.Method != http.MethodGet && strings.Contains(req.URL.Path, leasePath)
	if err == nil && renews && resp.StatusCode < http.StatusMultipleChoices {
		r.of.mu.Lock()
		defer r.of.mu.Unlock()
		r.of.renewed = sent
	}
	return resp, err //nolint:wrapcheck // It is that of the request.
}
