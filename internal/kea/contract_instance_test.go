// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// instance returns what a server says about itself, which it must say.
func (s *server) instance(t *testing.T) string {
	t.Helper()
	got, err := s.Instance(t.Context())
	if err != nil || got == "" {
		t.Fatalf("Instance: got %q, %v", got, err)
	}
	return got
}

// An instance is one process, whatever happens to its configuration, reservations and leases.
func contractInstance(t *testing.T, st stand) {
	s, other := st.start(t, setup{}), st.start(t, setup{})
	was := s.instance(t)
	for what, change := range map[string]func(){
		"nothing":         func() {},
		"reservation-add": func() { s.mustAdd(t, s.target, host("00:00:00:00:0a:01", "10.123.0.51")) },
		"lease4-add": func() {
			wantResult(t, "lease4-add", s.raw(t, "lease4-add", `{"subnet-id": 1, "ip-address": "10.123.0.150", "hw-address": "00:00:00:00:00:02"}`), 0)
		},
		"config-reload": func() { wantResult(t, "config-reload", s.raw(t, "config-reload", "{}"), 0) },
	} {
		change()
		if got := s.instance(t); got != was {
			t.Errorf("after %s: got %q, was %q", what, got, was)
		}
	}
	if got := other.instance(t); got == was {
		t.Errorf("another server: got %q for both", got)
	}
	s.restart()
	if got := s.instance(t); got == was {
		t.Errorf("after a restart: got %q as before", got)
	}
	wantResult(t, "an unknown statistic", s.raw(t, "statistic-get", `{"name": "no-such-statistic"}`), 0)
	wantResult(t, "no statistic", s.raw(t, "statistic-get", "{}"), 1)
}

// LeasesChanged tells that a lease has come or gone, in its own subnet only.
func contractLeasesChanged(t *testing.T, st stand) {
	s := st.start(t, setup{})
	changed := func() string {
		t.Helper()
		got, err := s.LeasesChanged(t.Context(), 1)
		if err != nil || got == "" {
			t.Fatalf("LeasesChanged: got %q, %v", got, err)
		}
		return got
	}
	was := changed()
	if got := changed(); got != was {
		t.Errorf("nothing has changed: got %q, was %q", got, was)
	}
	s.mustAdd(t, s.target, host("00:00:00:00:0a:01", "10.123.0.51"))
	if got := changed(); got != was {
		t.Errorf("after reservation-add: got %q, was %q", got, was)
	}
	for _, address := range []string{"10.123.0.150", "10.123.0.151"} {
		wantResult(t, "lease4-add", s.raw(t, "lease4-add", `{"subnet-id": 1, "ip-address": "`+address+`", "hw-address": "00:00:00:00:00:02"}`), 0)
		now := changed()
		if now == was {
			t.Errorf("after lease4-add of %s: got %q as before", address, now)
		}
		was = now
	}
	s.restart()
	if got := changed(); got == was {
		t.Errorf("after a restart: got %q as before", got)
	}
	if got, err := s.LeasesChanged(t.Context(), 4711); got != "" || err != nil {
		t.Errorf("a subnet that is not there: got %q, %v", got, err)
	}
}

func TestInstance(t *testing.T) {
	const command = "statistic-get"
	fault := func(kind keatest.FaultKind) kea.Config {
		k := keatest.New(t, keatest.Options{})
		k.Fail(keatest.Fault{Command: command, Kind: kind})
		return k.ClientConfig()
	}
	cases := map[string]struct {
		reason string
		config kea.Config
		want   string
		class  string
	}{
		"Counted":      {"The last sample is that of the start.", answering(`[{"result": 0, "arguments": {"pkt4-nak-received": [[1, "b"], [0, "a"]]}}]`), "a", "ok"},
		"Removed":      {"An operator may remove statistics.", answering(`[{"result": 0, "arguments": {}}]`), "", "ok"},
		"Emptied":      {"There is no sample.", answering(`[{"result": 0, "arguments": {"pkt4-nak-received": []}}]`), "", "ok"},
		"Unsupported":  {"The server does not know the command.", answering(`[{"result": 2, "text": "not supported"}]`), "", "ok"},
		"NotFound":     {"The server has no such statistic.", answering(`[{"result": 3, "text": "none"}]`), "", "ok"},
		"Rejected":     {"The server refuses the command.", fault(keatest.Reject), "", "ok"},
		"Forbidden":    {"The account may not run the command.", fault(keatest.Forbidden), "", "ok"},
		"Unauthorized": {"The credentials are wrong for every command.", fault(keatest.Unauthorized), "", "unauthorized"},
		"Unreachable":  {"Nothing is known.", fault(keatest.Refuse), "", "unreachable"},
		"CutJSON":      {"It is no answer of Kea.", fault(keatest.CutJSON), "", "malformed"},
		"Shape":        {"It is no answer of Kea.", answering(`[{"result": 0, "arguments": {"pkt4-nak-received": [[0]]}}]`), "", "malformed"},
		"NoTime":       {"It is no answer of Kea.", answering(`[{"result": 0, "arguments": {"pkt4-nak-received": [[0, 1]]}}]`), "", "malformed"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := newClient(t, tc.config).Instance(t.Context())
			if got != tc.want || class(err) != tc.class {
				t.Errorf("%s\nInstance: got %q, %v, want %q, %s", tc.reason, got, err, tc.want, tc.class)
			}
		})
	}
}
