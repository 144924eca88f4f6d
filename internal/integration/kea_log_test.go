// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"regexp"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// complaint matches a line of Kea's log that says something is wrong. Those about its own start
// in a test, without DHCP traffic, are none of ours.
var complaint = regexp.MustCompile(`(?m)^.* (ERROR|FATAL) +\[.*$`)

// TestKeasLog: finding out what Kea is and has leaves no error in Kea's log and sends no command
// that could change anything.
func TestKeasLog(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o(t))
			s.awaitUsable()
			s.awaitSnapshots(5)
			// A probe is repeated after an edit of the configuration and after a restart of Kea.
			edit(s, s.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Timeout.Duration++ })
			s.awaitUsable()
			s.kea.Restart(t)
			s.awaitUsable()
			s.awaitSnapshots(5)
			if lines := complaint.FindAllString(s.kea.Log(), -1); len(lines) > 0 {
				t.Errorf("Kea's log has %d lines such as:\n%s", len(lines), strings.Join(lines[:min(3, len(lines))], "\n"))
			}
			for _, command := range []string{"reservation-del", "reservation-add", "reservation-update", "config-write"} {
				equal(t, command, s.sent(command), 0)
			}
			// A command that fails shows in the log, so errors would have been seen.
			before := len(complaint.FindAllString(s.kea.Log(), -1))
			_, _ = s.ask(t.Context(), "reservation-add", object{"reservation": object{"subnet-id": 77, "hw-address": mac}, "operation-target": inMemory})
			if len(complaint.FindAllString(s.kea.Log(), -1)) == before {
				t.Error("Kea's log does not show a command that fails: this test would see nothing")
			}
		})
	}
}
