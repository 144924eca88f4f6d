// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// awaitReported waits until the status of the configuration has a message about a server with this
// part in it.
func (s *site) awaitReported(server, part string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "a report about "+server+" with "+part, func(context.Context) error {
		found := s.awaitConfig().GetServers()
		for _, f := range found {
			if f.Name == server && strings.Contains(f.Message, part) {
				return nil
			}
		}
		return fmt.Errorf("status.servers is %+v", found)
	})
}

// TestPairWrongSecret: a server that does not take the credentials is reported as Unauthorized, and
// the other one serves. Credentials of its own, in spec.servers, bring it back.
func TestPairWrongSecret(t *testing.T) {
	t.Parallel()
	first := map[string]string{"username": "provider", "password": "s3cret-Xaiw7ohd"}
	second := map[string]string{"username": "provider", "password": "s3cret-eiJ0ooth"}
	p := barePair(t,
		testenv.KeaOptions{Username: first["username"], Password: first["password"]},
		testenv.KeaOptions{Username: second["username"], Password: second["password"]})
	p.secret("login", first)
	p.secret("second", second)
	c := p.config()
	p.credentials(c)
	p.create(c)
	t.Cleanup(func() { p.abandon(c) })
	p.awaitDown(p.kea2)
	p.awaitReported("kea2", "check username and password")
	r := p.numbered(1)
	p.create(r)
	p.await(r, readyWithout(p.kea2)...)
	p.kea1.awaitHeld(macOf(1), "10.123.0.1")

	p.patch(c, fmt.Sprintf(`{"spec":{"servers":[{"name":"kea1","url":%q},{"name":"kea2","url":%q,
		"credentials":{"source":"Secret","secretRef":{"namespace":%q,"name":"second"}}}]}}`, p.kea1.URL, p.kea2.URL, p.namespace))
	p.awaitConfig(someServe, allServe)
	p.await(r, replicated...)
	p.kea2.awaitHeld(macOf(1), "10.123.0.1")
}

// TestPairLacksHook: a hook library that one server does not load is reported, and what does not need
// it goes on, on that server too.
func TestPairLacksHook(t *testing.T) {
	t.Parallel()
	byPrefix := params{HWAddress: macOf(1), Subnet: subnet, IPAddress: "10.123.0.1"}
	byID := params{HWAddress: macOf(1), SubnetID: new(int64(1)), IPAddress: "10.123.0.1"}
	fromLease := params{HWAddress: macOf(1), Subnet: subnet}
	for name, tc := range map[string]struct {
		reason  string
		missing string
		of      params
		both    bool // what kea2 can still do
	}{
		"host_cmds":                     {"kea2 cannot be written to.", testenv.HookHostCmds, byPrefix, false},
		"subnet_cmds":                   {"kea2 cannot look up a prefix.", testenv.HookSubnetCmds, byPrefix, false},
		"subnet_cmds and a subnet-id":   {"A number need not be looked up.", testenv.HookSubnetCmds, byID, true},
		"lease_cmds":                    {"An address that is given needs no lease.", testenv.HookLeaseCmds, byPrefix, true},
		"lease_cmds and a device's own": {"The lease is known from kea1.", testenv.HookLeaseCmds, fromLease, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			t.Log(tc.reason)
			hooks := []string{}
			for _, h := range []string{testenv.HookHostCmds, testenv.HookSubnetCmds, testenv.HookLeaseCmds} {
				if h != tc.missing {
					hooks = append(hooks, h)
				}
			}
			p := newPairOf(t, testenv.KeaOptions{}, testenv.KeaOptions{Hooks: hooks})
			p.awaitReported("kea2", tc.missing)
			p.awaitConfig(someServe)
			p.kea1.lease(macOf(1), "10.123.0.1")
			r := p.reservation("vm01", tc.of)
			p.create(r)
			p.kea1.awaitHeld(macOf(1), "10.123.0.1")
			if tc.both {
				p.await(r, isReady, isSynced)
				p.kea2.awaitHeld(macOf(1), "10.123.0.1")
			} else {
				p.await(r, is{Type: v1alpha1.TypeReplicated, Status: corev1.ConditionFalse, Message: "kea2"})
			}
			p.checkQuiet(r)

			p.kea2.Stop()
			(&site{t: t, kea: p.kea2.Kea}).load(tc.missing)
			p.kea2.Start(t)
			p.awaitConfig(someServe, allServe)
			p.await(r, replicated...)
			p.kea2.awaitHeld(macOf(1), "10.123.0.1")
		})
	}
}

// TestTwoNamesForOneServer: one server that the configuration names twice is reported, and is used
// once. What is reserved there is not a conflict with itself, and is removed with the KeaReservation.
func TestTwoNamesForOneServer(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, func(c *v1alpha1.ClusterProviderConfig) {
		again := strings.Replace(c.Spec.Servers[0].URL, "127.0.0.1", "localhost", 1)
		c.Spec.Servers = append(c.Spec.Servers, v1alpha1.Server{Name: "kea2", URL: again})
	})
	s.awaitConfig(unhealthy("kea2"))
	s.awaitReported("kea2", "kea1")
	r := s.numbered(1)
	s.create(r)
	s.await(r, isReady, isSynced)
	s.awaitSent("status-get", 10)
	equal(t, "reservation-add", s.sent("reservation-add"), 1)

	edit(s, s.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = c.Spec.Servers[:1] })
	s.await(r, replicated...)
	s.awaitHeld(macOf(1), "10.123.0.1")
	s.awaitConfig(someServe, allServe)
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(macOf(1))
}

// TestLoadBalancer: a load balancer in front of two servers is noticed by the process ids that
// alternate. Nothing is written: it is not known on which of them it would be.
func TestLoadBalancer(t *testing.T) {
	t.Parallel()
	p := barePair(t, testenv.KeaOptions{}, testenv.KeaOptions{})
	c := p.config()
	c.Spec.Servers = []v1alpha1.Server{{Name: "balanced", URL: balancer(t, p.kea1.URL, p.kea2.URL)}}
	p.create(c)
	t.Cleanup(func() { p.abandon(c) })
	p.awaitConfig(unhealthy("balanced"))
	p.awaitReported("balanced", "more than one kea-dhcp4")
	r := p.numbered(1)
	p.create(r)
	p.awaitSent("status-get", 10)
	for _, m := range p.members() {
		if got := m.held(macOf(1)); got != nil {
			t.Errorf("%s has %+v", m.name, got)
		}
	}
	edit(p.site, c, func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = p.config().Spec.Servers })
	p.await(r, replicated...)
	p.kea1.awaitHeld(macOf(1), "10.123.0.1")
	p.kea2.awaitHeld(macOf(1), "10.123.0.1")
	p.awaitConfig(someServe, allServe)
}

// balancer passes one request to the one server, and the next one to the other.
func balancer(t *testing.T, urls ...string) string {
	t.Helper()
	var proxies []http.Handler
	for _, u := range urls {
		target, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		proxies = append(proxies, &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }})
	}
	var n atomic.Uint64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		proxies[n.Add(1)%uint64(len(proxies))].ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL
}
