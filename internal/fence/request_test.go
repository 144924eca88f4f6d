// SPDX-License-Identifier: Apache-2.0

package fence_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/vitistack/provider-kea/internal/fence"
)

var errReplaced = errors.New("another one has taken over")

// roundTripper is a function that is one.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestRequest: what decides is the last moment before a request is written, with HTTP/1 and HTTP/2.
func TestRequest(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason, body string
		// allowed is how often the request may be written when it is asked.
		allowed int32
		want    error
		arrives bool
	}{
		"Allowed":  {reason: "No other replica has taken over.", body: "{}", allowed: 100, arrives: true},
		"Long":     {reason: "It is more than is read at once.", body: strings.Repeat("x", 1<<20), allowed: 1000, arrives: true},
		"Replaced": {reason: "It was replaced before.", body: "{}", want: errReplaced},
		"Between":  {reason: "It was replaced while it was writing: half a request is none.", body: strings.Repeat("x", 1<<20), allowed: 1, want: errReplaced},
		"Sent":     {reason: "It was replaced when all had been written.", body: "{}", allowed: 1, arrives: true},
		"Bodiless": {reason: "There is nothing that could be held back.", arrives: true},
	}
	for name, tc := range cases {
		for _, protocol := range []string{"HTTP/1.1", "HTTP/2.0"} {
			t.Run(name+" "+protocol, func(t *testing.T) {
				t.Parallel()
				var arrived, asked atomic.Int32
				server := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
					if b, err := io.ReadAll(r.Body); err == nil && string(b) == tc.body && r.Proto == protocol {
						arrived.Add(1)
					}
				}))
				server.EnableHTTP2 = protocol == "HTTP/2.0"
				server.StartTLS()
				defer server.Close()
				client := server.Client()
				inner := client.Transport
				client.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
					return inner.RoundTrip(fence.Request(r, func() error {
						if asked.Add(1) > tc.allowed {
							return errReplaced
						}
						return nil
					}))
				})
				r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(tc.body))
				if err != nil {
					t.Fatal(err)
				}
				resp, err := client.Do(r)
				if err == nil {
					_ = resp.Body.Close()
				}
				if !errors.Is(err, tc.want) {
					t.Errorf("%s\ngot the error %v, want %v", tc.reason, err, tc.want)
				}
				if got := arrived.Load() == 1; got != tc.arrives {
					t.Errorf("%s\nit arrived: %t, want %t", tc.reason, got, tc.arrives)
				}
			})
		}
	}
}
