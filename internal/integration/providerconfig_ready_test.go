// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigFacts: a probe tells the version and the storage of a server.
func TestConfigFacts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason  string
		options func(t *testing.T) testenv.KeaOptions
		storage v1alpha1.HostStorage
		place   kea.Target
	}{
		"Memory": {
			reason:  "A Kea without a hosts-database keeps reservations in memory.",
			options: func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
			storage: v1alpha1.HostStorageMemory, place: kea.TargetMemory,
		},
		"Database": {
			reason:  "A Kea with a hosts-database keeps reservations there.",
			options: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: testenv.StartPostgres(t)} },
			storage: v1alpha1.HostStorageDatabase, place: kea.TargetDatabase,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := keaSite(t, tc.options(t))
			pc, r := s.config(), s.numbered(11)
			s.create(pc)
			s.create(r)
			s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionTrue, Reason: v1alpha1.ReasonProbeSucceeded})
			s.await(r, isReady, isSynced)
			got := pc.GetServers()
			if len(got) != 1 || got[0].Name != "kea1" || got[0].Storage != tc.storage || !strings.HasPrefix(got[0].Version, "3.") || got[0].Message != "" {
				t.Errorf("%s\nstatus.servers is %+v", tc.reason, got)
			}
			if s.heldIn(tc.place, macOf(11)) == nil {
				t.Errorf("%s\nit is not there", tc.reason)
			}
			s.steady(pc, r)
		})
	}
}

// TestConfigUsers: users are counted, and a configuration that is used is not
// deleted until nobody uses it.
func TestConfigUsers(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	for kind, pc := range map[string]providerConfig{v1alpha1.ClusterProviderConfigKind: s.config(), v1alpha1.ProviderConfigKind: s.namespaced()} {
		t.Run(kind, func(t *testing.T) {
			s := &site{world: s.world, t: t, kea: s.kea, at: s.at, namespace: s.namespace}
			a, b, late := s.numbered(11), s.numbered(12), s.numbered(13)
			if pc.GetNamespace() != "" {
				a, b, late = using(a), using(b), using(late)
			}
			s.create(pc)
			s.awaitUsers(pc, 0)
			s.create(a)
			s.create(b)
			s.await(a, isReady)
			s.await(b, isReady)
			s.awaitUsers(pc, 2)

			s.delete(pc)
			s.await(pc, isReady)
			s.awaitTerminating(pc, "2 KeaReservations use")
			s.awaitListed(pc, kind, "vm11", "vm12")
			s.create(late)
			s.await(late, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: "cannot begin to use"})
			s.delete(a)
			s.awaitGone(a)
			s.awaitUsers(pc, 1)
			s.awaitTerminating(pc, "1 KeaReservation uses")
			s.delete(b)
			s.awaitGone(b)
			s.awaitGone(pc)
			s.delete(late)
			s.awaitGone(late)
			if s.holds(11) || s.holds(12) || s.holds(13) {
				t.Error("Kea still holds a reservation")
			}
		})
	}
}

func (s *site) awaitUsers(pc providerConfig, want int64) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("%s to have %d users", pc.GetName(), want), func(ctx context.Context) error {
		if err := shared.client.Get(ctx, client.ObjectKeyFromObject(pc), pc); err != nil {
			return err
		}
		if got := pc.GetUsers(); got != want || len(pc.GetFinalizers()) == 0 {
			return fmt.Errorf("it has %d, and the finalizers %v", got, pc.GetFinalizers())
		}
		return nil
	})
}

// awaitTerminating waits until a configuration says how many keep it from being gone.
func (s *site) awaitTerminating(pc providerConfig, users string) {
	s.t.Helper()
	s.await(pc, is{Type: "Terminating", Status: corev1.ConditionTrue, Reason: "InUse", Message: users + " it: delete them first"})
}

// awaitListed waits until the users of a configuration are those that the API server selects by it.
func (s *site) awaitListed(pc providerConfig, kind string, want ...string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("%v to be listed", want), func(ctx context.Context) error {
		l := &v1alpha1.KeaReservationList{}
		fields := client.MatchingFields{"spec.providerConfigRef.kind": kind, "spec.providerConfigRef.name": pc.GetName()}
		if err := shared.client.List(ctx, l, fields, client.InNamespace(pc.GetNamespace())); err != nil {
			return err
		}
		var got []string
		for i := range l.Items {
			got = append(got, l.Items[i].Name)
		}
		if slices.Sort(got); !slices.Equal(got, want) {
			return fmt.Errorf("there are %v", got)
		}
		return nil
	})
}

// TestConfigRefused: configurations that a server cannot serve.
func TestConfigRefused(t *testing.T) {
	t.Parallel()
	k := testenv.StartKea(t, testenv.KeaOptions{})
	cases := map[string]struct {
		reason string
		spoil  func(*v1alpha1.ProviderConfigSpec)
		want   trouble
	}{
		"DatabaseWanted": {
			reason: "storage: Database needs one.",
			spoil:  func(p *v1alpha1.ProviderConfigSpec) { p.Hosts.Storage = v1alpha1.HostStorageDatabase },
			want:   trouble{reason: v1alpha1.ReasonNoHostDatabase, message: "configure hosts-database in Kea, or set hosts.storage to Auto or Memory"},
		},
		"NobodyThere": {
			reason: "Nothing listens on the port.",
			spoil:  func(p *v1alpha1.ProviderConfigSpec) { p.Servers[0].URL = "http://127.0.0.1:1" },
			want:   trouble{reason: v1alpha1.ReasonUnreachable, message: "connection refused"},
		},
		"UnknownHost": {
			reason: "The host name is not known.",
			spoil:  func(p *v1alpha1.ProviderConfigSpec) { p.Servers[0].URL = "http://kea.invalid:8000" },
			want:   trouble{reason: v1alpha1.ReasonUnreachable, message: "lookup of its host name fails: check DNS"},
		},
	}
	n := 20
	for name, tc := range cases {
		n++
		host := n
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, k.URL)
			s.look(k, "", "")
			pc, r := s.config(), s.numbered(host)
			tc.spoil(&pc.Spec.ProviderConfigSpec)
			s.create(pc)
			s.create(r)
			if name == "UnknownHost" { // which of two it is depends on the machine's DNS
				tc.want.message = "cannot reach Kea: "
			}
			s.troubled(pc, r, tc.want)
			if s.holds(host) {
				t.Errorf("%s Yet Kea has the reservation.", tc.reason)
			}
			edit(s, pc, func(pc *v1alpha1.ClusterProviderConfig) { pc.Spec = s.config().Spec })
			s.await(pc, isReady)
			s.await(r, isReady, isSynced)
		})
	}
}

// TestConfigURLPath: a path, as a proxy in front of Kea may have, does no harm.
func TestConfigURLPath(t *testing.T) {
	t.Parallel()
	k := testenv.StartKea(t, testenv.KeaOptions{})
	for _, path := range []string{"/", "/kea/dhcp4", "/kea/"} {
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, k.URL+path)
			pc := s.config()
			s.create(pc)
			s.await(pc, isReady)
		})
	}
}

// TestConfigKeaDown: a Kea that is stopped is unreachable, what was known stays,
// and all is well when it is started again.
func TestConfigKeaDown(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	pc, r := s.config(), s.numbered(11)
	s.create(pc)
	s.create(r)
	s.await(r, isReady, isSynced)
	s.awaitFollowUps(r)
	s.kea.Stop()
	s.spared(pc, r, trouble{reason: v1alpha1.ReasonUnreachable, message: "connection refused: kea-dhcp4 is not running"})
	if got := r.Status.AtProvider.IPAddress; got != "10.123.0.11" {
		t.Errorf("status.atProvider.ipAddress is %q: what was known is to stay", got)
	}
	s.kea.Start(t)
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	s.awaitHeld(macOf(11), "10.123.0.11")
}
