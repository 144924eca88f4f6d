// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigMissing: a reservation names the configuration that is not there, and
// goes on when it comes.
func TestConfigMissing(t *testing.T) {
	t.Parallel()
	s := keaSite(t, testenv.KeaOptions{})
	for _, tc := range []struct {
		pc providerConfig
		r  *v1alpha1.KeaReservation
	}{
		{pc: s.config(), r: s.numbered(11)},
		{pc: s.namespaced(), r: using(s.numbered(12))},
	} {
		s.create(tc.r)
		kind := tc.r.Spec.ProviderConfigReference.Kind
		s.await(tc.r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse,
			Message: "cannot find " + kind + ` "` + tc.pc.GetName() + `": create it, or correct spec.providerConfigRef`})
		t.Logf("%s", words(tc.r))
		s.create(tc.pc)
		s.await(tc.pc, isReady)
		s.await(tc.r, isReady, isSynced)
	}
}

// TestConfigSecret: what a Secret lacks is named, and the provider goes on as
// soon as it is there.
func TestConfigSecret(t *testing.T) {
	t.Parallel()
	good := map[string]string{"username": "provider", "password": "s3cret-Ae5eeW4o"}
	k := testenv.StartKea(t, testenv.KeaOptions{Username: good["username"], Password: good["password"]})
	without := func(key string) map[string]string {
		out := map[string]string{"username": good["username"], "password": good["password"]}
		delete(out, key)
		return out
	}
	cases := map[string]struct {
		reason string
		data   map[string]string // nil: no Secret
		want   trouble
	}{
		"Missing": {
			reason: "There is no such Secret.",
			want:   trouble{reason: v1alpha1.ReasonSecretUnusable, message: "/login: create it, or correct the reference to it"},
		},
		"NoKeys": {
			reason: "Both keys are missing: always the same one is named.",
			data:   map[string]string{"other": "thing"},
			want:   trouble{reason: v1alpha1.ReasonSecretUnusable, message: "cannot find a value of key username in Secret "},
		},
		"NoPassword": {
			reason: "One key is missing.",
			data:   without("password"),
			want:   trouble{reason: v1alpha1.ReasonSecretUnusable, message: "cannot find key password in Secret "},
		},
		"WrongPassword": {
			reason: "Kea does not accept it.",
			data:   map[string]string{"username": good["username"], "password": "wr0ng-Oquei8ie"},
			want:   trouble{reason: v1alpha1.ReasonUnauthorized, message: "check username and password"},
		},
	}
	n := 20
	for name, tc := range cases {
		for _, kind := range []string{v1alpha1.ClusterProviderConfigKind, v1alpha1.ProviderConfigKind} {
			n++
			host := n
			t.Run(name+"/"+kind, func(t *testing.T) {
				t.Parallel()
				s := bareSite(t, k.URL)
				s.look(k, good["username"], good["password"])
				var pc providerConfig = s.config()
				r := s.numbered(host)
				if kind == v1alpha1.ProviderConfigKind {
					pc, r = s.namespaced(), using(r)
				}
				s.credentials(pc)
				if pc.GetNamespace() != "" {
					pc.GetSpec().Credentials.SecretRef.Namespace = "" // its own
				}
				var secret *corev1.Secret
				if tc.data != nil {
					secret = s.secret("login", tc.data)
				}
				s.create(pc)
				s.create(r)
				s.troubled(pc, r, tc.want)
				if s.holds(host) {
					t.Errorf("%s Yet Kea has the reservation.", tc.reason)
				}
				if secret == nil {
					s.secret("login", good)
				} else {
					s.rotate(secret, good)
				}
				s.recovers(pc, r)
			})
		}
	}
}

// TestConfigSecretElsewhere: a ProviderConfig reads no Secrets of other
// namespaces, whether they are there or not.
func TestConfigSecretElsewhere(t *testing.T) {
	t.Parallel()
	login := map[string]string{"username": "provider", "password": "s3cret-ooNg3aiz"}
	s := keaSite(t, testenv.KeaOptions{Username: login["username"], Password: login["password"]})
	other := bareSite(t, "")
	other.secret("login", login)
	s.secret("login", login)
	pc, r := s.namespaced(), using(s.numbered(11))
	other.credentials(pc)
	s.create(pc)
	s.create(r)
	s.troubled(pc, r, trouble{reason: v1alpha1.ReasonSecretUnusable, message: "a ProviderConfig reads Secrets of its own namespace only"})
	if s.holds(11) {
		t.Error("Kea has the reservation")
	}
	edit(s, pc, func(pc *v1alpha1.ProviderConfig) { pc.Spec.Credentials.SecretRef.Namespace = "" })
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
}

// TestConfigRotation: a new password in Kea and then in the Secret is used
// without a restart of the provider, and a Secret that is deleted is missed.
func TestConfigRotation(t *testing.T) {
	t.Parallel()
	before := map[string]string{"username": "provider", "password": "s3cret-Bei7eeyo"}
	after := map[string]string{"username": "provider", "password": "s3cret-thoo0Sha"}
	s := keaSite(t, testenv.KeaOptions{Username: before["username"], Password: before["password"]})
	pc, r := s.config(), s.numbered(11)
	s.credentials(pc)
	secret := s.secret("login", before)
	s.create(pc)
	s.create(r)
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	s.awaitFollowUps(r)

	s.kea.Stop()
	s.rewrite(func(config string) string { return strings.ReplaceAll(config, before["password"], after["password"]) })
	s.kea.Start(t)
	s.look(s.kea, after["username"], after["password"])
	s.spared(pc, r, trouble{reason: v1alpha1.ReasonUnauthorized, message: "check username and password"})
	s.rotate(secret, after)
	s.recovers(pc, r)
	s.awaitHeld(macOf(11), "10.123.0.11")

	s.delete(secret)
	s.troubled(pc, r, trouble{reason: v1alpha1.ReasonSecretUnusable, message: "/login: create it, or correct the reference to it"})
	if !s.holds(11) {
		t.Error("Kea has lost the reservation")
	}
	s.secret("login", after)
	s.recovers(pc, r)
}

// recovers waits until a configuration that was mended, and what uses it, work.
func (s *site) recovers(pc providerConfig, r *v1alpha1.KeaReservation) {
	s.t.Helper()
	start := time.Now()
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	s.t.Logf("mended in %s", time.Since(start).Round(10*time.Millisecond))
}

// rewrite changes the configuration file of the site's Kea.
func (s *site) rewrite(change func(string) string) {
	s.t.Helper()
	b, err := os.ReadFile(s.kea.Config)
	if err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(s.kea.Config, []byte(change(string(b))), 0o600); err != nil {
		s.t.Fatal(err)
	}
}
