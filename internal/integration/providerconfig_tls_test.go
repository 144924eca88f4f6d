// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigTLS: each way to get TLS wrong is told apart, and mended without a
// restart, by editing the configuration or the Secret.
func TestConfigTLS(t *testing.T) {
	t.Parallel()
	ours, theirs := newPKI(t), newPKI(t)
	// The certificate is made out to a name, not to the address of the URL.
	server, client := ours.issue("server", serverName), ours.issue("client")
	foreigner := theirs.issue("client")
	plain := testenv.StartKea(t, testenv.KeaOptions{})
	encrypted := testenv.StartKea(t, testenv.KeaOptions{TLS: ours.kea(t, server, false)})
	mutual := testenv.StartKea(t, testenv.KeaOptions{TLS: ours.kea(t, server, true)})

	type edits func(s *site, spec *v1alpha1.ProviderConfigSpec)
	ca := func(s *site) *v1alpha1.SecretKeyReference {
		return &v1alpha1.SecretKeyReference{SecretReference: v1alpha1.SecretReference{Namespace: s.namespace, Name: "ca"}, Key: "ca.crt"}
	}
	trusted := func(s *site, spec *v1alpha1.ProviderConfigSpec) {
		spec.TLS = &v1alpha1.TLS{CASecretRef: ca(s), ServerName: serverName}
	}
	shown := func(s *site, spec *v1alpha1.ProviderConfigSpec) {
		trusted(s, spec)
		spec.TLS.ClientCertificateSecretRef = &v1alpha1.SecretReference{Namespace: s.namespace, Name: "client"}
	}
	url := func(of func(k *testenv.Kea) string, k *testenv.Kea) edits {
		return func(_ *site, spec *v1alpha1.ProviderConfigSpec) { spec.Servers[0].URL = of(k) }
	}
	unreachable := func(message string) *trouble {
		return &trouble{reason: v1alpha1.ReasonUnreachable, message: message}
	}
	cases := map[string]struct {
		reason string
		kea    *testenv.Kea
		ca     []byte
		client map[string]string
		spec   edits
		// want is nil where all is well at once.
		want *trouble
		// mend edits the configuration, secret the named Secret.
		mend   edits
		secret string
	}{
		"RightCAAndName": {
			reason: "The CA and the name are right.", kea: encrypted, ca: ours.certificate, spec: trusted,
		},
		"InsecureSkipVerify": {
			reason: "No certificate is looked at.", kea: encrypted,
			spec: func(_ *site, spec *v1alpha1.ProviderConfigSpec) { spec.TLS = &v1alpha1.TLS{InsecureSkipVerify: true} },
		},
		"WrongCA": {
			reason: "Another CA signed the server's certificate.", kea: encrypted, ca: theirs.certificate, spec: trusted,
			want: unreachable("signed by an unknown CA"), secret: "ca",
		},
		"NoCA": {
			reason: "The system's CAs did not sign it.", kea: encrypted, ca: ours.certificate,
			spec: func(_ *site, spec *v1alpha1.ProviderConfigSpec) { spec.TLS = &v1alpha1.TLS{ServerName: serverName} },
			want: unreachable("signed by an unknown CA"), mend: trusted,
		},
		"WrongName": {
			reason: "The certificate is made out to another name than the URL has.", kea: encrypted, ca: ours.certificate,
			spec: func(s *site, spec *v1alpha1.ProviderConfigSpec) { spec.TLS = &v1alpha1.TLS{CASecretRef: ca(s)} },
			want: unreachable("certificate is for another name"), mend: trusted,
		},
		"NotACA": {
			reason: "The key holds something else.", kea: encrypted, ca: []byte("ca"), spec: trusted, secret: "ca",
			want: &trouble{reason: v1alpha1.ReasonSecretUnusable, message: "/ca: it must hold CA certificates in PEM"},
		},
		"CAKeyMissing": {
			reason: "The Secret has no such key.", kea: encrypted, spec: trusted, secret: "ca",
			want: &trouble{reason: v1alpha1.ReasonSecretUnusable, message: "cannot find a value of key ca.crt in Secret "},
		},
		"ClientCertificate": {
			reason: "Kea wants a certificate and gets it.", kea: mutual, ca: ours.certificate, client: client, spec: shown,
		},
		"ClientCertificateMissing": {
			reason: "Kea wants a certificate and gets none.", kea: mutual, ca: ours.certificate, client: client, spec: trusted,
			want: unreachable("client certificate"), mend: shown,
		},
		"ClientCertificateUnknown": {
			reason: "Kea does not know the CA of our certificate.", kea: mutual, ca: ours.certificate, client: foreigner, spec: shown,
			want: unreachable("client certificate"), secret: "client",
		},
		"ClientKeyOfAnother": {
			reason: "Certificate and key do not belong together.", kea: mutual, ca: ours.certificate, spec: shown, secret: "client",
			client: map[string]string{"tls.crt": client["tls.crt"], "tls.key": foreigner["tls.key"]},
			want:   &trouble{reason: v1alpha1.ReasonSecretUnusable, message: "tls.crt and tls.key must be a certificate and its key in PEM"},
		},
		"HTTPToHTTPS": {
			reason: "The URL has http, the port wants https.", kea: encrypted, ca: ours.certificate,
			spec: url(httpURL, encrypted), want: unreachable("its port wants https"),
			mend: func(s *site, spec *v1alpha1.ProviderConfigSpec) {
				url(httpsURL, encrypted)(s, spec)
				trusted(s, spec)
			},
		},
		"HTTPSToHTTP": {
			reason: "The URL has https, the port wants http.", kea: plain,
			spec: url(httpsURL, plain), want: unreachable("start the URL with http://"), mend: url(httpURL, plain),
		},
	}
	n := 20
	for name, tc := range cases {
		n++
		host := n
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, tc.kea.URL)
			secrets := map[string]*corev1.Secret{
				"ca":     s.secret("ca", map[string]string{"ca.crt": string(tc.ca)}),
				"client": s.secret("client", tc.client),
			}
			pc, r := s.config(), s.numbered(host)
			if tc.spec != nil {
				tc.spec(s, &pc.Spec.ProviderConfigSpec)
			}
			s.create(pc)
			s.create(r)
			if tc.want != nil {
				s.troubled(pc, r, *tc.want)
			}
			if tc.mend != nil {
				edit(s, pc, func(pc *v1alpha1.ClusterProviderConfig) { tc.mend(s, &pc.Spec.ProviderConfigSpec) })
			}
			switch tc.secret {
			case "ca":
				s.rotate(secrets["ca"], map[string]string{"ca.crt": string(ours.certificate)})
			case "client":
				s.rotate(secrets["client"], client)
			}
			s.await(pc, isReady)
			s.await(r, isReady, isSynced)
			if tc.want == nil {
				s.steady(pc, r)
			}
			s.delete(r)
			s.awaitGone(r)
		})
	}
}
