// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
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

func secretsIn(t *testing.T, namespace string) secrets {
	t.Helper()
	cert, key := pair(t)
	out := secrets{}
	for name, data := range map[string]map[string][]byte{
		"login":  {"username": []byte("provider"), "password": []byte("s3cret")},
		"ca":     {"bundle": cert},
		"client": {"tls.crt": cert, "tls.key": key},
	} {
		out[types.NamespacedName{Namespace: namespace, Name: name}] = &corev1.Secret{Data: data}
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

func TestSecretRefs(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason    string
		spec      *v1alpha1.ProviderConfigSpec
		namespace string
		want      []string
		err       string
	}{
		"None":    {reason: "Nothing is read.", spec: &v1alpha1.ProviderConfigSpec{}, want: []string{}},
		"Cluster": {reason: "A ClusterProviderConfig reads any namespace.", spec: specOf("a"), want: []string{"a/login", "a/ca", "a/client"}},
		"Own": {
			reason: "A ProviderConfig reads its own namespace, named or not.", spec: specOf(""), namespace: "b",
			want: []string{"b/login", "b/ca", "b/client"},
		},
		"OwnNamed": {reason: "Its own may be named.", spec: specOf("b"), namespace: "b", want: []string{"b/login", "b/ca", "b/client"}},
		"Foreign": {
			reason: "A ProviderConfig reads no other namespace.", spec: specOf("a"), namespace: "b",
			err: "cannot read Secret a/login: a ProviderConfig reads Secrets of its own namespace only",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			refs, err := secretRefs(tc.spec, tc.namespace)
			if !hasText(err, tc.err) {
				t.Fatalf("%s\nerror %v, want %q", tc.reason, err, tc.err)
			}
			if err != nil {
				return
			}
			got := make([]string, 0, len(refs))
			for _, r := range refs {
				got = append(got, r.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// hasText reports whether an error has a text; "" stands for no error.
func hasText(err error, text string) bool {
	if err == nil || text == "" {
		return err == nil && text == ""
	}
	return strings.Contains(err.Error(), text)
}

func TestGroupConfig(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		change func(spec *v1alpha1.ProviderConfigSpec, data func(name string) map[string][]byte, s secrets)
		err    string
	}{
		"All": {reason: "Everything is there."},
		"SecretMissing": {
			reason: "The Secret is named with its namespace.",
			change: func(_ *v1alpha1.ProviderConfigSpec, _ func(string) map[string][]byte, s secrets) {
				delete(s, types.NamespacedName{Namespace: "ns", Name: "login"})
			},
			err: "cannot get Secret ns/login: create it, or correct the reference to it",
		},
		"BothKeysMissing": {
			reason: "Of two keys the same is named each time.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				clear(data("login"))
			},
			err: "cannot find a value of key username in Secret ns/login: add it",
		},
		"PasswordMissing": {
			reason: "A key that is not there is a mistake.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				delete(data("login"), "password")
			},
			err: "cannot find key password in Secret ns/login: add it, with an empty value for an empty password",
		},
		"UsernameEmpty": {
			reason: "Kea has no user without a name.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("login")["username"] = nil
			},
			err: "cannot find a value of key username in Secret ns/login: add it",
		},
		"UsernameNewline": {
			reason: "Nor is an end of line a name.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("login")["username"] = []byte("\r\n")
			},
			err: "cannot use key username in Secret ns/login: it has an end of line and nothing else: set it to the user's name",
		},
		"CAEmpty": {
			reason: "An empty CA would trust no server.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("ca")["bundle"] = []byte{}
			},
			err: "cannot find a value of key bundle in Secret ns/ca: add it",
		},
		"ClientKeyEmpty": {
			reason: "So would an empty key.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("client")["tls.key"] = nil
			},
			err: "cannot find a value of key tls.key in Secret ns/client: add it",
		},
		"NoPEM": {
			reason: "A CA must be PEM.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("ca")["bundle"] = []byte("s3cret")
			},
			err: "cannot read a certificate in key bundle of Secret ns/ca: it must hold CA certificates in PEM",
		},
		"KeyNoPEM": {
			reason: "So must a client's key.",
			change: func(_ *v1alpha1.ProviderConfigSpec, data func(string) map[string][]byte, _ secrets) {
				data("client")["tls.key"] = []byte("s3cret")
			},
			err: "cannot use the client certificate in Secret ns/client: tls.crt and tls.key must be",
		},
		"SeveralServers": {
			reason: "They are not kept in step yet.",
			change: func(spec *v1alpha1.ProviderConfigSpec, _ func(string) map[string][]byte, _ secrets) {
				spec.Servers = append(spec.Servers, v1alpha1.Server{Name: "kea2"})
			},
			err: "leave one in spec.servers",
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
				cfg, fp, err := groupConfig(spec, "", s)
				if !hasText(err, tc.err) {
					t.Fatalf("%s\nerror %v, want %q", tc.reason, err, tc.err)
				}
				if err != nil {
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

// TestCredentials: what is read of a Secret's user name and password. Kea's own
// files of them have no end of line either.
func TestCredentials(t *testing.T) {
	t.Parallel()
	type login struct{ username, password string }
	cases := map[string]struct {
		reason string
		data   login
		want   login
	}{
		"Usual":           {reason: "As it is.", data: login{"kea", "s3cret"}, want: login{"kea", "s3cret"}},
		"Newline":         {reason: "Made of files that end in a newline.", data: login{"kea\n", "s3cret\n"}, want: login{"kea", "s3cret"}},
		"CRLF":            {reason: "Made of files from Windows.", data: login{"kea\r\n", "s3cret\r\n"}, want: login{"kea", "s3cret"}},
		"TwoNewlines":     {reason: "One is a file's; the other may be the password's.", data: login{"kea", "s3cret\n\n"}, want: login{"kea", "s3cret\n"}},
		"CarriageReturn":  {reason: "Alone it is no end of line.", data: login{"kea", "s3cret\r"}, want: login{"kea", "s3cret\r"}},
		"InnerNewline":    {reason: "It does not end there.", data: login{"kea", "s3\ncret"}, want: login{"kea", "s3\ncret"}},
		"Blanks":          {reason: "A password may begin and end with one.", data: login{"kea", " s3cret "}, want: login{"kea", " s3cret "}},
		"EmptyPassword":   {reason: "Kea accepts it.", data: login{"kea", ""}, want: login{"kea", ""}},
		"NewlinePassword": {reason: "An empty file with an end of line.", data: login{"kea", "\n"}, want: login{"kea", ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := secretsIn(t, "ns")
			s[types.NamespacedName{Namespace: "ns", Name: "login"}].Data = map[string][]byte{"username": []byte(tc.data.username), "password": []byte(tc.data.password)}
			cfg, _, err := groupConfig(specOf("ns"), "", s)
			if err != nil {
				t.Fatalf("%s\n%v", tc.reason, err)
			}
			k := cfg.Servers[0].Kea
			if diff := cmp.Diff(tc.want, login{k.Username, k.Password}, cmp.AllowUnexported(login{})); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	t.Parallel()
	of := func(change func(*v1alpha1.ProviderConfigSpec, secrets)) string {
		spec := specOf("ns")
		s := secrets{{Namespace: "ns", Name: "login"}: {Data: map[string][]byte{"password": []byte("s3cret")}}}
		change(spec, s)
		fp, err := fingerprint(spec, s)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(fp, "s3cret") {
			t.Errorf("the fingerprint %s tells a password", fp)
		}
		return fp
	}
	base := of(func(*v1alpha1.ProviderConfigSpec, secrets) {})
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.ProviderConfigSpec, secrets)
		same   bool
	}{
		"Nothing":  {reason: "The same is the same.", change: func(*v1alpha1.ProviderConfigSpec, secrets) {}, same: true},
		"Metadata": {reason: "A label is nothing to Kea.", same: true, change: func(_ *v1alpha1.ProviderConfigSpec, s secrets) { login(s).Labels = map[string]string{"a": "b"} }},
		"Password": {reason: "A password is rotated.", change: func(_ *v1alpha1.ProviderConfigSpec, s secrets) { login(s).Data["password"] = []byte("new") }},
		"URL":      {reason: "A server moves.", change: func(p *v1alpha1.ProviderConfigSpec, _ secrets) { p.Servers[0].URL = "http://kea" }},
		"Timeout":  {reason: "Anything in the spec counts.", change: func(p *v1alpha1.ProviderConfigSpec, _ secrets) { p.Timeout.Duration++ }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := of(tc.change); (got == base) != tc.same {
				t.Errorf("%s\n%s, without it %s", tc.reason, got, base)
			}
		})
	}
}

func login(s secrets) *corev1.Secret { return s[types.NamespacedName{Namespace: "ns", Name: "login"}] }
