// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// front stands between the provider and a Kea, and answers in its stead while
// answer is set. A change takes effect with the next look at the server, which
// begins with status-get, so that no look sees half of each.
type front struct {
	*httptest.Server
	answer, now atomic.Pointer[http.HandlerFunc]
}

func newFront(t *testing.T, k *testenv.Kea) *front {
	t.Helper()
	to, err := url.Parse(k.URL)
	if err != nil {
		t.Fatal(err)
	}
	f := &front{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	f.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if bytes.Contains(body, []byte(`"status-get"`)) {
			f.now.Store(f.answer.Load())
		}
		if answer := f.now.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(f.Close)
	return f
}

// says answers always the same.
func says(status int, contentType, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestConfigRubbish: whatever answers in Kea's stead is an error that is told,
// and never taken for "not there".
func TestConfigRubbish(t *testing.T) {
	t.Parallel()
	k := testenv.StartKea(t, testenv.KeaOptions{})
	const json = "application/json"
	misunderstood := trouble{reason: v1alpha1.ReasonUnexpectedAnswer, message: "cannot understand the answer to status-get: it is not the JSON that Kea sends, or cut short"}
	cases := map[string]struct {
		reason   string
		answer   http.HandlerFunc
		interval time.Duration
		want     trouble
	}{
		"HTML": {
			reason: "A web server or a login page.",
			answer: says(http.StatusOK, "text/html", "<!DOCTYPE html><html><body>Welcome</body></html>"), want: misunderstood,
		},
		"CutJSON": {
			reason: "An answer that ends too soon.",
			answer: says(http.StatusOK, json, `[ { "result": 0, "arguments": { "pid": 1`), want: misunderstood,
		},
		"Empty":      {reason: "Nothing at all.", answer: says(http.StatusOK, json, ""), want: misunderstood},
		"EmptyArray": {reason: "An answer of no service.", answer: says(http.StatusOK, json, "[]"), want: misunderstood},
		"CutBody": {
			reason: "The connection breaks within an answer.",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", "1000")
				_, _ = io.WriteString(w, `[ { "result": 0`)
			},
			want: trouble{reason: v1alpha1.ReasonUnexpectedAnswer, message: "cannot understand the answer to status-get: it was cut off"},
		},
		"Huge": {
			reason: "More than anybody should read.",
			answer: func(w http.ResponseWriter, _ *http.Request) {
				for block := bytes.Repeat([]byte{' '}, 1<<20); ; {
					if _, err := w.Write(block); err != nil {
						return
					}
				}
			},
			interval: 15 * time.Second, // so that reading it is not all that the machine does
			want:     trouble{reason: v1alpha1.ReasonLimitExceeded, message: "cannot use the answer to status-get: "},
		},
		"OtherShape": {
			reason: "JSON of somebody else.",
			answer: says(http.StatusOK, json, `[ { "result": 0, "arguments": [ "a" ] } ]`),
			want:   trouble{reason: v1alpha1.ReasonUnexpectedAnswer, message: "its arguments have another shape than Kea's"},
		},
		"NotFound": {
			reason: `Kea's "empty" to everything: lost is not the same as not there.`,
			answer: says(http.StatusOK, json, `[ { "result": 3, "text": "0 found" } ]`),
			want:   trouble{reason: v1alpha1.ReasonUnexpectedAnswer, message: "not found in Kea"},
		},
		"HTTP500": {
			reason: "A proxy in trouble.", answer: says(http.StatusInternalServerError, "text/plain", "oops"),
			want: trouble{reason: v1alpha1.ReasonUnreachable, message: "the URL answers with HTTP 500, which Kea does not"},
		},
		"Redirect": {
			reason: "A redirect to a login.",
			answer: func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "https://login.example/", http.StatusFound)
			},
			want: trouble{reason: v1alpha1.ReasonUnreachable, message: "the URL answers with HTTP 302, which Kea does not"},
		},
		"ControlAgentAlone": {
			reason: "The Control Agent answers for a Kea that is down.",
			answer: says(http.StatusOK, json, `[ { "result": 1, "text": "unable to forward command to the dhcp4 service: No such file or directory. The server is likely to be offline" } ]`),
			want:   trouble{reason: v1alpha1.ReasonUnreachable, message: "the Control Agent answers, but kea-dhcp4 behind it does not"},
		},
	}
	n := 20
	for name, tc := range cases {
		n += 2
		host := n
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFront(t, k)
			s := bareSite(t, f.URL)
			s.look(k, "", "")
			pc, before, meanwhile := s.config(), s.numbered(host), s.numbered(host+1)
			if tc.interval > 0 {
				pc.Spec.SnapshotInterval.Duration = tc.interval
			}
			s.create(pc)
			s.create(before)
			s.await(before, isReady, isSynced)
			s.awaitFollowUps(before)
			held := fmt.Sprint(s.held(macOf(host)))

			f.answer.Store(&tc.answer)
			s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse})
			s.create(meanwhile)
			s.spared(pc, before, tc.want)
			s.await(meanwhile, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: tc.want.message})
			if got := fmt.Sprint(s.held(macOf(host))); got != held || s.holds(host+1) {
				t.Errorf("%s Kea has changed: %s was %s; the other one there: %v", tc.reason, got, held, s.holds(host+1))
			}
			if before.Status.AtProvider.IPAddress == "" || before.Spec.ForProvider.IPAddress == "" {
				t.Errorf("%s What was known is lost: %+v", tc.reason, before.Status.AtProvider)
			}

			f.answer.Store(nil)
			s.await(pc, isReady)
			s.await(before, isReady, isSynced)
			s.await(meanwhile, isReady, isSynced)
		})
	}
}

// TestConfigHAListener: the port of the high-availability hook is no control
// socket, and the message says so.
func TestConfigHAListener(t *testing.T) {
	t.Parallel()
	listener, err := testenv.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	s := keaSite(t, testenv.KeaOptions{
		Hooks: []string{testenv.HookHostCmds, testenv.HookSubnetCmds, testenv.HookLeaseCmds, testenv.HookHA},
		HookParameters: map[string]any{testenv.HookHA: map[string]any{"high-availability": []any{map[string]any{
			"this-server-name": "server1", "mode": "hot-standby",
			"multi-threading": map[string]any{"enable-multi-threading": true, "http-dedicated-listener": true, "http-listener-threads": 2, "http-client-threads": 2},
			"peers": []any{
				map[string]any{"name": "server1", "url": "http://" + listener + "/", "role": "primary"},
				map[string]any{"name": "server2", "url": "http://127.0.0.1:1/", "role": "standby"},
			},
		}}}},
	})
	pc, r := s.config(), s.numbered(11)
	pc.Spec.Servers[0].URL = "http://" + listener
	s.create(pc)
	s.create(r)
	s.troubled(pc, r, trouble{reason: v1alpha1.ReasonUnauthorized, message: "(HTTP 403): the listener of the high-availability hook answers so, use the URL of kea-dhcp4's control socket"})
	edit(s, pc, func(pc *v1alpha1.ClusterProviderConfig) { pc.Spec.Servers[0].URL = s.kea.URL })
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	if got := pc.Status.Servers; len(got) != 1 || strings.TrimSpace(got[0].HAState) == "" {
		t.Errorf("status.servers is %+v: the HA state is to be told", got)
	}
}
