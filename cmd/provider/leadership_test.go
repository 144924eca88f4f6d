// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// answers answers each request with a status, after some time.
type answers struct {
	status int
	takes  time.Duration
}

func (a answers) RoundTrip(*http.Request) (*http.Response, error) {
	time.Sleep(a.takes) // in a bubble: it takes no time
	return &http.Response{StatusCode: a.status, Body: http.NoBody}, nil
}

// TestLeadership: a leader writes while the lease is certain to be its own.
func TestLeadership(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		method string
		path   string // of the lease, if it is empty
		answer answers
		after  time.Duration
		want   error
	}{
		"Renewed":   {"The lease was renewed just now.", http.MethodPut, "", answers{status: http.StatusOK}, time.Second, nil},
		"Made":      {"The lease was made just now.", http.MethodPost, "", answers{status: http.StatusCreated}, time.Second, nil},
		"Frozen":    {"A process that was frozen since cannot know.", http.MethodPut, "", answers{status: http.StatusOK}, time.Minute, errNotLeader},
		"Slow":      {"The lease runs from when its renewal was sent, not from when that was answered.", http.MethodPut, "", answers{http.StatusOK, 8 * time.Second}, 3 * time.Second, errNotLeader},
		"Refused":   {"Another one has it.", http.MethodPut, "", answers{status: http.StatusConflict}, 0, errNotLeader},
		"OnlyRead":  {"To look at the lease does not renew it.", http.MethodGet, "", answers{status: http.StatusOK}, 0, errNotLeader},
		"Event":     {"That the election has ended is written about late.", http.MethodPost, "/api/v1/namespaces/ns/events", answers{status: http.StatusCreated}, 0, errNotLeader},
		"LongSince": {"No renewal has come for the time in which another one may not yet take over.", http.MethodPut, "", answers{status: http.StatusOK}, renewDeadline + 1, errNotLeader},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &leadership{now: time.Now}
				r := &renewals{RoundTripper: tc.answer, of: l}
				req, err := http.NewRequestWithContext(t.Context(), tc.method, "https://api.example.com"+cmp.Or(tc.path, "/apis/coordination.k8s.io/v1/namespaces/ns/leases/provider"), http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := r.RoundTrip(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = resp.Body.Close()
				time.Sleep(tc.after) // in a bubble: it takes no time
				if got := l.mayWrite(); !errors.Is(got, tc.want) {
					t.Errorf("%s\nmayWrite(): %v, want %v", tc.reason, got, tc.want)
				}
			})
		})
	}
}

// TestGuard: a process that may not be the leader any more writes nothing that another one may have
// written since.
func TestGuard(t *testing.T) {
	t.Parallel()
	const (
		reservation = "/apis/kea.crossplane.io/v1alpha1/namespaces/ns/keareservations/vm01"
		machine     = "/apis/vitistack.io/v1alpha1/namespaces/ns/networkconfigurations/vm01/status"
		sent        = true
	)
	cases := map[string]struct {
		reason       string
		method, path string
		frozen       bool
		want         bool
	}{
		"Leads":       {"The leader writes.", http.MethodPut, reservation, false, sent},
		"Finalizer":   {"A finalizer is removed by an update.", http.MethodPut, reservation, true, !sent},
		"Status":      {"What it saw last may be old.", http.MethodPatch, machine, true, !sent},
		"Behind":      {"The API server may be behind a path, as with a proxy.", http.MethodPut, "/k8s/clusters/c" + reservation, true, !sent},
		"Create":      {"Its successor may have created it, and a user deleted it.", http.MethodPost, reservation, true, !sent},
		"Delete":      {"It may be wanted again.", http.MethodDelete, reservation, true, !sent},
		"Read":        {"Reading does no harm.", http.MethodGet, reservation, true, sent},
		"Permissions": {"Every replica asks what it may do.", http.MethodPost, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", true, sent},
		"Event":       {"It may say what went wrong.", http.MethodPost, "/apis/events.k8s.io/v1/namespaces/ns/events", true, sent},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &leadership{now: time.Now}
				l.renewed = time.Now()
				if tc.frozen {
					time.Sleep(time.Minute) // in a bubble: it takes no time
				}
				g := &guarded{RoundTripper: answers{status: http.StatusOK}, of: l}
				req, err := http.NewRequestWithContext(t.Context(), tc.method, "https://api.example.com"+tc.path, http.NoBody)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := g.RoundTrip(req)
				if err == nil {
					_ = resp.Body.Close()
				}
				if (err == nil) != tc.want || err != nil && !errors.Is(err, errNotLeader) {
					t.Errorf("%s\nRoundTrip(%s %s): %v, want it sent: %t", tc.reason, tc.method, tc.path, err, tc.want)
				}
			})
		})
	}
}

// TestGuardAtLast: a process that is frozen when it is about to send sends nothing when it goes on.
func TestGuardAtLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &leadership{now: time.Now}
		l.renewed = time.Now()
		g := &guarded{of: l, RoundTripper: frozenBefore{}}
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://api.example.com"+ledGroups[0], strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := g.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
		if !errors.Is(err, errNotLeader) {
			t.Errorf("RoundTrip: %v, want %v", err, errNotLeader)
		}
	})
}

// frozenBefore is frozen before it reads the body of a request.
type frozenBefore struct{}

// RoundTrip implements http.RoundTripper.
func (frozenBefore) RoundTrip(req *http.Request) (*http.Response, error) {
	time.Sleep(time.Minute) // in a bubble: it takes no time
	if _, err := io.ReadAll(req.Body); err != nil {
		return nil, err
	}
	return answers{status: http.StatusOK}.RoundTrip(req)
}
