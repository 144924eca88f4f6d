// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// FuzzParseRef: a reference that is read names what it says, and writing it gives the same.
func FuzzParseRef(f *testing.F) {
	for _, seed := range []string{"ClusterProviderConfig/default", " ProviderConfig/a.b ", "ProviderConfig/a/b", "Secret/x", "/", "", "ProviderConfig/A"} {
		f.Add(seed, "ns")
	}
	f.Fuzz(func(t *testing.T, s, namespace string) {
		r, err := ParseRef(s)
		if err != nil {
			if r != (Ref{}) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %+v, %v", r, err)
			}
			return
		}
		if r.Namespace != "" || r.Kind+"/"+r.Name != strings.TrimSpace(s) {
			t.Errorf("%q reads as %+v", s, r)
		}
		if again, err := ParseRef(r.Kind + "/" + r.Name); again != r || err != nil {
			t.Errorf("%+v reads as %+v, %v", r, again, err)
		}
		in := r.In(namespace)
		if in.In(namespace) != in || (in.Kind == v1alpha1.ClusterProviderConfigKind) != (in.Namespace == "") && namespace != "" {
			t.Errorf("in %q it is %+v", namespace, in)
		}
	})
}

// FuzzSecrets: a ProviderConfig reads Secrets of its own namespace only, whatever it names; each is
// named once; and no error has the content of one in it.
func FuzzSecrets(f *testing.F) {
	f.Add("ns", "ns", "login", "ca.crt", []byte("s3cret-value\n"))
	f.Add("ns", "other", "login", "", []byte("-----BEGIN CERTIFICATE-----\ns3cret-value\n-----END CERTIFICATE-----"))
	f.Add("", "kube-system", "a", "b", []byte{})
	f.Fuzz(func(t *testing.T, namespace, of, name, key string, content []byte) {
		secret := v1alpha1.SecretReference{Namespace: of, Name: name}
		spec := &v1alpha1.ProviderConfigSpec{
			Servers:     []v1alpha1.Server{{Name: "kea1", URL: "https://kea1.example.com"}, {Name: "kea2", URL: "https://kea2.example.com"}},
			Credentials: v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &secret},
			TLS:         &v1alpha1.TLS{CASecretRef: &v1alpha1.SecretKeyReference{SecretReference: secret, Key: key}, ClientCertificateSecretRef: &secret},
		}
		names := SecretNames(spec, namespace)
		const planted = "planted-secret"
		content = append([]byte(planted+"\n"), content...)
		found := Secrets{}
		for _, n := range names {
			if namespace != "" && n.Namespace != namespace {
				t.Errorf("a ProviderConfig in %q reads %s", namespace, n)
			}
			found[n] = Secret{Data: map[string][]byte{keyUsername: content, keyPassword: content, key: content, "tls.crt": content, "tls.key": content}}
		}
		if len(names) > 1 {
			t.Errorf("one Secret has the names %v", names)
		}
		_, fp1, err := Resolve(spec, namespace, found)
		_, fp2, _ := Resolve(spec, namespace, found)
		if fp1 != fp2 {
			t.Error("the fingerprint is another one each time")
		}
		if err != nil && strings.Contains(err.Error(), planted) && !strings.Contains(namespace+of+name+key, planted) {
			t.Errorf("the error has the content of a Secret in it: %v", err)
		}
	})
}
