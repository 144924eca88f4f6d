// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"crypto/tls"
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
)

// wantReason checks that a server is unreachable for a reason with these words in it, and that the
// text stays the same.
func wantReason(t *testing.T, name string, cfg kea.Config, words ...string) {
	t.Helper()
	texts := map[string]bool{}
	for range 3 {
		_, err := newClient(t, cfg).Version(t.Context())
		if _, ok := errors.AsType[*kea.UnreachableError](err); !ok {
			t.Errorf("%s: got %v, want an UnreachableError", name, err)
			return
		}
		texts[err.Error()] = true
		for _, w := range words {
			if !strings.Contains(err.Error(), w) {
				t.Errorf("%s: got %q, which does not contain %q", name, err, w)
			}
		}
	}
	if len(texts) != 1 {
		t.Errorf("%s: the text changes from try to try: %v", name, texts)
	}
}

// What a client sees of TLS that does not fit.
func contractTLS(t *testing.T, st stand) {
	known, other := newPKI(t), newPKI(t)
	s := st.start(t, setup{tls: known, username: "admin", password: "s3cret"})
	_, err := s.Version(t.Context())
	wantClass(t, "the CA that signed it", err, "ok")
	wantReason(t, "another CA", kea.Config{URL: s.url, TLS: other.clientConfig(false)}, "signed by an unknown CA")
	wantReason(t, "the CAs of the system", kea.Config{URL: s.url}, "signed by an unknown CA")
	wrong := known.clientConfig(false)
	wrong.ServerName = "other.example"
	wantReason(t, "another name", kea.Config{URL: s.url, TLS: wrong}, "another name")
	named := known.clientConfig(false)
	named.ServerName = "kea.example"
	_, err = newClient(t, kea.Config{URL: s.url, TLS: named, Username: "admin", Password: "s3cret"}).Version(t.Context())
	wantClass(t, "a name in the certificate", err, "ok")
	wantReason(t, "http to a port with https", kea.Config{URL: strings.Replace(s.url, "https:", "http:", 1)}, "https")

	plain := st.start(t, setup{})
	wantReason(t, "https to a port with http", kea.Config{URL: strings.Replace(plain.url, "http:", "https:", 1)}, "start the URL with http://")
}

func contractClientCertificate(t *testing.T, st stand) {
	known, other := newPKI(t), newPKI(t)
	s := st.start(t, setup{tls: known, wantsClients: true})
	_, err := s.Version(t.Context())
	wantClass(t, "with a client certificate", err, "ok")

	// The ARM's example of an HTTPS socket asks for both. A user may have an empty password.
	for _, password := range []string{"s3cret", ""} {
		both := st.start(t, setup{tls: known, wantsClients: true, username: "admin", password: password})
		_, err = both.Version(t.Context())
		wantClass(t, "with a client certificate and basic authentication", err, "ok")
		_, err = newClient(t, kea.Config{URL: both.url, TLS: known.clientConfig(true)}).Version(t.Context())
		wantClass(t, "with a client certificate alone", err, "unauthorized")
		_, err = newClient(t, kea.Config{URL: both.url, TLS: known.clientConfig(false), Username: "admin", Password: password}).Version(t.Context())
		wantClass(t, "with basic authentication alone", err, "unreachable")
	}
	_, err = newClient(t, kea.Config{URL: s.url, TLS: known.clientConfig(false)}).Version(t.Context())
	wantClass(t, "without", err, "unreachable")
	if err != nil && !strings.Contains(err.Error(), "client certificate") {
		t.Errorf("without: %q does not name what is missing", err)
	}
	foreign := known.clientConfig(false)
	foreign.Certificates = []tls.Certificate{other.client}
	_, err = newClient(t, kea.Config{URL: s.url, TLS: foreign}).Version(t.Context())
	wantClass(t, "with one of another CA", err, "unreachable")
	if err != nil && !strings.Contains(err.Error(), "client certificate") {
		t.Errorf("with one of another CA: %q does not name what is wrong", err)
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}
