// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"errors"
	"iter"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
)

// compare are the options for values of this package.
var compare = cmp.Options{
	cmp.Comparer(func(a, b netip.Addr) bool { return a == b }),
	cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
	cmpopts.EquateEmpty(),
}

func contractServer(t *testing.T, st stand) {
	s := st.start(t, setup{})
	commands, err := s.ListCommands(t.Context())
	if err != nil {
		t.Fatalf("ListCommands: %v", err)
	}
	for _, want := range []string{"list-commands", "status-get", "version-get", "config-write", "subnet4-list", "reservation-add", "lease4-get-page"} {
		if !slices.Contains(commands, want) {
			t.Errorf("ListCommands: there is no %s in %v", want, commands)
		}
	}
	version, err := s.Version(t.Context())
	if err != nil || !strings.HasPrefix(version, "3.") || strings.ContainsAny(version, " \n") {
		t.Errorf("Version: got %q, %v, want 3.something", version, err)
	}
	status, err := s.Status(t.Context())
	if err != nil || status.PID <= 0 || status.Uptime < 0 || status.Uptime > time.Minute || status.Reload > status.Uptime+time.Second || status.HA != nil {
		t.Errorf("Status: got %+v, %v", status, err)
	}
	if got := s.raw(t, "no-such-command", "{}"); got != 2 {
		t.Errorf("a command that does not exist: got result %d, want 2", got)
	}
}

// A restart and a reload are seen in the status, and take hosts in memory with them but for those
// that config-write kept.
func contractRestart(t *testing.T, st stand) {
	s := st.start(t, setup{})
	kept, lost := host("00:00:00:00:0a:01", "10.123.0.51"), host("00:00:00:00:00:02", "10.123.0.52")
	s.mustAdd(t, s.target, kept)
	wantClass(t, "WriteConfig", s.WriteConfig(t.Context()), "ok")
	s.mustAdd(t, s.target, lost)
	before, err := s.Status(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s.restart()
	after, err := s.Status(t.Context())
	if err != nil {
		t.Fatalf("Status after a restart: %v", err)
	}
	if after.PID == before.PID {
		t.Errorf("the pid is %d before and after a restart", after.PID)
	}
	wantLost := "not found"
	if st.target == kea.TargetDatabase {
		wantLost = "ok"
	}
	_, err = s.Reservation(t.Context(), s.target, subnetA, kept.HWAddress)
	wantClass(t, "a written host after a restart", err, "ok")
	_, err = s.Reservation(t.Context(), s.target, subnetA, lost.HWAddress)
	wantClass(t, "a host after a restart", err, wantLost)

	if wantLost == "not found" {
		s.mustAdd(t, s.target, lost)
	}
	s.raw(t, "config-reload", "{}")
	_, err = s.Reservation(t.Context(), s.target, subnetA, lost.HWAddress)
	wantClass(t, "a host after a reload", err, wantLost)
	status, err := s.Status(t.Context())
	if err != nil || status.PID != after.PID || status.Reload > time.Minute {
		t.Errorf("Status after a reload: got %+v, %v", status, err)
	}
}

func contractMissingHooks(t *testing.T, st stand) {
	s := st.start(t, setup{missingHooks: []string{kea.HookHostCmds, kea.HookSubnetCmds, kea.HookLeaseCmds}})
	commands, err := s.ListCommands(t.Context())
	if err != nil || slices.Contains(commands, "reservation-add") {
		t.Errorf("ListCommands: got %v, %v", commands, err)
	}
	cases := map[string]struct {
		hook string
		run  func() error
	}{
		"reservation-get-page": {kea.HookHostCmds, func() error { return firstError(s.ReservationPages(t.Context(), 10)) }},
		"reservation-del":      {kea.HookHostCmds, func() error { _, err := s.ProbeDatabase(t.Context()); return err }},
		"subnet4-list":         {kea.HookSubnetCmds, func() error { _, err := s.Subnets(t.Context()); return err }},
		"lease4-get-page":      {kea.HookLeaseCmds, func() error { return firstError(s.LeasePages(t.Context(), 10)) }},
	}
	for command, tc := range cases {
		var got *kea.UnsupportedError
		if err := tc.run(); !errors.As(err, &got) {
			t.Errorf("%s: got %v, want an UnsupportedError", command, err)
			continue
		}
		if diff := cmp.Diff(&kea.UnsupportedError{Command: command, Hook: tc.hook}, got); diff != "" {
			t.Errorf("%s: -want +got:\n%s", command, diff)
		}
	}
}

// firstError returns the error that ends an iteration at its first step, if any.
func firstError[T any](pages iter.Seq2[T, error]) error {
	for _, err := range pages {
		return err
	}
	return nil
}

func contractBasicAuth(t *testing.T, st stand) {
	s := st.start(t, setup{username: "admin", password: "s3cret"})
	_, err := s.Version(t.Context())
	wantClass(t, "with the right password", err, "ok")
	for name, cfg := range map[string]kea.Config{
		"no credentials": {URL: s.url},
		"wrong password": {URL: s.url, Username: "admin", Password: "wr0ng"},
	} {
		_, err := newClient(t, cfg).Version(t.Context())
		var got *kea.UnauthorizedError
		if !errors.As(err, &got) || got.Status != 401 {
			t.Errorf("%s: got %v, want an UnauthorizedError with 401", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "wr0ng") {
			t.Errorf("%s: the password is in the error: %v", name, err)
		}
	}
}

func contractSubnets(t *testing.T, st stand) {
	s := st.start(t, setup{})
	a := kea.Subnet{ID: subnetA, Prefix: netip.MustParsePrefix("10.123.0.0/24")}
	b := kea.Subnet{ID: subnetB, Prefix: netip.MustParsePrefix("10.124.0.0/24"), SharedNetwork: "shared"}
	got, err := s.Subnets(t.Context())
	if err != nil {
		t.Fatalf("Subnets: %v", err)
	}
	if diff := cmp.Diff([]kea.Subnet{a, b}, got, compare); diff != "" {
		t.Errorf("Subnets: -want +got:\n%s", diff)
	}
	ip := netip.MustParseAddr
	want := kea.SubnetDetail{
		Subnet:               a,
		Pools:                []kea.Pool{{First: ip("10.123.0.64"), Last: ip("10.123.0.79")}, {First: ip("10.123.0.100"), Last: ip("10.123.0.200")}},
		Routers:              []netip.Addr{ip("10.123.0.1")},
		DNSServers:           []netip.Addr{ip("10.0.0.2"), ip("10.0.0.3")},
		ReservationsInSubnet: new(true),
	}
	withoutOptions := append(cmp.Options{cmpopts.IgnoreFields(kea.SubnetDetail{}, "OptionData")}, compare...)
	detail, err := s.Subnet(t.Context(), subnetA)
	if diff := cmp.Diff(want, detail, withoutOptions); err != nil || diff != "" {
		t.Errorf("Subnet: %v, -want +got:\n%s", err, diff)
	}
	detail, err = s.Subnet(t.Context(), subnetB)
	wantB := kea.SubnetDetail{Subnet: kea.Subnet{ID: subnetB, Prefix: b.Prefix}} // subnet4-get does not return the shared network.
	if diff := cmp.Diff(wantB, detail, compare); err != nil || diff != "" {
		t.Errorf("Subnet in a shared network: %v, -want +got:\n%s", err, diff)
	}
	_, err = s.Subnet(t.Context(), unknownSubnet)
	wantClass(t, "a subnet-id that is not there", err, "not found")

	none := st.start(t, setup{noSubnets: true})
	got, err = none.Subnets(t.Context())
	if err != nil || len(got) != 0 {
		t.Errorf("Subnets of a server without: got %v, %v, want none", got, err)
	}
}
