// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"
)

// state is the state in which a Kea says it is, for its partner.
func state(t *testing.T, k *Kea) string {
	t.Helper()
	c := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	relationships, _ := ask(t, k, c, "status-get", nil).Arguments["high-availability"].([]any)
	if len(relationships) != 1 {
		return fmt.Sprintf("%d relationships", len(relationships))
	}
	servers, _ := relationships[0].(map[string]any)["ha-servers"].(map[string]any)
	local, _ := servers["local"].(map[string]any)
	return fmt.Sprint(local["state"])
}

func awaitState(t *testing.T, k *Kea, want string) {
	t.Helper()
	Eventually(t, time.Minute, "the state "+want, func(context.Context) error {
		if got := state(t, k); got != want {
			return errors.New("it is " + got)
		}
		return nil
	})
}

// Both servers serve their mode; one that hangs or is killed leaves the other alone,
// and comes back.
func TestKeaPair(t *testing.T) {
	t.Parallel()
	for _, mode := range []string{HotStandby, LoadBalancing} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			keas := StartKeaPair(t, mode, KeaOptions{}, KeaOptions{})
			both := func() {
				t.Helper()
				awaitState(t, keas[0], mode)
				awaitState(t, keas[1], mode)
			}
			both()
			addHost(t, keas[0], http.DefaultClient, "10.123.0.50", "memory")
			http.DefaultClient.CloseIdleConnections()
			if n := hosts(t, keas[1], http.DefaultClient); n != 0 {
				t.Errorf("Kea replicates host reservations: kea2 has %d", n)
			}

			keas[1].Hang(t)
			awaitState(t, keas[0], "partner-down")
			keas[1].Resume(t)
			both()

			keas[0].Kill()
			awaitState(t, keas[1], "partner-down")
			keas[0].Start(t)
			both()
			keas[1].Hang(t) // Stop ends it all the same.
		})
	}
}
