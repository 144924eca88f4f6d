// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// serverName is what the certificates of servers are made out to.
const serverName = "kea.example"

// pki is a CA.
type pki struct {
	t           *testing.T
	ca          *x509.Certificate
	key         *ecdsa.PrivateKey
	certificate []byte // of the CA, in PEM
}

func newPKI(t *testing.T) *pki {
	t.Helper()
	p := &pki{t: t, key: newKey(t)}
	p.ca = &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: t.Name()},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw := p.sign(p.ca, p.key)
	p.certificate = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})
	var err error
	if p.ca, err = x509.ParseCertificate(raw); err != nil { // as it is signed, with its key's id
		t.Fatal(err)
	}
	return p
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (p *pki) sign(c *x509.Certificate, key *ecdsa.PrivateKey) []byte {
	p.t.Helper()
	raw, err := x509.CreateCertificate(rand.Reader, c, p.ca, key.Public(), p.key)
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// issue makes a certificate, as a Secret of type kubernetes.io/tls holds it.
func (p *pki) issue(name string, dnsNames ...string) map[string]string {
	p.t.Helper()
	key := newKey(p.t)
	raw := p.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, DNSNames: dnsNames,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, key)
	rawKey, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		p.t.Fatal(err)
	}
	return map[string]string{
		"tls.crt": string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw})),
		"tls.key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: rawKey})),
	}
}

// kea writes what a Kea with this certificate reads; it trusts the CA.
func (p *pki) kea(t *testing.T, server map[string]string, wantsClients bool) *testenv.KeaTLS {
	t.Helper()
	dir := t.TempDir()
	write := func(name, data string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return &testenv.KeaTLS{
		CA: write("ca.crt", string(p.certificate)), Cert: write("tls.crt", server["tls.crt"]), Key: write("tls.key", server["tls.key"]),
		RequireClientCertificate: wantsClients,
	}
}

func httpURL(k *testenv.Kea) string  { return strings.Replace(k.URL, "https://", "http://", 1) }
func httpsURL(k *testenv.Kea) string { return strings.Replace(httpURL(k), "http://", "https://", 1) }
