// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// pki is a CA with a certificate of a server at 127.0.0.1 and one of a client.
type pki struct {
	ca             *x509.Certificate
	key            *ecdsa.PrivateKey
	server, client tls.Certificate
}

func newPKI(t *testing.T) *pki {
	t.Helper()
	key := newKey(t)
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"}, NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	raw, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	if ca, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	p := &pki{ca: ca, key: key}
	p.server = p.issue(t, x509.ExtKeyUsageServerAuth, time.Now().Add(time.Hour))
	p.client = p.issue(t, x509.ExtKeyUsageClientAuth, time.Now().Add(time.Hour))
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

func (p *pki) issue(t *testing.T, usage x509.ExtKeyUsage, until time.Time) tls.Certificate {
	t.Helper()
	key := newKey(t)
	raw, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, NotAfter: until,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, DNSNames: []string{"kea.example"},
	}, p.ca, key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

func (p *pki) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(p.ca)
	return pool
}

func (p *pki) clientConfig(withCertificate bool) *tls.Config {
	c := &tls.Config{RootCAs: p.pool(), MinVersion: tls.VersionTLS12}
	if withCertificate {
		c.Certificates = []tls.Certificate{p.client}
	}
	return c
}

func (p *pki) serverConfig(wantsClients bool) *tls.Config {
	c := &tls.Config{Certificates: []tls.Certificate{p.server}, MinVersion: tls.VersionTLS12}
	if wantsClients {
		c.ClientAuth, c.ClientCAs = tls.RequireAndVerifyClientCert, p.pool()
	}
	return c
}

// files writes what a real Kea reads.
func (p *pki) files(t *testing.T, wantsClients bool) *testenv.KeaTLS {
	t.Helper()
	dir := t.TempDir()
	key, err := x509.MarshalPKCS8PrivateKey(p.server.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, raw []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return &testenv.KeaTLS{
		CA:                       write("ca.crt", "CERTIFICATE", p.ca.Raw),
		Cert:                     write("tls.crt", "CERTIFICATE", p.server.Certificate[0]),
		Key:                      write("tls.key", "PRIVATE KEY", key),
		RequireClientCertificate: wantsClients,
	}
}
