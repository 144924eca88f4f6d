// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// A database that is read-only refuses every write, also the delete that only asks. Memory takes
// writes as always.
func contractReadOnlyDatabase(t *testing.T, st stand) {
	if st.target == kea.TargetMemory {
		return
	}
	s := st.start(t, setup{readOnly: true})
	r := host(hw1, "10.123.0.51")
	has, err := s.ProbeDatabase(t.Context())
	wantClass(t, "ProbeDatabase", err, "rejected")
	if has || err == nil || !strings.Contains(err.Error(), "read only") {
		t.Errorf("ProbeDatabase: got %t, %v, want an error that contains \"read only\"", has, err)
	}
	wantClass(t, "AddReservation", s.AddReservation(t.Context(), s.target, r), "rejected")
	wantClass(t, "UpdateReservation", s.UpdateReservation(t.Context(), s.target, r), "rejected")
	wantClass(t, "DeleteReservation", s.DeleteReservation(t.Context(), s.target, subnetA, hw1), "rejected")
	_, err = s.Reservation(t.Context(), s.target, subnetA, hw1)
	wantClass(t, "Reservation", err, "not found")
	s.mustAdd(t, kea.TargetMemory, r)
	wantClass(t, "a delete from memory", s.DeleteReservation(t.Context(), kea.TargetMemory, subnetA, hw1), "ok")
	cfg, err := s.Configuration(t.Context())
	if diff := cmp.Diff([]kea.HostDatabase{{Type: st.databaseType(), ReadOnly: true}}, cfg.HostDatabases); err != nil || diff != "" {
		t.Errorf("Configuration: %v, -want +got:\n%s", err, diff)
	}
}

// The host cache is taken for a database where there is none: what is added is read back by its
// identifier, and listed nowhere.
func contractHostCache(t *testing.T, st stand) {
	if st.target == kea.TargetDatabase {
		hostCacheBeforeDatabase(t, st)
		return
	}
	s := st.start(t, setup{hostCache: true})
	ctx, r := t.Context(), host(hw1, "10.123.0.51")
	has, err := s.ProbeDatabase(ctx)
	if err != nil || !has {
		t.Errorf("ProbeDatabase: got %t, %v, want the wrong answer true", has, err)
	}
	wantClass(t, "an add", s.AddReservation(ctx, kea.TargetDatabase, r), "ok")
	wantClass(t, "a second add", s.AddReservation(ctx, kea.TargetDatabase, r), "rejected")
	got, err := s.Reservation(ctx, kea.TargetDatabase, subnetA, hw1)
	if diff := cmp.Diff(r, got, compare); err != nil || diff != "" {
		t.Errorf("Reservation: %v, -want +got:\n%s", err, diff)
	}
	byAddress, err := s.ReservationsByAddress(ctx, kea.TargetDatabase, subnetA, r.IPAddress)
	if err != nil || len(byAddress) != 0 {
		t.Errorf("ReservationsByAddress: got %v, %v, want none", byAddress, err)
	}
	byID, err := s.ReservationsByID(ctx, hw1)
	if err != nil || len(byID) != 0 {
		t.Errorf("ReservationsByID: got %v, %v, want none", byID, err)
	}
	if got := s.all(t); got != nil {
		t.Errorf("ReservationPages: got %v, want none", got)
	}
	wantClass(t, "an update", s.UpdateReservation(ctx, kea.TargetDatabase, host(hw1, "10.123.0.52")), "ok")
	// The cache looks for the id of the host, which is 0 for all hosts that commands send.
	wantClass(t, "an update of another", s.UpdateReservation(ctx, kea.TargetDatabase, host(hw2, "10.123.0.53")), "ok")
	for _, hw := range []kea.HWAddress{hw1, hw2} {
		wantClass(t, "a delete works, and reads as if not", s.DeleteReservation(ctx, kea.TargetDatabase, subnetA, hw), "not found")
		_, err = s.Reservation(ctx, kea.TargetDatabase, subnetA, hw)
		wantClass(t, "Reservation after the delete", err, "not found")
	}
	wantClass(t, "an update when the cache is empty", s.UpdateReservation(ctx, kea.TargetDatabase, r), "rejected")
}

// With a database behind the cache, updates work until Kea restarts: then the cache does not have
// the host, and refuses ("host ID 0 not found"). Only a real Kea is asked; keatest has a cache or a
// database.
func hostCacheBeforeDatabase(t *testing.T, st stand) {
	if st.name != "kea/database" {
		return
	}
	s := st.start(t, setup{hostCache: true})
	ctx := t.Context()
	s.mustAdd(t, s.target, host(hw1, "10.123.0.51"))
	wantClass(t, "an update", s.UpdateReservation(ctx, s.target, host(hw1, "10.123.0.52")), "ok")
	s.restart()
	err := s.UpdateReservation(ctx, s.target, host(hw1, "10.123.0.53"))
	wantClass(t, "an update after a restart", err, "rejected")
	got, err := s.Reservation(ctx, s.target, subnetA, hw1)
	if diff := cmp.Diff(host(hw1, "10.123.0.52"), got, compare); err != nil || diff != "" {
		t.Errorf("the host after it: %v, -want +got:\n%s", err, diff)
	}
	if diff := cmp.Diff([]kea.Reservation{host(hw1, "10.123.0.52")}, s.all(t), compare); diff != "" {
		t.Errorf("ReservationPages: -want +got:\n%s", diff)
	}
	wantClass(t, "a delete", s.DeleteReservation(ctx, s.target, subnetA, hw1), "ok")
	wantClass(t, "an add", s.AddReservation(ctx, s.target, host(hw1, "10.123.0.53")), "ok")
}

func contractProbe(t *testing.T, st stand) {
	database := st.target == kea.TargetDatabase
	cases := map[string]struct {
		reason string
		setup  setup
		want   kea.Capabilities
	}{
		"Default":  {"All that is needed.", setup{}, kea.Capabilities{HostBackend: database}},
		"Backend":  {"A back end without a database.", setup{hostBackend: true}, kea.Capabilities{HostBackend: true}},
		"Cache":    {"The host cache.", setup{hostCache: true}, kea.Capabilities{HostBackend: database, HostCache: true}},
		"NoLeases": {"One is missing.", setup{missingHooks: []string{kea.HookLeaseCmds}}, kea.Capabilities{HostBackend: database, MissingHooks: []string{kea.HookLeaseCmds}}},
		"None": {
			"All are missing.", setup{missingHooks: []string{kea.HookLeaseCmds, kea.HookHostCmds, kea.HookSubnetCmds}},
			kea.Capabilities{HostBackend: database, MissingHooks: []string{kea.HookHostCmds, kea.HookSubnetCmds, kea.HookLeaseCmds}},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := st.start(t, tc.setup)
			got, err := s.Probe(t.Context())
			if !strings.HasPrefix(got.Version, "3.") {
				t.Errorf("Version: got %q", got.Version)
			}
			got.Version = ""
			if diff := cmp.Diff(tc.want, got); err != nil || diff != "" {
				t.Errorf("%s %v, -want +got:\n%s", tc.reason, err, diff)
			}
			if name == "Backend" && !database {
				has, err := s.ProbeDatabase(t.Context())
				if has || err != nil {
					t.Errorf("ProbeDatabase: got %t, %v, want false", has, err)
				}
			}
		})
	}
}
