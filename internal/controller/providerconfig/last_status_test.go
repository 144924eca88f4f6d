// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
)

// TestAsReported: that the provider was started is not news of a server.
func TestAsReported(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	earlier := now.Add(-time.Hour)
	found := func(state group.Health) group.ServerFacts {
		return group.ServerFacts{Name: "kea1", State: state, Since: now, Initial: true}
	}
	was := func(state v1alpha1.ServerHealth, since time.Time) []v1alpha1.ServerStatus {
		return []v1alpha1.ServerStatus{{Name: "kea2"}, {Name: "kea1", State: state, Since: &metav1.Time{Time: since}}}
	}
	unprobed := group.ServerFacts{Name: "kea1", Initial: true}
	seen := func(state group.Health) group.ServerFacts {
		return group.ServerFacts{Name: "kea1", State: state, Since: now}
	}
	cases := map[string]struct {
		reason   string
		found    group.ServerFacts
		reported []v1alpha1.ServerStatus
		state    group.Health
		since    time.Time
	}{
		"Up":            {"It serves as before.", found(group.Up), was(v1alpha1.ServerUp, earlier), group.Up, earlier},
		"Down":          {"It is down as before.", found(group.Down), was(v1alpha1.ServerDown, earlier), group.Down, earlier},
		"Returns":       {"It does not serve yet.", found(group.Returning), was(v1alpha1.ServerDown, earlier), group.Returning, earlier},
		"DownAgain":     {"It has not served in between.", found(group.Down), was(v1alpha1.ServerReturning, earlier), group.Down, earlier},
		"Ceased":        {"It has ceased to serve meanwhile.", found(group.Down), was(v1alpha1.ServerUp, earlier), group.Down, now},
		"Began":         {"It has begun to serve meanwhile.", found(group.Up), was(v1alpha1.ServerDown, earlier), group.Up, now},
		"Changed":       {"It was seen down, and serves again.", seen(group.Up), was(v1alpha1.ServerUp, earlier), group.Up, now},
		"HangsAsBefore": {"It has not answered since.", unprobed, was(v1alpha1.ServerDown, earlier), group.Down, earlier},
		"Hangs":         {"Whether it serves turns out soon.", unprobed, was(v1alpha1.ServerUp, earlier), "", time.Time{}},
		"New":           {"Nothing was reported of it.", found(group.Up), nil, group.Up, now},
		"Unknown":       {"Since when was not known.", found(group.Up), []v1alpha1.ServerStatus{{Name: "kea1", State: v1alpha1.ServerUp}}, group.Up, now},
		"Future":        {"The clock of another node is ahead.", found(group.Up), was(v1alpha1.ServerUp, now.Add(time.Hour)), group.Up, now},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			facts := []group.ServerFacts{tc.found}
			got := asReported(facts, tc.reported)[0]
			if got.State != tc.state || !got.Since.Equal(tc.since) {
				t.Errorf("%s\nit is %q since %s, want %q since %s", tc.reason, got.State, got.Since, tc.state, tc.since)
			}
			if diff := cmp.Diff(tc.found, facts[0]); diff != "" {
				t.Errorf("the facts have changed: -before, +after:\n%s", diff)
			}
		})
	}
}

// TestKeepLastKnown: what was known of a server that has not answered since the provider was started
// stays in the status.
func TestKeepLastKnown(t *testing.T) {
	t.Parallel()
	known := v1alpha1.ServerStatus{
		Name: "kea1", State: v1alpha1.ServerDown, Message: "down", Version: "3.0.3", Storage: v1alpha1.HostStorageMemory, HAState: "hot-standby",
		HA: []v1alpha1.HAStatus{{Mode: "hot-standby"}}, Reservations: new(int64(7)), LastRead: &metav1.Time{Time: time.Unix(1, 0)},
	}
	fresh := v1alpha1.ServerStatus{Name: "kea1", State: v1alpha1.ServerDown, Message: "down"}
	cases := map[string]struct {
		reason string
		facts  group.ServerFacts
		want   v1alpha1.ServerStatus
	}{
		"Down":     {"It has not answered.", group.ServerFacts{Initial: true}, known},
		"Answered": {"What it answered counts.", group.ServerFacts{Initial: true, Version: "3.0.3"}, fresh},
		"Added":    {"A server with another URL is another one.", group.ServerFacts{}, fresh},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := []v1alpha1.ServerStatus{fresh}
			keepLastKnown(got, []group.ServerFacts{tc.facts}, []v1alpha1.ServerStatus{known})
			if diff := cmp.Diff(tc.want, got[0]); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLastKnown(t *testing.T) {
	t.Parallel()
	spec := &v1alpha1.ProviderConfigSpec{Servers: []v1alpha1.Server{{Name: "kea1"}, {Name: "kea3"}}}
	got := lastKnown(spec, []v1alpha1.ServerStatus{
		{Name: "kea1", Version: "3.0.3", State: v1alpha1.ServerDown, Since: &metav1.Time{}, Message: "down", Warnings: []string{"a"}}, {Name: "kea2", Version: "3.0.2"},
	})
	if diff := cmp.Diff([]v1alpha1.ServerStatus{{Name: "kea1", Version: "3.0.3", Warnings: []string{"a"}}}, got); diff != "" {
		t.Errorf("What is known of the servers there still are stays, what was wrong does not: -want +got:\n%s", diff)
	}
}
