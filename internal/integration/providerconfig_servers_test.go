// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigOwnCredentials: a server may have credentials of its own. A mistake in these is reported
// in Healthy and concerns that server only, and it is caught up when they are right.
func TestConfigOwnCredentials(t *testing.T) {
	t.Parallel()
	first := map[string]string{"username": "provider", "password": "s3cret-Aef3goh7"}
	second := map[string]string{"username": "other", "password": "s3cret-ju5Ahpha"}
	k1 := testenv.StartKea(t, testenv.KeaOptions{Username: first["username"], Password: first["password"]})
	k2 := testenv.StartKea(t, testenv.KeaOptions{Username: second["username"], Password: second["password"]})
	s := bareSite(t, k1.URL)
	s.look(k1, first["username"], first["password"])
	on2 := &site{world: s.world, t: t, kea: k2, namespace: s.namespace}
	on2.look(k2, second["username"], second["password"])

	pc := s.config()
	s.credentials(pc)
	s.secret("login", first)
	pc.Spec.Servers = append(pc.Spec.Servers, v1alpha1.Server{Name: "kea2", URL: k2.URL, Credentials: &v1alpha1.Credentials{
		Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Namespace: s.namespace, Name: "login2"},
	}})
	s.create(pc)
	oneServes := func(message string) {
		t.Helper()
		s.await(pc, isReady, is{Type: v1alpha1.TypeHealthy, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonServersNotServing, Message: message})
		s.awaitServing(pc, "1/2", v1alpha1.ServerUp, v1alpha1.ServerDown)
		if m := pc.GetCondition(v1alpha1.TypeHealthy).Message; !strings.HasPrefix(m, "server kea2 is Down since ") {
			t.Errorf("Healthy says %q", m)
		}
	}
	oneServes(": cannot get Secret " + s.namespace + "/login2: create it, or correct the reference to it")
	s.created(s.numbered(11))
	if !s.holds(11) || on2.holds(11) {
		t.Error("the reservation is not on the server that serves, or is on the other one")
	}

	secret := s.secret("login2", second)
	s.await(pc, isReady, is{Type: v1alpha1.TypeHealthy, Status: corev1.ConditionTrue, Reason: v1alpha1.ReasonAllServersServe})
	s.awaitServing(pc, "2/2", v1alpha1.ServerUp, v1alpha1.ServerUp)
	on2.awaitHeld(macOf(11), "10.123.0.11")

	s.rotate(secret, first)
	oneServes(": Kea did not accept the credentials")
	s.created(s.numbered(12))
	s.rotate(secret, second)
	s.awaitServing(pc, "2/2", v1alpha1.ServerUp, v1alpha1.ServerUp)
	on2.awaitHeld(macOf(12), "10.123.0.12")
}

// awaitServing waits until the status says how many servers serve, and of each in which state it is.
func (s *site) awaitServing(pc *v1alpha1.ClusterProviderConfig, want string, states ...v1alpha1.ServerHealth) {
	s.t.Helper()
	testenv.Eventually(s.t, within, want+" of the servers to serve", func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(pc), pc); err != nil {
			return err
		}
		if pc.Status.Serving != want || len(pc.Status.Servers) != len(states) {
			return fmt.Errorf("%s serve: %+v", pc.Status.Serving, pc.Status.Servers)
		}
		for i, state := range states {
			if got := pc.Status.Servers[i]; got.State != state || got.Since.IsZero() {
				return fmt.Errorf("server %s is %s since %s", got.Name, got.State, got.Since)
			}
		}
		return nil
	})
}
