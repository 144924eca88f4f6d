// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"path"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
)

// startOfStorage is how long an API server may take to serve a CRD that has changed. A failure that
// lasts longer is logged.
const startOfStorage = 5 * time.Second

// readFailures logs that VitiStack's kinds cannot be read, and that they can be read again, once
// each, however long it lasts and however often the controller is started. Nothing is lost
// meanwhile: nothing is decided before a cache was filled, and a filled one keeps what it has.
//
// It observes the cache's requests. An informer reports nothing while an API server answers 429, and
// that is its answer while a conversion webhook is down. It may be used by several goroutines at
// once.
type readFailures struct {
	log logging.Logger
	now func() time.Time

	mu sync.Mutex
	// outages has the resources that cannot be read. mu guards it.
	outages map[string]*outage
}

type outage struct {
	since  time.Time
	logged bool
}

// observe returns the same client, observed.
func (f *readFailures) observe(c *http.Client) *http.Client {
	observed := *c
	next := c.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	observed.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := next.RoundTrip(r)
		if err == nil {
			f.answered(path.Base(r.URL.Path), resp)
		}
		return resp, err //nolint:wrapcheck // The client knows its transport's errors.
	})
	return &observed
}

type roundTripper func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// answered takes an answer to a request for a resource. That it is gone (404) is reported by the
// gate, and that a watch is too old (410) is a part of its life.
func (f *readFailures) answered(resource string, resp *http.Response) {
	switch code := resp.StatusCode; {
	case code < http.StatusBadRequest:
		f.succeeded(resource)
	case code != http.StatusNotFound && code != http.StatusGone:
		f.failed(resource, messageIn(resp))
	}
}

func (f *readFailures) succeeded(resource string) {
	f.mu.Lock()
	o := f.outages[resource]
	delete(f.outages, resource)
	f.mu.Unlock()
	if o != nil && o.logged {
		f.log.Info("Can read " + resource + " again")
	}
}

func (f *readFailures) failed(resource string, err error) {
	say := f.log.Debug
	if f.isNew(resource) {
		say = f.log.Info
	}
	say("Cannot read "+resource+": what is reserved stays, and it is tried again", "error", err)
}

// isNew reports whether a failure has lasted and was not logged yet.
func (f *readFailures) isNew(resource string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.now()
	if f.outages == nil {
		f.outages = map[string]*outage{}
	}
	if f.outages[resource] == nil {
		f.outages[resource] = &outage{since: now}
	}
	o := f.outages[resource]
	if o.logged || now.Sub(o.since) < startOfStorage {
		return false
	}
	o.logged = true
	return true
}

// messageIn returns what an API server says in an answer. The answer can be read again.
func messageIn(resp *http.Response) error {
	const limit = 64 << 10
	read, err := io.ReadAll(io.LimitReader(resp.Body, limit))
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(read), resp.Body), resp.Body}
	status := metav1.Status{}
	if err == nil && json.Unmarshal(read, &status) == nil && status.Message != "" {
		return errors.New(status.Message)
	}
	return errors.New(resp.Status)
}

// watchFailed logs for debugging what client-go would log at each attempt.
func (f *readFailures) watchFailed(_ context.Context, r *toolscache.Reflector, err error) {
	f.log.Debug("A watch failed", "type", r.TypeDescription(), "error", err)
}
