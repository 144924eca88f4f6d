// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigNamespaceDeletion: a namespace that goes takes a ProviderConfig, its
// Secret and the reservations that use them along, in whatever order, and Kea is
// left clean. There are several, because the order is chance.
func TestConfigNamespaceDeletion(t *testing.T) {
	t.Parallel()
	login := map[string]string{"username": "provider", "password": "s3cret-Wai4ahxu"}
	k := testenv.StartKea(t, testenv.KeaOptions{Username: login["username"], Password: login["password"]})
	for i := range 4 {
		first := 20 + 10*i
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, k.URL)
			s.look(k, login["username"], login["password"])
			s.secret("login", login)
			pc := s.namespaced()
			s.credentials(pc)
			s.create(pc)
			rs := make([]*v1alpha1.KeaReservation, 0, 5)
			for n := range 5 {
				r := using(s.numbered(first + n))
				s.create(r)
				rs = append(rs, r)
			}
			for _, r := range rs {
				s.await(r, isReady, isSynced)
			}
			ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
			s.delete(ns)
			s.awaitGone(ns)
			for n := range 5 {
				if s.holds(first + n) {
					t.Errorf("Kea still holds the reservation of %s", macOf(first+n))
				}
			}
		})
	}
}

// TestConfigForegroundDeletion: a reservation that is deleted in the foreground is a
// user until it has left Kea.
func TestConfigForegroundDeletion(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	pc, r := s.config(), s.numbered(11)
	s.create(pc)
	s.create(r)
	s.await(r, isReady, isSynced)
	s.awaitUsers(pc, 1)
	s.delete(r, client.PropagationPolicy(metav1.DeletePropagationForeground))
	s.awaitGone(r)
	s.awaitUsers(pc, 0)
	if s.holds(11) {
		t.Error("Kea still holds the reservation")
	}
	s.delete(pc)
	s.awaitGone(pc)
}

// TestConfigForceRemoved: a reservation whose configuration was taken away by
// force says what to create, and goes on, or goes, when it is there.
func TestConfigForceRemoved(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	pc, stays, goes := s.config(), s.numbered(11), s.numbered(12)
	s.create(pc)
	s.create(stays)
	s.create(goes)
	s.await(stays, isReady, isSynced)
	s.await(goes, isReady, isSynced)
	s.awaitUsers(pc, 2)
	s.delete(pc)
	edit(s, pc, func(pc *v1alpha1.ClusterProviderConfig) { pc.Finalizers = nil })
	s.awaitGone(pc)

	missing := is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: `cannot find ClusterProviderConfig "` + s.namespace + `": create it`}
	s.await(stays, missing)
	s.delete(goes)
	s.await(goes, missing)
	t.Log(words(stays) + words(goes))
	if !s.holds(11) || !s.holds(12) {
		t.Error("Kea has lost a reservation")
	}
	s.create(s.config())
	s.await(stays, isReady, isSynced)
	s.awaitGone(goes)
	if s.holds(12) {
		t.Error("Kea still holds the reservation")
	}
}

// TestBadInputDoesNotSpin: what cannot work is not tried all the time. It does
// not run in parallel: it counts the reconciles of all.
func TestBadInputDoesNotSpin(t *testing.T) { //nolint:paralleltest // See above.
	bad := map[string]func(s *site, spec *v1alpha1.ProviderConfigSpec){
		"NoSecret": func(s *site, spec *v1alpha1.ProviderConfigSpec) {
			spec.Credentials = v1alpha1.Credentials{
				Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Namespace: s.namespace, Name: "login"},
			}
		},
		"NobodyThere": func(_ *site, spec *v1alpha1.ProviderConfigSpec) { spec.Servers[0].URL = "http://127.0.0.1:1" },
		"NoTLSThere": func(_ *site, spec *v1alpha1.ProviderConfigSpec) {
			spec.Servers[0].URL = strings.Replace(spec.Servers[0].URL, "http:", "https:", 1)
		},
		"NoDatabase": func(_ *site, spec *v1alpha1.ProviderConfigSpec) { spec.Hosts.Storage = v1alpha1.HostStorageDatabase },
	}
	k := testenv.StartKea(t, testenv.KeaOptions{})
	var probed *v1alpha1.ClusterProviderConfig
	var s *site
	for name, spoil := range bad {
		s = bareSite(t, k.URL)
		pc, r := s.config(), s.numbered(11)
		spoil(s, &pc.Spec.ProviderConfigSpec)
		s.create(pc)
		s.create(r)
		s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse})
		s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse})
		if name == "NobodyThere" {
			probed = pc
		}
	}
	orphan := s.numbered(12)
	orphan.Spec.ProviderConfigReference.Name = "nobodys"
	s.create(orphan)
	s.await(orphan, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse})

	all := &v1alpha1.KeaReservationList{}
	if err := shared.client.List(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	before, looks := reconciles(t), s.commands(probed, "")
	testenv.Eventually(t, within, "looks at the server", func(context.Context) error {
		if n := s.commands(probed, "") - looks; n < 40 {
			return fmt.Errorf("there were %d", n)
		}
		return nil
	})
	// In these few seconds each may be tried again twice: after 1 s, 2 s, 4 s, …
	limit := map[string]float64{"managed/keareservation": float64(3 * len(all.Items))}
	for controller, n := range reconciles(t) {
		if more := n - before[controller]; more > limit[controller]+5 {
			t.Errorf("%s reconciled %v times with %d reservations there", controller, more, len(all.Items))
		} else if more > 0 {
			t.Logf("%s reconciled %v times with %d reservations there", controller, more, len(all.Items))
		}
	}
}

// reconciles counts the reconciles by controller.
func reconciles(t *testing.T) map[string]float64 {
	t.Helper()
	out := map[string]float64{}
	for _, c := range []string{
		"managed/keareservation", "connection/ClusterProviderConfig", "connection/ProviderConfig",
		"providerconfig/clusterproviderconfig", "providerconfig/providerconfig",
	} {
		out[c] = sumMetric(t, func(line string) bool {
			return strings.HasPrefix(line, "controller_runtime_reconcile_total{") && strings.Contains(line, fmt.Sprintf("controller=%q", c))
		})
	}
	return out
}
