// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

func TestNewClient(t *testing.T) {
	cases := map[string]struct {
		reason, url string
		ok          bool
	}{
		"HTTP":        {"A control socket without TLS.", "http://127.0.0.1:8000", true},
		"HTTPS":       {"A control socket with TLS.", "https://kea.example:8000/", true},
		"IPv6":        {"Brackets as everywhere.", "http://[::1]:8000", true},
		"NoScheme":    {"Go would read the host as a scheme.", "kea.example:8000", false},
		"Unix":        {"No HTTP.", "unix:///run/kea.sock", false},
		"NoHost":      {"Nothing to connect to.", "http://:8000", false},
		"Empty":       {"Nothing to connect to.", "", false},
		"BadPort":     {"The parser refuses it.", "http://user:s3cret@kea:port", false},
		"Credentials": {"They would show in errors.", "http://user:s3cret@kea.example", false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := kea.NewClient(kea.Config{URL: tc.url})
			if (err == nil) != tc.ok {
				t.Errorf("%s got %v", tc.reason, err)
			}
			if err != nil && strings.Contains(err.Error(), "s3cret") {
				t.Errorf("the password is in the error: %v", err)
			}
		})
	}
}

// What goes over the wire: Kea answers HTTP 400 to anything else.
func TestRequest(t *testing.T) {
	var got *http.Request
	var body string
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		raw, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, body = r, string(raw)
		_, _ = io.WriteString(w, `[{"result": 0}]`)
	}))
	t.Cleanup(srv.Close)
	c := newClient(t, kea.Config{URL: srv.URL, Username: "admin", Password: "s3cret"})
	r := host("00:00:00:00:0a:01", "10.123.0.51")
	r.Hostname = "a<b>&\u2028"
	if err := c.AddReservation(t.Context(), kea.TargetMemory, r); err != nil {
		t.Fatal(err)
	}
	want := `{"command":"reservation-add","service":["dhcp4"],"arguments":{"operation-target":"memory","reservation":` +
		`{"hostname":"a<b>&` + "\u2028" + `","hw-address":"00:00:00:00:0a:01","ip-address":"10.123.0.51","subnet-id":1}}}`
	if diff := cmp.Diff(want, body); diff != "" {
		t.Errorf("body: -want +got:\n%s", diff)
	}
	if got.Method != http.MethodPost || got.Header.Get("Content-Type") != "application/json" || got.ContentLength != int64(len(body)) || got.TransferEncoding != nil {
		t.Errorf("got %s, %v, length %d, encoding %v", got.Method, got.Header, got.ContentLength, got.TransferEncoding)
	}
	if user, password, _ := got.BasicAuth(); user != "admin" || password != "s3cret" {
		t.Errorf("basic auth: got %q %q", user, password)
	}
	if err := c.WriteConfig(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Subnets(t.Context()); class(err) != "malformed" {
		t.Errorf("an answer without arguments: got %v", err)
	}
	for name := range got.Header {
		if strings.Contains(name, "Idempotency") {
			t.Errorf("the mark for net/http went over the wire: %v", got.Header)
		}
	}
}

func TestBasicAuthentication(t *testing.T) {
	for name, tc := range map[string]struct {
		reason, username, password, want string
	}{
		"Both":          {"As configured.", "admin", "s3cret", "Basic YWRtaW46czNjcmV0"},
		"EmptyPassword": {"Kea has users without a password.", "admin", "", "Basic YWRtaW46"},
		"EmptyUsername": {"Kea's own affair.", "", "s3cret", "Basic OnMzY3JldA=="},
		"Neither":       {"Not asked for.", "", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			var got string
			c := newClient(t, kea.Config{URL: "http://kea.test", Username: tc.username, Password: tc.password, Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				got = r.Header.Get("Authorization")
				return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(goodAnswer)), Request: r}, nil
			})})
			if _, err := c.Version(t.Context()); err != nil || got != tc.want {
				t.Errorf("%s got %q, %v, want %q", tc.reason, got, err, tc.want)
			}
		})
	}
}

// answering is a server that answers every command with body.
func answering(body string) kea.Config {
	return kea.Config{URL: "http://kea.test", Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
	})}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func TestObserve(t *testing.T) {
	k := keatest.New(t, keatest.Options{})
	cfg := k.ClientConfig()
	type observed struct{ Command, Class string }
	var got []observed
	cfg.Observe = func(command string, took time.Duration, err error) {
		if took <= 0 {
			t.Errorf("%s took %s", command, took)
		}
		got = append(got, observed{command, class(err)})
	}
	c := newClient(t, cfg)
	k.Fail(keatest.Fault{Command: "status-get", Kind: keatest.CutJSON, Times: 1})
	_, _ = c.Status(t.Context())
	_, _ = c.Subnets(t.Context())
	_, err := c.Reservation(t.Context(), kea.TargetMemory, subnetA, hw1)
	if !errors.Is(err, kea.ErrNotFound) {
		t.Errorf("got %v", err)
	}
	want := []observed{{"status-get", "malformed"}, {"subnet4-list", "ok"}, {"reservation-get", "not found"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMayWrite: what may not be written is not sent, and what only reads is. What counts is the moment in
// which it would be sent: the process may have been frozen before.
func TestMayWrite(t *testing.T) {
	t.Parallel()
	k := keatest.New(t, keatest.Options{})
	cfg := k.ClientConfig()
	errNo := errors.New("not now")
	var frozen atomic.Bool
	cfg.MayWrite = func() error {
		if frozen.Load() {
			return errNo
		}
		return nil
	}
	cfg.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		frozen.Store(true)
		defer frozen.Store(false)
		return http.DefaultTransport.RoundTrip(r)
	})
	c := newClient(t, cfg)
	writes := map[string]func() error{
		"reservation-add": func() error {
			return c.AddReservation(t.Context(), kea.TargetMemory, host("00:00:00:00:0a:01", "10.123.0.51"))
		},
		"reservation-update": func() error {
			return c.UpdateReservation(t.Context(), kea.TargetMemory, host("00:00:00:00:0a:01", "10.123.0.51"))
		},
		"reservation-del": func() error { return c.DeleteReservation(t.Context(), kea.TargetMemory, 1, "00:00:00:00:0a:01") },
		"config-write":    func() error { return c.WriteConfig(t.Context()) },
	}
	for command, write := range writes {
		err := write()
		if class(err) == "unreachable" {
			t.Errorf("%s: %v says something of the server", command, err)
		}
		if !errors.Is(err, errNo) || k.Commands()[command] != 0 {
			t.Errorf("%s: %v, sent %d times, want %v and none", command, err, k.Commands()[command], errNo)
		}
	}
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("status-get: %v", err)
	}
}
