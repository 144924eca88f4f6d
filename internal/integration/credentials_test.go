// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestCredentials: a Secret that was made from files has a newline at the end of each value, which
// is not part of it; a second one is. A Kea user may have an empty password.
func TestCredentials(t *testing.T) {
	t.Parallel()
	const username, password = "provider", "s3cret-Ohng7eiv"
	for name, tc := range map[string]struct {
		reason   string
		password string // that Kea takes
		secret   map[string]string
		refused  bool
	}{
		"from files":    {"The newline is stripped.", password, map[string]string{"username": username + "\n", "password": password + "\n"}, false},
		"from Windows":  {"So is one of two bytes.", password, map[string]string{"username": username + "\r\n", "password": password + "\r\n"}, false},
		"empty":         {"There is a value, and it is empty.", "", map[string]string{"username": username, "password": ""}, false},
		"an empty line": {"Stripped, it is empty.", "", map[string]string{"username": username, "password": "\n"}, false},
		"blanks belong": {"A blank is a character of a password.", password + " ", map[string]string{"username": username, "password": password + " "}, false},
		"two newlines":  {"One is stripped, the other is not Kea's password.", password, map[string]string{"username": username, "password": password + "\n\n"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := testenv.StartKea(t, testenv.KeaOptions{Username: username, Password: tc.password})
			s := bareSite(t, k.URL)
			s.kea = k
			s.look(k, username, tc.password)
			s.secret("login", tc.secret)
			pc := s.config()
			s.credentials(pc)
			s.create(pc)
			t.Log(tc.reason)
			if tc.refused {
				s.await(pc, is{Type: "Ready", Status: "False", Reason: v1alpha1.ReasonUnauthorized})
				return
			}
			s.await(pc, isReady)
			r := s.created(s.numbered(11))
			s.awaitHeld(macOf(11), "10.123.0.11")
			s.delete(r)
			s.awaitGone(r)
		})
	}
}

// TestCertificateAndCredentials: an HTTPS control socket may ask for a client certificate and for
// basic authentication (Kea ARM, "TLS/HTTPS Support"): both are sent where both are configured.
func TestCertificateAndCredentials(t *testing.T) {
	t.Parallel()
	login := map[string]string{"username": "provider", "password": "s3cret-Ieph2oow"}
	ca := newPKI(t)
	k := testenv.StartKea(t, testenv.KeaOptions{
		Username: login["username"], Password: login["password"], TLS: ca.kea(t, ca.issue("server", serverName), true),
	})
	s := bareSite(t, k.URL)
	s.secret("login", login)
	s.secret("ca", map[string]string{"ca.crt": string(ca.certificate)})
	s.secret("client", ca.issue("client"))
	pc := s.config()
	s.credentials(pc)
	pc.Spec.TLS = &v1alpha1.TLS{
		CASecretRef:                &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Namespace: s.namespace, Name: "ca"}, Key: "ca.crt"},
		ClientCertificateSecretRef: &v1alpha1.SecretReference{Namespace: s.namespace, Name: "client"},
		ServerName:                 serverName,
	}
	s.create(pc)
	s.await(pc, isReady)
	r := s.created(s.numbered(11))
	s.delete(r)
	s.awaitGone(r)
	// Without the credentials Kea refuses the certificate alone.
	s.patch(pc, `{"spec":{"credentials":{"source":"None","secretRef":null}}}`)
	s.await(pc, is{Type: "Ready", Status: "False", Reason: v1alpha1.ReasonUnauthorized})
}
