// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// TestCheckAddress: an address is refused when the connection is made, whatever the name led to when it
// was first looked up.
func TestCheckAddress(t *testing.T) {
	var requests atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		w.Header().Set("Connection", "close") // The next command connects again.
		_, _ = w.Write([]byte(`[{"result": 0, "arguments": []}]`))
	}))
	defer srv.Close()
	u, _ := url.Parse(srv.URL)
	allowed := true
	c, err := kea.NewClient(kea.Config{
		URL: "http://localhost:" + u.Port(),
		CheckAddress: func(a netip.Addr) error {
			if allowed || !a.IsLoopback() {
				return nil
			}
			return &kea.ForbiddenError{Reason: "not there"}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ListCommands(t.Context()); err != nil {
		t.Fatal(err)
	}
	allowed = false
	_, err = c.ListCommands(t.Context())
	if forbidden, ok := errors.AsType[*kea.ForbiddenError](err); !ok || forbidden.Error() != "not there" {
		t.Errorf("the error is %v", err)
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("the server got %d requests, want that of before", n)
	}
}

// TestProxy: the environment's proxy is used where that is wanted, and not otherwise.
func TestProxy(t *testing.T) {
	var requests atomic.Int64
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		requests.Add(1)
		_, _ = w.Write([]byte(`[{"result": 0, "arguments": []}]`))
	}))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL) // net/http reads it once in a process.
	t.Setenv("NO_PROXY", "")
	for _, use := range []bool{false, true} {
		c, err := kea.NewClient(kea.Config{
			URL: "http://192.0.2.1:8000", Proxy: use, Timeout: 5 * time.Second,
			CheckAddress: func(netip.Addr) error { return &kea.ForbiddenError{Reason: "asked"} },
		})
		if err != nil {
			t.Fatal(err)
		}
		_, err = c.ListCommands(t.Context())
		if _, asked := errors.AsType[*kea.ForbiddenError](err); asked == use {
			t.Errorf("with a proxy %t: %v", use, err)
		}
	}
	if n := requests.Load(); n != 1 {
		t.Errorf("the proxy got %d requests, want 1", n)
	}
}
