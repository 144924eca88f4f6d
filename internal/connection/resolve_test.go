// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
)

func secretRef(namespace, name string) v1alpha1.SecretReference {
	return v1alpha1.SecretReference{Namespace: namespace, Name: name}
}

// specOf is a configuration of one server that reads three Secrets.
func specOf(namespace string) *v1alpha1.ProviderConfigSpec {
	login, client := secretRef(namespace, "login"), secretRef(namespace, "client")
	return &v1alpha1.ProviderConfigSpec{
		Servers:          []v1alpha1.Server{{Name: "kea1", URL: "https://kea1.example:8000"}},
		Hosts:            v1alpha1.Hosts{Storage: v1alpha1.HostStorageMemory, Persist: v1alpha1.HostPersistenceConfigWrite},
		Credentials:      v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &login},
		Timeout:          metav1.Duration{Duration: time.Second},
		SnapshotInterval: metav1.Duration{Duration: time.Minute},
		TLS: &v1alpha1.TLS{
			CASecretRef:                &v1alpha1.SecretKeyReference{SecretReference: secretRef(namespace, "ca"), Key: "bundle"},
			ClientCertificateSecretRef: &client, ServerName: "kea.example",
		},
	}
}

func secretsIn(t *testing.T, namespace string) Secrets {
	t.Helper()
	cert, key := pair(t)
	out := Secrets{}
	for name, data := range map[string]map[string][]byte{
		"login":  {"username": []byte("provider"), "password": []byte("s3cret")},
		"ca":     {"bundle": cert},
		"client": {"tls.crt": cert, "tls.key": key},
	} {
		out[types.NamespacedName{Namespace: namespace, Name: name}] = Secret{Data: data}
	}
	return out
}

func pair(t *testing.T) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	raw, err := x509.CreateCertificate(rand.Reader, c, c, k.Public(), k)
	if err != nil {
		t.Fatal(err)
	}
	rawKey, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})
}

func TestSecretNames(t *testing.T) {
	t.Parallel()
	with := func(servers ...v1alpha1.Server) *v1alpha1.ProviderConfigSpec {
		spec := specOf("a")
		spec.Servers = servers
		return spec
	}
	own := v1alpha1.Server{Name: "kea2", Credentials: basic("a", "login2"), TLS: &v1alpha1.TLS{}}
	cases := map[string]struct {
		reason    string
		spec      *v1alpha1.ProviderConfigSpec
		namespace string
		want      []string
	}{
		"None":     {reason: "Nothing is read.", spec: &v1alpha1.ProviderConfigSpec{Servers: []v1alpha1.Server{{Name: "kea1"}}}},
		"Cluster":  {reason: "A ClusterProviderConfig reads any namespace.", spec: specOf("a"), want: []string{"a/login", "a/ca", "a/client"}},
		"Own":      {reason: "A ProviderConfig reads its own namespace, named or not.", spec: specOf(""), namespace: "b", want: []string{"b/login", "b/ca", "b/client"}},
		"OwnNamed": {reason: "Its own may be named.", spec: specOf("b"), namespace: "b", want: []string{"b/login", "b/ca", "b/client"}},
		"Foreign":  {reason: "A ProviderConfig reads no other namespace.", spec: specOf("a"), namespace: "b"},
		"Common":   {reason: "What several servers use is read once.", spec: with(v1alpha1.Server{Name: "kea1"}, v1alpha1.Server{Name: "kea3"}), want: []string{"a/login", "a/ca", "a/client"}},
		"Both":     {reason: "Each server's own are read, too.", spec: with(v1alpha1.Server{Name: "kea1"}, own), want: []string{"a/login", "a/ca", "a/client", "a/login2"}},
		"Override": {reason: "What no server uses is not read.", spec: with(own), want: []string{"a/login2"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, n := range SecretNames(tc.spec, tc.namespace) {
				got = append(got, n.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// basic are credentials from a Secret.
func basic(namespace, name string) *v1alpha1.Credentials {
	ref := secretRef(namespace, name)
	return &v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &ref}
}

// hasText reports whether an error has a text; "" stands for no error.
func hasText(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

func TestResolve(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		change func(spec *v1alpha1.ProviderConfigSpec, data func(name string) map[string][]byte, s Secrets)
		err    string
	}{
		"All": {reason: "Everything is there."},
		"SecretMissing": {
			reason: "The Secret is named with its namespace.",
			change: func(_ *v1alpha1.ProviderConfigSpec, _ func(string) map[string][]byte, s Secrets) {
				delete(s, types.NamespacedName{Namespace: "ns", Name: "login"})
			},
			err: "cannot get Secret ns/login: create it, or correct the reference to it",
		},
		"BothKeysMissing": {
			reason: "Of two keys the same is named each time.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				clear(data("login"))
			},
			err: "cannot find a value of key username in Secret ns/login: add it",
		},
		"PasswordMissing": {
			reason: "A key that is not there is a mistake.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				delete(data("login"), "password")
			},
			err: "cannot find key password in Secret ns/login: add it, with an empty value for an empty password",
		},
		"UsernameEmpty": {
			reason: "Kea has no user without a name.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("login")["username"] = nil
			},
			err: "cannot find a value of key username in Secret ns/login: add it",
		},
		"UsernameNewline": {
			reason: "Nor is an end of line a name.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("login")["username"] = []byte("\r\n")
			},
			err: "cannot use key username in Secret ns/login: it has an end of line and nothing else: set it to the user's name",
		},
		"CAEmpty": {
			reason: "An empty CA would trust no server.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("ca")["bundle"] = []byte{}
			},
			err: "cannot find a value of key bundle in Secret ns/ca: add it",
		},
		"ClientKeyEmpty": {
			reason: "So would an empty key.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("client")["tls.key"] = nil
			},
			err: "cannot find a value of key tls.key in Secret ns/client: add it",
		},
		"NoPEM": {
			reason: "A CA must be PEM.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("ca")["bundle"] = []byte("s3cret")
			},
			err: "cannot read a certificate in key bundle of Secret ns/ca: it must hold CA certificates in PEM",
		},
		"KeyNoPEM": {
			reason: "So must a client's key.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				data("client")["tls.key"] = []byte("s3cret")
			},
			err: "cannot use the client certificate in Secret ns/client: tls.crt and tls.key must be",
		},
		"Forbidden": {
			reason: "The API server says why.",
			change: func(_ *v1alpha1.ProviderConfigSpec, _ func(string) map[string][]byte, s Secrets) {
				s[types.NamespacedName{Namespace: "ns", Name: "login"}] = Secret{Err: errors.New("no permission")}
			},
			err: "cannot get Secret ns/login: no permission",
		},
		"CommonForOne": {
			reason: "Common credentials that a server needs are common, whatever others have.",
			change: func(spec *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ Secrets) {
				spec.Servers = append(spec.Servers, v1alpha1.Server{Name: "kea2", Credentials: &v1alpha1.Credentials{}, TLS: &v1alpha1.TLS{}})
				clear(data("login"))
			},
			err: "cannot find a value of key username in Secret ns/login: add it",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for range 20 { // Go's maps come in any order: the message must not.
				spec, s := specOf("ns"), secretsIn(t, "ns")
				if tc.change != nil {
					tc.change(spec, func(n string) map[string][]byte { return s[types.NamespacedName{Namespace: "ns", Name: n}].Data }, s)
				}
				cfg, fp, err := Resolve(spec, "", s)
				if !hasText(err, tc.err) {
					t.Fatalf("%s\nerror %v, want %q", tc.reason, err, tc.err)
				}
				if err != nil {
					if secret := (*SecretError)(nil); !errors.As(err, &secret) {
						t.Fatalf("%s\nit is not an error of a Secret: %v", tc.reason, err)
					}
					if fp != "" || strings.Contains(err.Error(), "s3cret") {
						t.Fatalf("%s\nfingerprint %q, error %v", tc.reason, fp, err)
					}
					continue
				}
				got := cfg.Servers[0]
				tlsOK := got.Kea.TLS.ServerName == "kea.example" && got.Kea.TLS.RootCAs != nil && len(got.Kea.TLS.Certificates) == 1 && !got.Kea.TLS.InsecureSkipVerify
				got.Kea.TLS = nil
				if got.Name != "kea1" || got.Kea.URL != "https://kea1.example:8000" || got.Kea.Username != "provider" || got.Kea.Password != "s3cret" ||
					got.Kea.Timeout != time.Second || !tlsOK || cfg.Storage != group.StorageMemory || !cfg.Persist || cfg.Interval != time.Minute {
					t.Fatalf("%s\n%+v", tc.reason, cfg)
				}
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	login := types.NamespacedName{Namespace: "ns", Name: "login"}
	of := func(change func(*v1alpha1.ProviderConfigSpec, Secrets)) string {
		spec, s := specOf("ns"), secretsIn(t, "ns")
		for name := range s {
			if name != login { // Their keys are others each time.
				s[name] = Secret{Data: map[string][]byte{"bundle": nil}}
			}
		}
		change(spec, s)
		fp, err := fingerprint(spec, s)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fp, "s3cret") {
			t.Errorf("the fingerprint %s has a password in it", fp)
		}
		return fp
	}
	base := of(func(*v1alpha1.ProviderConfigSpec, Secrets) {})
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.ProviderConfigSpec, Secrets)
		same   bool
	}{
		"Nothing":   {reason: "The same is the same.", change: func(*v1alpha1.ProviderConfigSpec, Secrets) {}, same: true},
		"Password":  {reason: "A password is rotated.", change: func(_ *v1alpha1.ProviderConfigSpec, s Secrets) { s[login].Data["password"] = []byte("new") }},
		"Missing":   {reason: "A Secret of a server is deleted.", change: func(_ *v1alpha1.ProviderConfigSpec, s Secrets) { delete(s, login) }},
		"Forbidden": {reason: "A Secret of a server may not be read any more.", change: func(_ *v1alpha1.ProviderConfigSpec, s Secrets) { s[login] = Secret{Err: errors.New("no")} }},
		"URL":       {reason: "A server moves.", change: func(p *v1alpha1.ProviderConfigSpec, _ Secrets) { p.Servers[0].URL = "http://kea" }},
		"Timeout":   {reason: "Anything in the spec counts.", change: func(p *v1alpha1.ProviderConfigSpec, _ Secrets) { p.Timeout.Duration++ }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := of(tc.change); (got == base) != tc.same {
				t.Errorf("%s\n%s, without it %s", tc.reason, got, base)
			}
		})
	}
	if of(cases["Missing"].change) == of(cases["Forbidden"].change) {
		t.Error("what is reported differs, and the fingerprint does not")
	}
}
