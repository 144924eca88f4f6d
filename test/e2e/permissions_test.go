// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"bufio"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// permissions compares what the ServiceAccount may do with what is documented.
func permissions(t *testing.T, _ *world) {
	got := kubectl(t, "auth", "can-i", "--list", "--as=system:serviceaccount:"+crossplaneNamespace+":"+providerName,
		"--as-group=system:serviceaccounts", "--as-group=system:authenticated")
	if diff := cmp.Diff(verbs(file(t, "cluster", "permissions.txt")), verbs(got)); diff != "" {
		t.Fatalf("kubectl auth can-i --list: -documented, +granted:\n%s", diff)
	}
}

// verbs are what a table of permissions allows, by resource. URLs of the API that
// are no resources are left out: they are everybody's.
func verbs(table string) map[string]string {
	out := map[string]string{}
	for line := range strings.Lines(table) {
		resource, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if at := strings.LastIndexByte(rest, '['); at >= 0 && resource != "#" && !strings.HasPrefix(resource, "[") {
			all := strings.Fields(strings.Trim(strings.TrimSpace(rest[at:]), "[]"))
			slices.Sort(all)
			out[resource] = strings.Join(all, " ")
		}
	}
	return out
}

// metrics reads the provider's metrics through the API server.
func (w *world) metrics(t *testing.T) map[string]float64 {
	t.Helper()
	text := kubectl(t, "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", crossplaneNamespace, w.thePod(t).Name))
	out := map[string]float64{}
	for s := bufio.NewScanner(strings.NewReader(text)); s.Scan(); {
		var value float64
		at := strings.LastIndexByte(s.Text(), ' ')
		if strings.HasPrefix(s.Text(), "#") || at < 0 {
			continue
		}
		if _, err := fmt.Sscan(s.Text()[at+1:], &value); err == nil {
			out[s.Text()[:at]] = value
		}
	}
	return out
}

// nothingRefused looks back on what the provider's pod has done so far.
func nothingRefused(t *testing.T, w *world) {
	for name, n := range w.metrics(t) {
		if strings.HasPrefix(name, "rest_client_requests_total") && strings.Contains(name, `code="403"`) && n > 0 {
			t.Errorf("the API server has refused requests: %s %v", name, n)
		}
	}
	w.cleanLog(t)
}

// cleanLog fails if there is an error or a secret in the provider's log.
func (w *world) cleanLog(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(kubectl(t, "-n", crossplaneNamespace, "logs", w.thePod(t).Name)) {
		if containsError(line) {
			t.Errorf("the log has: %s", line)
		}
	}
}

// containsError tells whether a log has what it must not have.
func containsError(log string) bool {
	return strings.Contains(log, password) || strings.Contains(log, `"level":"error"`)
}
