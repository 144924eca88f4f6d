// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// What two servers report about high availability once both have found each other, and
// what the first reports after the second has ended. keatest has it by SetHA.
func TestHighAvailabilityStatus(t *testing.T) {
	for mode, roles := range map[string][2]string{
		testenv.HotStandby:    {"primary", "standby"},
		testenv.LoadBalancing: {"primary", "secondary"},
	} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			pair := testenv.StartKeaPair(t, mode, testenv.KeaOptions{}, testenv.KeaOptions{})
			names := []string{"kea1", "kea2"}
			for i, k := range pair {
				awaitHA(t, k, kea.HAStatus{Mode: mode, ServerName: names[i], Role: roles[i], State: mode, PeerName: names[1-i], PeerState: mode})
			}
			pair[1].Stop()
			awaitHA(t, pair[0], kea.HAStatus{
				Mode: mode, ServerName: "kea1", Role: "primary", State: "partner-down", PeerName: "kea2", PeerState: "unavailable", PeerInterrupted: true,
			})
		})
	}
}

// awaitHA waits until a server reports this about its one relationship.
func awaitHA(t *testing.T, k *testenv.Kea, want kea.HAStatus) {
	t.Helper()
	c := newClient(t, kea.Config{URL: k.URL})
	testenv.Eventually(t, time.Minute, want.ServerName+" to be "+want.State, func(ctx context.Context) error {
		s, err := c.Status(ctx)
		if err != nil {
			return err
		}
		if diff := cmp.Diff([]kea.HAStatus{want}, s.HA); diff != "" {
			return errors.New("-want +got:\n" + diff)
		}
		return nil
	})
}

// The status of high availability, and what its own listener answers to commands that are not its
// own. keatest has both by SetHA and Forbidden.
func TestHighAvailability(t *testing.T) {
	listener := freePort(t)
	peer := func(name, role string, port int) map[string]any {
		return map[string]any{"name": name, "role": role, "url": fmt.Sprintf("http://127.0.0.1:%d/", port)}
	}
	k := testenv.StartKea(t, testenv.KeaOptions{
		Hooks: []string{testenv.HookHostCmds, testenv.HookLeaseCmds, testenv.HookHA},
		HookParameters: map[string]any{testenv.HookHA: map[string]any{"high-availability": []any{map[string]any{
			"this-server-name": "kea1", "mode": "hot-standby", "peers": []any{peer("kea1", "primary", listener), peer("kea2", "standby", freePort(t))},
		}}}},
	})
	s, err := newClient(t, kea.Config{URL: k.URL}).Status(t.Context())
	if err != nil || len(s.HA) != 1 {
		t.Fatalf("Status: got %+v, %v", s, err)
	}
	got := s.HA[0]
	t.Logf("%+v", got)
	if got.Mode != "hot-standby" || got.ServerName != "kea1" || got.Role != "primary" || got.State == "" || got.PeerName != "kea2" {
		t.Errorf("Status: got %+v", got)
	}
	err = firstError(newClient(t, kea.Config{URL: fmt.Sprintf("http://127.0.0.1:%d", listener)}).ReservationPages(t.Context(), 1))
	var unauthorized *kea.UnauthorizedError
	if !errors.As(err, &unauthorized) || unauthorized.Status != 403 || !strings.Contains(err.Error(), "high-availability") {
		t.Errorf("a command to the listener of high availability: got %v, want an UnauthorizedError with 403 and a hint", err)
	}
}
