// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
)

// TestResolveServers: what each of two servers is reached with, where the second may have settings of
// its own, and what a mistake in these does to the first.
func TestResolveServers(t *testing.T) {
	t.Parallel()
	// reached is how a server is reached, or why it cannot be.
	type reached struct {
		Username, Password, ServerName string
		TLS, CA, Certificate           bool
		Err                            string
	}
	common := reached{Username: "provider", Password: "s3cret", ServerName: "kea.example", TLS: true, CA: true, Certificate: true}
	ca := v1alpha1.SecretKeyReference{SecretReference: secretRef("", "ca"), Key: "bundle"}
	client := secretRef("", "client")
	broken := func(text string) reached { return reached{Err: text} }
	cases := map[string]struct {
		reason  string
		server  v1alpha1.Server
		without string // the name of a Secret that does not exist
		second  reached
	}{
		"Common":        {reason: "Without its own it has the common ones.", second: common},
		"Credentials":   {reason: "Credentials are replaced, TLS is not.", server: v1alpha1.Server{Credentials: basic("", "login2")}, second: reached{Username: "second", Password: "other", ServerName: "kea.example", TLS: true, CA: true, Certificate: true}},
		"NoCredentials": {reason: "A server need not ask for any.", server: v1alpha1.Server{Credentials: &v1alpha1.Credentials{Source: "None"}}, second: reached{ServerName: "kea.example", TLS: true, CA: true, Certificate: true}},
		"TLS":           {reason: "TLS settings are replaced as a whole.", server: v1alpha1.Server{TLS: &v1alpha1.TLS{CASecretRef: &ca, ServerName: "kea2.example"}}, second: reached{Username: "provider", Password: "s3cret", ServerName: "kea2.example", TLS: true, CA: true}},
		"TLSDefaults":   {reason: "Empty ones are the defaults.", server: v1alpha1.Server{TLS: &v1alpha1.TLS{}}, second: reached{Username: "provider", Password: "s3cret", TLS: true}},
		"Missing":       {reason: "Its Secret is missing.", server: v1alpha1.Server{Credentials: basic("", "login2")}, without: "login2", second: broken("cannot get Secret ns/login2: create it, or correct the reference to it")},
		"WrongKeys":     {reason: "Its Secret has other keys.", server: v1alpha1.Server{Credentials: basic("", "ca")}, second: broken("cannot find a value of key username in Secret ns/ca: add it")},
		"MissingCA":     {reason: "Its CA is missing.", server: v1alpha1.Server{TLS: &v1alpha1.TLS{CASecretRef: &v1alpha1.SecretKeyReference{SecretReference: secretRef("", "ca2"), Key: "ca.crt"}}}, second: broken("cannot get Secret ns/ca2: create it, or correct the reference to it")},
		"WrongClient":   {reason: "Its certificate is none.", server: v1alpha1.Server{TLS: &v1alpha1.TLS{ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "bad"}}}, second: broken("cannot use the client certificate in Secret ns/bad: tls.crt and tls.key must be a certificate and its key in PEM")},
		"Client":        {reason: "It may have a certificate without a CA.", server: v1alpha1.Server{TLS: &v1alpha1.TLS{ClientCertificateSecretRef: &client}}, second: reached{Username: "provider", Password: "s3cret", TLS: true, Certificate: true}},
		"BothWrong":     {reason: "One mistake is reported after the other.", server: v1alpha1.Server{Credentials: basic("", "no"), TLS: &v1alpha1.TLS{ClientCertificateSecretRef: &v1alpha1.SecretReference{Name: "bad"}}}, second: broken("cannot get Secret ns/no: create it, or correct the reference to it")},
		"Foreign": {
			reason: "A ProviderConfig reads Secrets of its own namespace only.", server: v1alpha1.Server{Credentials: basic("other", "login")},
			second: broken("cannot read Secret other/login: a ProviderConfig reads Secrets of its own namespace only: leave namespace out, or use a ClusterProviderConfig"),
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := secretsIn(t, "ns")
			s[types.NamespacedName{Namespace: "ns", Name: "login2"}] = Secret{Data: map[string][]byte{"username": []byte("second"), "password": []byte("other")}}
			s[types.NamespacedName{Namespace: "ns", Name: "bad"}] = Secret{Data: map[string][]byte{"tls.crt": []byte("a"), "tls.key": []byte("b")}}
			delete(s, types.NamespacedName{Namespace: "ns", Name: tc.without})
			spec := specOf("")
			tc.server.Name, tc.server.URL = "kea2", "https://kea2.example:8000"
			spec.Servers = append(spec.Servers, tc.server)
			cfg, _, err := Resolve(spec, "ns", s)
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			got := map[string]reached{}
			for _, srv := range cfg.Servers {
				if srv.Err != nil {
					if secret := (*SecretError)(nil); !errors.As(srv.Err, &secret) {
						t.Errorf("%s\nit is not an error of a Secret: %v", tc.reason, srv.Err)
					}
					got[srv.Name] = reached{Err: srv.Err.Error()}
					continue
				}
				r := reached{Username: srv.Kea.Username, Password: srv.Kea.Password}
				if c := srv.Kea.TLS; c != nil {
					r.TLS, r.ServerName, r.CA, r.Certificate = true, c.ServerName, c.RootCAs != nil, len(c.Certificates) > 0
				}
				got[srv.Name] = r
			}
			if diff := cmp.Diff(map[string]reached{"kea1": common, "kea2": tc.second}, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			if url := cfg.Servers[1].Kea.URL; url != "https://kea2.example:8000" {
				t.Errorf("%s\nits url is %s", tc.reason, url)
			}
		})
	}
}

// What is kept of a tenant's servers is less than of the platform's own.
func TestMemory(t *testing.T) {
	t.Parallel()
	for namespace, want := range map[string]int{"": group.OwnMemory, "ns": group.TenantMemory} {
		cfg, _, err := Resolve(&v1alpha1.ProviderConfigSpec{Servers: []v1alpha1.Server{{Name: "kea1", URL: "http://kea1.example"}}}, namespace, Secrets{})
		if err != nil || cfg.Memory != want {
			t.Errorf("in namespace %q it is %d bytes, %v, want %d", namespace, cfg.Memory, err, want)
		}
	}
}
