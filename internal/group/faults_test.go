// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestFailedWrites: whatever happens to a write, what Kea holds afterwards is
// known or asked for again, and nothing that was there is lost.
func TestFailedWrites(t *testing.T) {
	before := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, Hostname: "kept"}
	cases := map[string]struct {
		reason string
		has    []kea.Reservation
		fault  keatest.Fault
		in     group.Intent
		// failed is whether Ensure is to fail.
		failed bool
		// atOnce is what Kea holds after Ensure, eventually is after it is called until it succeeds.
		atOnce, eventually map[kea.HWAddress]netip.Addr
	}{
		"AddRefused": {
			reason: "A connection that is dropped before the write leaves nothing; the next try makes it.",
			fault:  keatest.Fault{Command: "reservation-add", Kind: keatest.Refuse, Times: 1}, in: static(ip50),
			failed: true, atOnce: map[kea.HWAddress]netip.Addr{}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
		"AddLost": {
			reason: "A write whose answer is lost is read back, and found.",
			fault:  keatest.Fault{Command: "reservation-add", Kind: keatest.LoseAnswer, Times: 1}, in: static(ip50),
			atOnce: map[kea.HWAddress]netip.Addr{mac: ip50}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
		"AddCut": {
			reason: "So is one whose answer is cut.",
			fault:  keatest.Fault{Command: "reservation-add", Kind: keatest.CutJSON, Times: 1}, in: static(ip50),
			atOnce: map[kea.HWAddress]netip.Addr{mac: ip50}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
		"AddUnauthorized": {
			reason: "Credentials that Kea does not take leave nothing.",
			fault:  keatest.Fault{Command: "reservation-add", Kind: keatest.Unauthorized, Times: 1}, in: static(ip50),
			failed: true, atOnce: map[kea.HWAddress]netip.Addr{}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
		"AddHangs": {
			reason: "A server that does not answer in time is an error.",
			fault:  keatest.Fault{Command: "reservation-add", Kind: keatest.Hang, Times: 1}, in: static(ip50),
			failed: true, atOnce: map[kea.HWAddress]netip.Addr{}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
		"UpdateLost": {
			reason: "An update whose answer is lost is read back, and found.",
			has:    []kea.Reservation{before}, fault: keatest.Fault{Command: "reservation-update", Kind: keatest.LoseAnswer, Times: 1}, in: static(ip51),
			atOnce: map[kea.HWAddress]netip.Addr{mac: ip51}, eventually: map[kea.HWAddress]netip.Addr{mac: ip51},
		},
		"UpdateRejected": {
			reason: "An update that Kea refuses leaves the old one.",
			has:    []kea.Reservation{before}, fault: keatest.Fault{Command: "reservation-update", Kind: keatest.Reject, Times: 2}, in: static(ip51),
			failed: true, atOnce: map[kea.HWAddress]netip.Addr{mac: ip50}, eventually: map[kea.HWAddress]netip.Addr{mac: ip51},
		},
		"ReadBackFails": {
			reason: "A write that cannot be read back is an error, and asked for again before it is decided anew.",
			fault:  keatest.Fault{Command: "reservation-get", Kind: keatest.ServerError, Times: 1}, in: static(ip50),
			failed: true, atOnce: map[kea.HWAddress]netip.Addr{mac: ip50}, eventually: map[kea.HWAddress]netip.Addr{mac: ip50},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := keatest.New(t, keatest.Options{})
			for _, r := range tc.has {
				s.PutReservation(kea.TargetMemory, r)
			}
			g := run(t, s.ClientConfig(), nil)
			g.observe(t, tc.in)
			s.Fail(tc.fault)
			err := g.Ensure(t.Context(), tc.in)
			if (err != nil) != tc.failed {
				t.Fatalf("%s\nEnsure(...): error %v, want one: %t", tc.reason, err, tc.failed)
			}
			equal := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
			if diff := cmp.Diff(tc.atOnce, addresses(s.Reservations(kea.TargetMemory)), equal); diff != "" {
				t.Errorf("%s\nKea holds after Ensure: -want, +got:\n%s", tc.reason, diff)
			}
			s.ClearFaults()
			testenv.Eventually(t, within, "Ensure to succeed", func(ctx context.Context) error { return g.Ensure(ctx, tc.in) })
			if diff := cmp.Diff(tc.eventually, addresses(s.Reservations(kea.TargetMemory)), equal); diff != "" {
				t.Errorf("%s\nKea holds in the end: -want, +got:\n%s", tc.reason, diff)
			}
			g.awaitState(t, tc.in, group.Reserved)
			for _, r := range s.Reservations(kea.TargetMemory) {
				if len(tc.has) > 0 && r.Hostname != "kept" {
					t.Errorf("%s\nthe hostname that somebody else set is %q", tc.reason, r.Hostname)
				}
			}
		})
	}
}

// between is a Kea behind a proxy that does something just before a command
// arrives.
func between(t *testing.T, s *keatest.Server, command string, once func()) kea.Config {
	t.Helper()
	target, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) }}
	var done sync.Once
	p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Errorf("cannot read a request: %v", err)
		}
		if bytes.Contains(body, []byte(`"`+command+`"`)) {
			done.Do(once)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return kea.Config{URL: p.URL}
}

// TestUpdateLosesHost: Kea deletes a host where an update would give it an
// address that another has (seen in the contract suite). Where that other one came between the
// look-up and the update, the old host is put back with all that was in it.
func TestUpdateLosesHost(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	s.PutReservation(kea.TargetMemory, kea.Reservation{
		SubnetID: 1, HWAddress: mac, IPAddress: ip50, Hostname: "kept", BootFileName: "theirs", UserContext: map[string]any{"note": "keep"},
	})
	g := run(t, between(t, s, "reservation-update", func() {
		s.PutReservation(kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: other, IPAddress: ip51})
	}), nil)
	g.observe(t, static(ip51))

	err := g.Ensure(t.Context(), static(ip51))
	if _, ok := errors.AsType[*group.BlockedError](err); !ok {
		t.Errorf("Ensure(...): %v, want a BlockedError once what is there has been read again", err)
	}
	want := map[kea.HWAddress]netip.Addr{mac: ip50, other: ip51}
	held := s.Reservations(kea.TargetMemory)
	if diff := cmp.Diff(want, addresses(held), cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("Kea holds: -want, +got:\n%s", diff)
	}
	for _, r := range held {
		if r.HWAddress == mac && (r.Hostname != "kept" || r.BootFileName != "theirs" || r.UserContext["note"] != "keep") {
			t.Errorf("the old host is back without what was in it: %+v", r)
		}
	}
	o := g.observe(t, static(ip51))
	if o.State != group.AddressConflict || !strings.Contains(o.Message, string(other)) {
		t.Errorf("Observe(...): %s %q, want %s naming %s", o.State, o.Message, group.AddressConflict, other)
	}
}

// TestHangingFirst: who asks before the first look does not wait for a server
// that hangs.
func TestHangingFirst(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	s.Fail(keatest.Fault{Kind: keatest.Hang})
	cfg := s.ClientConfig()
	g := run(t, cfg, func(c *group.Config) { c.Servers[0].Kea.Timeout = time.Minute })
	_, err := g.Observe(t.Context(), static(ip50))
	if err == nil || !strings.Contains(err.Error(), "has not answered yet") {
		t.Errorf("Observe(...): %v, want an error that says that there is no answer yet", err)
	}
}

// TestSaving: memory hosts are saved once they have been still for a while, at
// the latest when the group ends, and a file that cannot be written is not tried
// at every look.
func TestSaving(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	t.Run("Last", func(t *testing.T) {
		g := run(t, s.ClientConfig(), func(c *group.Config) { c.Persist = true })
		g.ensure(t, static(ip50))
	})
	if n := s.Commands()["config-write"]; n != 1 {
		t.Errorf("config-write was sent %d times by the end, want once", n)
	}
}
