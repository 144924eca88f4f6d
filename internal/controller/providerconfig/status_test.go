// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	failing := func(err error) func(*group.ServerFacts) {
		return func(f *group.ServerFacts) { f.State, f.Err = group.Down, err }
	}
	cases := map[string]struct {
		reason  string
		change  func(*group.ServerFacts)
		want    xpv2.ConditionReason
		message string
	}{
		"Unreachable":  {reason: "No answer.", change: failing(fmt.Errorf("cannot list subnets: %w", &kea.UnreachableError{Reason: "down"})), want: v1alpha1.ReasonUnreachable, message: "cannot list subnets: cannot reach Kea: down"},
		"Unprobed":     {reason: "No answer yet.", change: func(f *group.ServerFacts) { f.State = "" }, want: v1alpha1.ReasonUnreachable, message: "it has not answered yet: check that kea-dhcp4 is running and not overloaded"},
		"Unauthorized": {reason: "Wrong password.", change: failing(&kea.UnauthorizedError{Command: "status-get", Status: 401}), want: v1alpha1.ReasonUnauthorized, message: "Kea did not accept the credentials for status-get (HTTP 401): check username and password"},
		"Secret":       {reason: "A Secret of the server's own.", change: failing(secretError(t)), want: v1alpha1.ReasonSecretUnusable, message: "cannot get Secret ns/login: create it, or correct the reference to it"},
		"Unsupported":  {reason: "A hook that nothing works without.", change: failing(&kea.UnsupportedError{Command: "reservation-get-page", Hook: "x.so"}), want: v1alpha1.ReasonHookMissing, message: "Kea does not support the command reservation-get-page: load x.so in hooks-libraries of kea-dhcp4"},
		"NoDatabase":   {reason: "A database is wanted.", change: failing(group.ErrNoDatabase), want: v1alpha1.ReasonNoHostDatabase, message: group.ErrNoDatabase.Error()},
		"ReadOnly":     {reason: "A database that only others write.", change: failing(group.ErrDatabaseReadOnly), want: v1alpha1.ReasonDatabaseReadOnly, message: group.ErrDatabaseReadOnly.Error()},
		"NoSubnets":    {reason: "A configuration that comes later.", change: failing(fmt.Errorf("cannot use it: %w", group.ErrNoSubnets)), want: v1alpha1.ReasonNoSubnets, message: "cannot use it: " + group.ErrNoSubnets.Error()},
		"SubnetsLost":  {reason: "The server is used all the same.", change: func(f *group.ServerFacts) { f.SubnetsErr = group.ErrSubnetsLost }, want: v1alpha1.ReasonNoSubnets, message: group.ErrSubnetsLost.Error()},
		"Limit":        {reason: "More than is read.", change: failing(&kea.LimitError{Command: "c", Reason: "no"}), want: v1alpha1.ReasonLimitExceeded, message: "cannot use the answer to c: no"},
		"Long":         {reason: "A condition has a bounded size.", change: failing(errors.New(strings.Repeat("x\n", 5000))), want: v1alpha1.ReasonUnexpectedAnswer, message: strings.Repeat("x ", 2046) + "x…"},
		"Rejected":     {reason: "Anything else.", change: failing(&kea.RejectedError{Command: "c", Text: "no"}), want: v1alpha1.ReasonUnexpectedAnswer, message: "Kea refused c: no"},
		"HooksMissing": {
			reason: "Hooks that some things work without, in one order.",
			change: func(f *group.ServerFacts) {
				f.MissingHooks = []string{"libdhcp_subnet_cmds.so", "libdhcp_lease_cmds.so"}
			},
			want: v1alpha1.ReasonHookMissing,
			message: "libdhcp_subnet_cmds.so is not loaded: load it in hooks-libraries of kea-dhcp4; until then reservations that name their subnet by prefix wait; those with a subnetId work; " +
				"libdhcp_lease_cmds.so is not loaded: load it in hooks-libraries of kea-dhcp4; until then reservations without an ipAddress wait; those with one work",
		},
		"NotSaved": {
			reason: "Reservations work, and are not saved.",
			change: func(f *group.ServerFacts) { f.SaveErr = &kea.RejectedError{Command: "config-write", Text: "no"} },
			want:   v1alpha1.ReasonNotSaved,
			message: "cannot save reservations in memory to Kea's configuration file: Kea refused config-write: no; let kea-dhcp4 write its configuration file, " +
				"or set hosts.persist to Never; reservations work, and are restored after a restart of Kea",
		},
		"NotSavedOnPurpose": {
			reason: "The text of one that was not sent has its own remedy.",
			change: func(f *group.ServerFacts) {
				f.SaveErr = errors.New("config-write would empty option 43 in subnet 10.64.0.0/16: remove it")
			},
			want: v1alpha1.ReasonNotSaved,
			message: "cannot save reservations in memory to Kea's configuration file: config-write would empty option 43 in subnet 10.64.0.0/16: remove it; " +
				"or set hosts.persist to Never; reservations work, and are restored after a restart of Kea",
		},
		"TheWorstFirst": {
			reason: "An error hides what is less.",
			change: func(f *group.ServerFacts) {
				f.State, f.Err, f.SaveErr, f.MissingHooks = group.Down, errors.New("bad"), errors.New("worse"), []string{"libdhcp_lease_cmds.so"}
			},
			want: v1alpha1.ReasonUnexpectedAnswer, message: "bad",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := group.ServerFacts{Name: "kea1", State: group.Up}
			tc.change(&f)
			got := statusOf([]group.ServerFacts{f})
			if c := got.ready; c.Type != xpv2.TypeReady || c.Status != corev1.ConditionFalse || c.Reason != tc.want || c.Message != "server kea1: "+tc.message {
				t.Errorf("%s\n%s=%s %s %q", tc.reason, c.Type, c.Status, c.Reason, c.Message)
			}
			if message := got.servers[0].Message; message != tc.message {
				t.Errorf("%s\nthe server's message is %q", tc.reason, message)
			}
		})
	}
}

// secretError is what Resolve reports of a Secret that is missing.
func secretError(t *testing.T) error {
	t.Helper()
	_, _, err := connection.Resolve(specOf("ns"), "", nil)
	if err == nil {
		t.Fatal("a Secret that is missing is no error")
	}
	return err
}

// TestStatusOf: what several servers make of the two conditions. With one, both
// are True or False together.
func TestStatusOf(t *testing.T) {
	t.Parallel()
	since := time.Date(2026, 1, 2, 4, 4, 5, 999, time.FixedZone("", 3600))
	const text = "2026-01-02T03:04:05Z"
	server := func(name string, state group.Health, err error) group.ServerFacts {
		return group.ServerFacts{Name: name, State: state, Since: since, Err: err}
	}
	with := func(f group.ServerFacts, change func(*group.ServerFacts)) group.ServerFacts {
		change(&f)
		return f
	}
	unsaved := func(f *group.ServerFacts) { f.SaveErr = errors.New("no") }
	subnetless := func(f *group.ServerFacts) { f.SubnetsErr = group.ErrSubnetsLost }
	const notSavedText = "cannot save reservations in memory to Kea's configuration file: no; or set hosts.persist to Never; reservations work, and are restored after a restart of Kea"
	down, fine := &kea.UnreachableError{Reason: "down"}, server("kea1", group.Up, nil)
	const downText = "cannot reach Kea: down"
	type condition struct {
		status  corev1.ConditionStatus
		reason  xpv2.ConditionReason
		message string
	}
	ready := condition{corev1.ConditionTrue, v1alpha1.ReasonProbeSucceeded, ""}
	healthy := condition{corev1.ConditionTrue, v1alpha1.ReasonAllServersServe, ""}
	no := func(reason xpv2.ConditionReason, message string) condition {
		return condition{corev1.ConditionFalse, reason, message}
	}
	cases := map[string]struct {
		reason  string
		facts   []group.ServerFacts
		ready   condition
		healthy condition
		serving string
	}{
		"One":      {reason: "All is well.", facts: []group.ServerFacts{fine}, ready: ready, healthy: healthy, serving: "1/1"},
		"Two":      {reason: "All is well.", facts: []group.ServerFacts{fine, server("kea2", group.Up, nil)}, ready: ready, healthy: healthy, serving: "2/2"},
		"Warnings": {reason: "The server is used all the same.", facts: []group.ServerFacts{with(fine, func(f *group.ServerFacts) { f.Warnings = []string{"a", "b"} })}, ready: ready, healthy: healthy, serving: "1/1"},
		"OneDown": {
			reason: "One server is enough to be Ready.", facts: []group.ServerFacts{server("kea1", group.Down, down), server("kea2", group.Up, nil)},
			ready: ready, healthy: no(v1alpha1.ReasonServersNotServing, "server kea1 is Down since "+text+": "+downText), serving: "1/2",
		},
		"Returning": {
			reason: "It does not serve before it has been read.", facts: []group.ServerFacts{fine, server("kea2", group.Returning, down)},
			ready: ready, healthy: no(v1alpha1.ReasonServersNotServing, "server kea2 is Returning since "+text+": "+downText), serving: "1/2",
		},
		"Unprobed": {
			reason: "It hangs from the beginning.", facts: []group.ServerFacts{fine, {Name: "kea2"}},
			ready: ready, healthy: no(v1alpha1.ReasonServersNotServing, "server kea2: it has not answered yet: check that kea-dhcp4 is running and not overloaded"), serving: "1/2",
		},
		"OnlyDown": {
			reason: "Without one that serves, it is not Ready.", facts: []group.ServerFacts{server("kea1", group.Down, down)},
			ready: no(v1alpha1.ReasonUnreachable, "server kea1: "+downText), healthy: no(v1alpha1.ReasonServersNotServing, "server kea1 is Down since "+text+": "+downText), serving: "0/1",
		},
		"AllDown": {
			reason: "Each server is named; the first gives the reason.", facts: []group.ServerFacts{server("kea1", group.Down, group.ErrNoDatabase), server("kea2", group.Down, down)},
			ready:   no(v1alpha1.ReasonNoHostDatabase, "server kea1: "+group.ErrNoDatabase.Error()+"; server kea2: "+downText),
			healthy: no(v1alpha1.ReasonServersNotServing, "server kea1 is Down since "+text+": "+group.ErrNoDatabase.Error()+"; server kea2 is Down since "+text+": "+downText), serving: "0/2",
		},
		"OnlyUnsaved": {
			reason: "A server that serves with a problem, and no other.", facts: []group.ServerFacts{with(fine, unsaved)},
			ready: no(v1alpha1.ReasonNotSaved, "server kea1: "+notSavedText), healthy: no(v1alpha1.ReasonNotSaved, "server kea1: "+notSavedText), serving: "1/1",
		},
		"OneUnsaved": {
			reason: "Another one serves without a problem.", facts: []group.ServerFacts{with(fine, unsaved), server("kea2", group.Up, nil)},
			ready: ready, healthy: no(v1alpha1.ReasonNotSaved, "server kea1: "+notSavedText), serving: "2/2",
		},
		"AllWithProblems": {
			reason: "No server serves without a problem.", facts: []group.ServerFacts{with(fine, subnetless), with(server("kea2", group.Up, nil), unsaved)},
			ready:   no(v1alpha1.ReasonNoSubnets, "server kea1: "+group.ErrSubnetsLost.Error()+"; server kea2: "+notSavedText),
			healthy: no(v1alpha1.ReasonNoSubnets, "server kea1: "+group.ErrSubnetsLost.Error()+"; server kea2: "+notSavedText), serving: "2/2",
		},
		"DownAndUnsaved": {
			reason: "What matters to Ready is what is wrong with the server that serves.", facts: []group.ServerFacts{server("kea1", group.Down, down), with(server("kea2", group.Up, nil), unsaved)},
			ready:   no(v1alpha1.ReasonNotSaved, "server kea2: "+notSavedText),
			healthy: no(v1alpha1.ReasonServersNotServing, "server kea1 is Down since "+text+": "+downText+"; server kea2: "+notSavedText), serving: "1/2",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := statusOf(tc.facts)
			for _, c := range []struct {
				of   xpv2.ConditionType
				got  xpv2.Condition
				want condition
			}{{xpv2.TypeReady, got.ready, tc.ready}, {v1alpha1.TypeHealthy, got.healthy, tc.healthy}} {
				if diff := cmp.Diff(c.want, condition{c.got.Status, c.got.Reason, c.got.Message}, cmp.AllowUnexported(condition{})); diff != "" || c.got.Type != c.of {
					t.Errorf("%s\n%s: -want +got:\n%s", tc.reason, c.got.Type, diff)
				}
			}
			if got.serving != tc.serving {
				t.Errorf("%s\n%s serve, want %s", tc.reason, got.serving, tc.serving)
			}
		})
	}
}

// TestServerStatus: what is known of a server is reported as it is. When one that serves was last
// read changes all the time, and is left out.
func TestServerStatus(t *testing.T) {
	t.Parallel()
	since, read := time.Date(2026, 1, 2, 3, 4, 5, 999, time.UTC), time.Date(2026, 1, 2, 3, 4, 0, 999, time.UTC)
	got := statusOf([]group.ServerFacts{{
		Name: "kea1", State: group.Up, Since: since, Version: "3.0.3", Storage: kea.TargetDatabase, HAState: "hot-standby", Warnings: []string{"a", "b"},
		HA: []kea.HAStatus{
			{Mode: "hot-standby", ServerName: "hub1", Role: "primary", State: "hot-standby", PeerName: "branch1", PeerState: "hot-standby"},
			{Mode: "hot-standby", ServerName: "hub2", Role: "standby", State: "partner-down", PeerName: "branch2", PeerInterrupted: true},
		},
		LastRead: read, Reservations: 312,
	}, {
		Name: "kea2", State: group.Down, Since: since, Err: errors.New("down"), LastRead: read,
	}, {
		Name: "kea3",
	}}).servers
	want := []v1alpha1.ServerStatus{{
		Name: "kea1", State: v1alpha1.ServerUp, Since: &metav1.Time{Time: since.Truncate(time.Second)}, Version: "3.0.3", Storage: v1alpha1.HostStorageDatabase,
		HAState: "hot-standby", Warnings: []string{"a", "b"},
		HA: []v1alpha1.HAStatus{
			{Mode: "hot-standby", ServerName: "hub1", Role: "primary", State: "hot-standby", PeerName: "branch1", PeerState: "hot-standby"},
			{Mode: "hot-standby", ServerName: "hub2", Role: "standby", State: "partner-down", PeerName: "branch2"},
		},
		Reservations: new(int64(312)),
	}, {
		Name: "kea2", State: v1alpha1.ServerDown, Since: &metav1.Time{Time: since.Truncate(time.Second)}, Message: "down",
		Reservations: new(int64(0)), LastRead: &metav1.Time{Time: read.Truncate(time.Second)},
	}, {
		Name: "kea3", Message: "it has not answered yet: check that kea-dhcp4 is running and not overloaded",
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestUntilReport: a server that hangs from the beginning keeps the status waiting
// for a moment only, and only if there is something to say.
func TestUntilReport(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	server := func(state group.Health, ago time.Duration) group.ServerFacts {
		return group.ServerFacts{State: state, Since: now.Add(-ago)}
	}
	cases := map[string]struct {
		reason string
		facts  []group.ServerFacts
		wait   time.Duration
		one    bool
	}{
		"None":    {reason: "No server has answered.", facts: []group.ServerFacts{{}, {}}},
		"OneDown": {reason: "The other one may serve in a moment.", facts: []group.ServerFacts{server(group.Down, time.Hour), {}}},
		"JustNow": {reason: "The other one may serve in a moment.", facts: []group.ServerFacts{{}, server(group.Up, time.Second)}, wait: unprobedDelay - time.Second, one: true},
		"LongAgo": {reason: "A server was added, and hangs.", facts: []group.ServerFacts{server(group.Up, time.Second), server(group.Up, time.Hour), {}}, one: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if wait, one := untilReport(tc.facts, now); wait != tc.wait && one || one != tc.one {
				t.Errorf("%s\nit waits for %s, one serves: %t", tc.reason, wait, one)
			}
		})
	}
}

// TestWarnOfPlainLogins: a password that is sent in clear is a warning of its server, beside others.
func TestWarnOfPlainLogins(t *testing.T) {
	t.Parallel()
	spec := &v1alpha1.ProviderConfigSpec{
		Servers:     []v1alpha1.Server{{Name: "a", URL: "http://a.example.com:8000"}, {Name: "b", URL: "https://b.example.com:8000"}},
		Credentials: v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Name: "login"}},
	}
	servers := []v1alpha1.ServerStatus{{Name: "a", Warnings: []string{"other"}}, {Name: "b"}}
	warnOfPlainLogins(spec, servers)
	want := []v1alpha1.ServerStatus{{Name: "a", Warnings: []string{"other", plainLogin}}, {Name: "b"}}
	if diff := cmp.Diff(want, servers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
