// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

type pair struct{ cert, key string }

type ca struct {
	file           string
	pool           *x509.CertPool
	server, client pair
}

// newCA makes a CA, and a certificate each for a server on 127.0.0.1 and for a
// client.
func newCA(t *testing.T) ca {
	t.Helper()
	dir := t.TempDir()
	root := template("ca")
	root.IsCA, root.BasicConstraintsValid, root.KeyUsage = true, true, x509.KeyUsageCertSign
	rootKey := newKey(t)
	files := sign(t, dir, root, root, rootKey, rootKey)

	out := ca{file: files.cert, pool: x509.NewCertPool()}
	b, err := os.ReadFile(files.cert)
	if err != nil || !out.pool.AppendCertsFromPEM(b) {
		t.Fatal("cannot read back the CA's certificate:", err)
	}
	server := template("server")
	server.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)}
	out.server = sign(t, dir, server, root, newKey(t), rootKey)
	out.client = sign(t, dir, template("client"), root, newKey(t), rootKey)
	return out
}

func template(name string) *x509.Certificate {
	return &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()),
		Subject:      pkix.Name{CommonName: name},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
	}
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func sign(t *testing.T, dir string, cert, by *x509.Certificate, key, byKey *ecdsa.PrivateKey) pair {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, cert, by, key.Public(), byKey)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	out := pair{cert: filepath.Join(dir, cert.Subject.CommonName+".crt"), key: filepath.Join(dir, cert.Subject.CommonName+".key")}
	writePEM(t, out.cert, "CERTIFICATE", der)
	writePEM(t, out.key, "PRIVATE KEY", keyDER)
	return out
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
