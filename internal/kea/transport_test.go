// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

const goodAnswer = `[{"result": 0, "text": "3.0.3", "arguments": {"extended": "3.0.3 (tarball)"}}]`

// TestAnswers: what may come back over HTTP, and which error it is. version-get and
// reservation-add stand for all commands.
func TestAnswers(t *testing.T) {
	cases := map[string]struct {
		reason string
		status int
		body   string
		want   string
		text   string
	}{
		"Success":           {"An array with one answer.", 200, goodAnswer, "ok", ""},
		"BareObject":        {"As Kea's HTTP layer writes it.", 200, strings.Trim(goodAnswer, "[]"), "ok", ""},
		"Error":             {"Result 1.", 200, `[{"result": 1, "text": "no way"}]`, "rejected", "no way"},
		"Conflict":          {"Result 4.", 200, `[{"result": 4, "text": "there already"}]`, "rejected", "there already"},
		"Fatal":             {"Result 5, since 3.1.7.", 200, `[{"result": 5, "text": "dying"}]`, "rejected", "dying"},
		"Unsupported":       {"Result 2.", 200, `[{"result": 2, "text": "?"}]`, "unsupported", "does not support"},
		"Empty":             {"Result 3.", 200, `[{"result": 3, "text": "none"}]`, "not found", ""},
		"DatabaseLost":      {"Not \"not found\".", 200, `[{"result": 1, "text": "fatal database error or connectivity lost"}]`, "rejected", "connectivity"},
		"ControlAgent":      {"A Control Agent without its kea-dhcp4.", 200, `[{"result": 1, "text": "unable to forward command to the dhcp4 service: No such file or directory. The server is likely to be offline"}]`, "unreachable", "Control Agent"},
		"Unauthorized":      {"Wrong credentials.", 401, `{"result": 401, "text": "Unauthorized"}`, "unauthorized", "username and password"},
		"Forbidden":         {"The listener of high availability.", 403, `{"result": 403, "text": "Forbidden"}`, "unauthorized", "control socket"},
		"BadRequest":        {"Kea's own.", 400, `{"result": 400, "text": "Bad Request"}`, "rejected", "Bad Request"},
		"ForeignBadRequest": {"A web server whose port wants TLS.", 400, "Client sent an HTTP request to an HTTPS server.\n", "unreachable", "https://"},
		"Timeout":           {"Kea's own.", 408, `{"result": 408, "text": "Request Timeout"}`, "unreachable", "408"},
		"ServerError":       {"Something between, or Kea in trouble.", 500, `{"result": 500}`, "unreachable", "500"},
		"BadGateway":        {"A proxy in front of Kea.", 502, "<html>", "unreachable", "502"},
		"NotFound":          {"Another server's 404 is not Kea's \"not found\".", 404, "not found", "unreachable", "404"},
		"NoJSON":            {"Another server.", 200, "<html>", "malformed", ""},
		"CutJSON":           {"Cut in the middle.", 200, goodAnswer[:20], "malformed", ""},
		"Nothing":           {"An empty body.", 200, "", "malformed", ""},
		"EmptyArray":        {"No answer in it.", 200, "[]", "malformed", ""},
		"TwoAnswers":        {"One service was asked.", 200, `[{"result": 0}, {"result": 0}]`, "malformed", ""},
		"NoResult":          {"A result that is missing is not 0.", 200, `[{"text": "hello"}]`, "malformed", ""},
		"ResultIsText":      {"Of another type.", 200, `[{"result": "0"}]`, "malformed", ""},
		"TrailingData":      {"Something after the answer.", 200, goodAnswer + "x", "malformed", ""},
		"Null":              {"JSON, but nothing.", 200, "null", "malformed", ""},
		"ArgumentsAreText":  {"Of another type.", 200, `[{"result": 0, "arguments": "text"}]`, "malformed", ""},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.body)
			}))
			t.Cleanup(srv.Close)
			c := newClient(t, kea.Config{URL: srv.URL, Username: "admin", Password: "s3cret"})
			_, err := c.Version(t.Context())
			wantClass(t, tc.reason, err, tc.want)
			if err != nil && (!strings.Contains(err.Error(), tc.text) || strings.Contains(err.Error(), "s3cret")) {
				t.Errorf("%s got the text %q, want %q in it and no secret", tc.reason, err, tc.text)
			}
		})
	}
}

// A read that has no list in it is not a read of an empty list.
func TestMissingLists(t *testing.T) {
	for _, arguments := range []string{"{}", "null", `{"hosts": null, "leases": null, "subnets": null, "subnet4": null, "next": null}`, "[]", `{"subnet4": [{}]}`} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, `[{"result": 0, "arguments": `+arguments+`}]`)
		}))
		t.Cleanup(srv.Close)
		c := newClient(t, kea.Config{URL: srv.URL})
		for name, run := range reads(t.Context(), c) {
			wantClass(t, name+" with the arguments "+arguments, run(), "malformed")
		}
	}
}

func reads(ctx context.Context, c *kea.Client) map[string]func() error {
	ip := host(hw1, "10.123.0.51").IPAddress
	return map[string]func() error{
		"Subnets":               func() error { _, err := c.Subnets(ctx); return err },
		"Subnet":                func() error { _, err := c.Subnet(ctx, subnetA); return err },
		"Reservation":           func() error { _, err := c.Reservation(ctx, kea.TargetMemory, subnetA, hw1); return err },
		"ReservationsByAddress": func() error { _, err := c.ReservationsByAddress(ctx, kea.TargetMemory, subnetA, ip); return err },
		"ReservationsByID":      func() error { _, err := c.ReservationsByID(ctx, hw1); return err },
		"ReservationPages":      func() error { return firstError(c.ReservationPages(ctx, 1)) },
		"Configuration":         func() error { _, err := c.Configuration(ctx); return err },
		"Probe":                 func() error { _, err := c.Probe(ctx); return err },
		"LeasesByHWAddress":     func() error { _, err := c.LeasesByHWAddress(ctx, hw1); return err },
		"LeasePages":            func() error { return firstError(c.LeasePages(ctx, 1)) },
	}
}

func TestAnswerTooLarge(t *testing.T) {
	const limit = 256 << 10
	blanks := strings.Repeat(" ", limit-len(goodAnswer))
	_, err := newClient(t, answering(goodAnswer+blanks)).Version(t.Context())
	wantClass(t, "an answer of just the size", err, "ok")
	_, err = newClient(t, answering(goodAnswer+blanks+" ")).Version(t.Context())
	wantClass(t, "one byte more", err, "limit")
}

func TestAnswerCutOff(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		_, _ = io.WriteString(w, goodAnswer)
		_ = http.NewResponseController(w).Flush()
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(srv.Close)
	_, err := newClient(t, kea.Config{URL: srv.URL}).Version(t.Context())
	wantClass(t, "a connection that breaks within the answer", err, "malformed")
}

func TestRedirectIsNotFollowed(t *testing.T) {
	var followed atomic.Bool
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Store(true) }))
	t.Cleanup(other.Close)
	srv := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
	t.Cleanup(srv.Close)
	_, err := newClient(t, kea.Config{URL: srv.URL}).Version(t.Context())
	wantClass(t, "a redirect", err, "unreachable")
	if followed.Load() {
		t.Error("the redirect was followed")
	}
}

func TestTimeouts(t *testing.T) {
	k := keatest.New(t, keatest.Options{})
	k.Fail(keatest.Fault{Kind: keatest.Hang})
	cfg := k.ClientConfig()
	cfg.Timeout = time.Millisecond
	short, err := kea.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = short.Version(t.Context())
	wantClass(t, "our own limit", err, "unreachable")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v is no context.DeadlineExceeded", err)
	}

	c := newClient(t, k.ClientConfig())
	ctx, cancel := context.WithDeadline(t.Context(), time.Now())
	defer cancel()
	_, err = c.Version(ctx)
	wantClass(t, "the caller's deadline", err, "unreachable")
	ctx, cancel = context.WithCancel(t.Context())
	cancel()
	_, err = c.Version(ctx)
	if !errors.Is(err, context.Canceled) || class(err) != "other" {
		t.Errorf("the caller's cancellation: got %v, want a context.Canceled and no fault of the server", err)
	}
}

func TestConnectionRefused(t *testing.T) {
	wantReason(t, "no listener", kea.Config{URL: "http://127.0.0.1:" + portOf(t, freePort(t))}, "connection refused")
}

func TestKeepAlive(t *testing.T) {
	var connections atomic.Int32
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, goodAnswer) }))
	srv.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			connections.Add(1)
		}
	}
	srv.Start()
	t.Cleanup(srv.Close)
	c := newClient(t, kea.Config{URL: srv.URL})
	for range 5 {
		if _, err := c.Version(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := connections.Load(); got != 1 {
		t.Errorf("five commands took %d connections, want 1", got)
	}
}

// staleServer answers the first request of its first connection and closes that connection on the
// second, as Kea does when it gives up an idle one just as a command comes. Further connections are
// answered.
type staleServer struct {
	mu       sync.Mutex
	requests []string
}

func (s *staleServer) serve(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for first := true; ; first = false {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go s.connection(conn, first)
		}
	}()
	return "http://" + l.Addr().String()
}

func (s *staleServer) connection(conn net.Conn, first bool) {
	defer func() { _ = conn.Close() }()
	r := bufio.NewReader(conn)
	for n := 0; ; n++ {
		req, err := http.ReadRequest(r)
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		s.mu.Lock()
		s.requests = append(s.requests, string(body))
		s.mu.Unlock()
		if first && n == 1 {
			return
		}
		resp := &http.Response{StatusCode: http.StatusOK, ProtoMajor: 1, ProtoMinor: 1, ContentLength: int64(len(goodAnswer)), Body: io.NopCloser(strings.NewReader(goodAnswer))}
		if resp.Write(conn) != nil {
			return
		}
	}
}

func TestStaleConnection(t *testing.T) {
	cases := map[string]struct {
		reason string
		run    func(*kea.Client) error
		want   string
		sent   int
	}{
		"Read": {"A read is repeated once, on a new connection.", func(c *kea.Client) error { _, err := c.Version(t.Context()); return err }, "ok", 3},
		"Write": {"A write is never repeated: it may have worked.", func(c *kea.Client) error {
			return c.AddReservation(t.Context(), kea.TargetMemory, host(hw1, ""))
		}, "unreachable", 2},
		"Delete": {"A delete would be \"not found\" the second time.", func(c *kea.Client) error {
			return c.DeleteReservation(t.Context(), kea.TargetMemory, subnetA, hw1)
		}, "unreachable", 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &staleServer{}
			c := newClient(t, kea.Config{URL: s.serve(t)})
			if _, err := c.Version(t.Context()); err != nil {
				t.Fatal(err)
			}
			wantClass(t, tc.reason, tc.run(c), tc.want)
			s.mu.Lock()
			defer s.mu.Unlock()
			if len(s.requests) != tc.sent {
				t.Errorf("%s got %d requests, want %d: %q", tc.reason, len(s.requests), tc.sent, s.requests)
			}
		})
	}
}
