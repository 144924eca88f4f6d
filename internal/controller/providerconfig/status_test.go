// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"errors"
	"fmt"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

func TestStatusOf(t *testing.T) {
	t.Parallel()
	fine := group.ServerFacts{Name: "kea1", Version: "3.0.3", Storage: kea.TargetDatabase, HAState: "hot-standby"}
	with := func(change func(*group.ServerFacts)) group.ServerFacts {
		f := fine
		change(&f)
		return f
	}
	failing := func(err error) []group.ServerFacts {
		return []group.ServerFacts{with(func(f *group.ServerFacts) { f.Err = err })}
	}
	cases := map[string]struct {
		reason  string
		facts   []group.ServerFacts
		want    xpv2.ConditionReason
		message string
	}{
		"Fine":         {reason: "All is well.", facts: []group.ServerFacts{fine}, want: v1alpha1.ReasonProbeSucceeded},
		"Unreachable":  {reason: "No answer.", facts: failing(fmt.Errorf("cannot list subnets: %w", &kea.UnreachableError{Reason: "down"})), want: v1alpha1.ReasonUnreachable, message: "server kea1: cannot list subnets: cannot reach Kea: down"},
		"Unauthorized": {reason: "Wrong password.", facts: failing(&kea.UnauthorizedError{Command: "status-get", Status: 401}), want: v1alpha1.ReasonUnauthorized, message: "server kea1: Kea did not accept the credentials for status-get (HTTP 401): check username and password"},
		"Unsupported":  {reason: "A hook that nothing works without.", facts: failing(&kea.UnsupportedError{Command: "reservation-get-page", Hook: "x.so"}), want: v1alpha1.ReasonHookMissing, message: "server kea1: Kea does not support the command reservation-get-page: load x.so in hooks-libraries of kea-dhcp4"},
		"NoDatabase":   {reason: "A database is wanted.", facts: failing(group.ErrNoDatabase), want: v1alpha1.ReasonNoHostDatabase, message: "server kea1: " + group.ErrNoDatabase.Error()},
		"ReadOnly":     {reason: "A database that only others write.", facts: failing(group.ErrDatabaseReadOnly), want: v1alpha1.ReasonDatabaseReadOnly, message: "server kea1: " + group.ErrDatabaseReadOnly.Error()},
		"NoSubnets":    {reason: "A configuration that comes later.", facts: failing(fmt.Errorf("cannot use it: %w", group.ErrNoSubnets)), want: v1alpha1.ReasonNoSubnets, message: "server kea1: cannot use it: " + group.ErrNoSubnets.Error()},
		"Warnings":     {reason: "The server is used all the same.", facts: []group.ServerFacts{with(func(f *group.ServerFacts) { f.Warnings = []string{"a", "b"} })}, want: v1alpha1.ReasonProbeSucceeded},
		"Rejected":     {reason: "Anything else.", facts: failing(&kea.RejectedError{Command: "c", Text: "no"}), want: v1alpha1.ReasonUnexpectedAnswer, message: "server kea1: Kea refused c: no"},
		"HooksMissing": {
			reason: "Hooks that some things work without, in one order.",
			facts: []group.ServerFacts{with(func(f *group.ServerFacts) {
				f.MissingHooks = []string{"libdhcp_subnet_cmds.so", "libdhcp_lease_cmds.so"}
			})},
			want: v1alpha1.ReasonHookMissing,
			message: "server kea1: libdhcp_subnet_cmds.so is not loaded: load it in hooks-libraries of kea-dhcp4; until then reservations that name their subnet by prefix wait; those with a subnetId work; " +
				"libdhcp_lease_cmds.so is not loaded: load it in hooks-libraries of kea-dhcp4; until then reservations without an ipAddress wait; those with one work",
		},
		"NotSaved": {
			reason: "Reservations work, and are not saved.",
			facts:  []group.ServerFacts{with(func(f *group.ServerFacts) { f.SaveErr = &kea.RejectedError{Command: "config-write", Text: "no"} })},
			want:   v1alpha1.ReasonNotSaved,
			message: "server kea1: cannot save reservations in memory to Kea's configuration file: Kea refused config-write: no; let kea-dhcp4 write its configuration file, " +
				"or set hosts.persist to Never; reservations work, and are restored after a restart of Kea",
		},
		"NotSavedOnPurpose": {
			reason: "The text of one that was not sent has its own remedy.",
			facts: []group.ServerFacts{with(func(f *group.ServerFacts) {
				f.SaveErr = errors.New("config-write would empty option 43 in subnet 10.64.0.0/16: remove it")
			})},
			want: v1alpha1.ReasonNotSaved,
			message: "server kea1: cannot save reservations in memory to Kea's configuration file: config-write would empty option 43 in subnet 10.64.0.0/16: remove it; " +
				"or set hosts.persist to Never; reservations work, and are restored after a restart of Kea",
		},
		"TheWorstFirst": {
			reason: "An error hides what is less.",
			facts: []group.ServerFacts{with(func(f *group.ServerFacts) {
				f.Err, f.SaveErr, f.MissingHooks = errors.New("bad"), errors.New("worse"), []string{"libdhcp_lease_cmds.so"}
			})},
			want: v1alpha1.ReasonUnexpectedAnswer, message: "server kea1: bad",
		},
		"Several": {
			reason: "Each server that has a trouble is named; the first gives the reason.",
			facts: []group.ServerFacts{
				fine,
				{Name: "kea2", Err: &kea.UnreachableError{Reason: "down"}},
				{Name: "kea3", Err: group.ErrNoDatabase},
			},
			want: v1alpha1.ReasonUnreachable, message: "server kea2: cannot reach Kea: down; server kea3: " + group.ErrNoDatabase.Error(),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, servers := statusOf(tc.facts)
			status := corev1.ConditionFalse
			if tc.message == "" {
				status = corev1.ConditionTrue
			}
			if c.Type != xpv2.TypeReady || c.Status != status || c.Reason != tc.want || c.Message != tc.message {
				t.Errorf("%s\n%s=%s %s %q", tc.reason, c.Type, c.Status, c.Reason, c.Message)
			}
			if len(servers) != len(tc.facts) {
				t.Fatalf("%s\nthere are %d servers", tc.reason, len(servers))
			}
			for i, f := range tc.facts {
				if diff := cmp.Diff(f.Warnings, servers[i].Warnings); diff != "" {
					t.Errorf("%s\nwarnings of %s: -want +got:\n%s", tc.reason, f.Name, diff)
				}
			}
			if tc.facts[0].Name == "kea1" && (servers[0].Version != "3.0.3" || servers[0].Storage != v1alpha1.HostStorageDatabase || servers[0].HAState != "hot-standby") {
				t.Errorf("%s\n%+v", tc.reason, servers[0])
			}
		})
	}
}

func TestLastKnown(t *testing.T) {
	t.Parallel()
	spec := &v1alpha1.ProviderConfigSpec{Servers: []v1alpha1.Server{{Name: "kea1"}, {Name: "kea3"}}}
	got := lastKnown(spec, []v1alpha1.ServerStatus{
		{Name: "kea1", Version: "3.0.3", Message: "down", Warnings: []string{"a"}}, {Name: "kea2", Version: "3.0.2"},
	})
	if diff := cmp.Diff([]v1alpha1.ServerStatus{{Name: "kea1", Version: "3.0.3", Warnings: []string{"a"}}}, got); diff != "" {
		t.Errorf("What is known of the servers there still are stays, what was wrong does not: -want +got:\n%s", diff)
	}
}
