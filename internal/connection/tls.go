// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// tlsConfig returns the TLS settings of a client; nil for Go's defaults.
func tlsConfig(t *v1alpha1.TLS, namespace string, s Secrets) (*tls.Config, error) {
	if t == nil {
		return nil, nil //nolint:nilnil // No settings is what Go's defaults are asked for with.
	}
	cfg := &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         t.ServerName,
		InsecureSkipVerify: t.InsecureSkipVerify, //nolint:gosec // What the user asked for; the API says what it is for.
	}
	if t.CASecretRef != nil {
		ca, err := s.value(t.CASecretRef.SecretReference, namespace, t.CASecretRef.Key)
		if err != nil {
			return nil, err
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(ca) {
			return nil, fmt.Errorf("cannot read a certificate in key %s of Secret %s: it must hold CA certificates in PEM",
				t.CASecretRef.Key, nameOf(t.CASecretRef.SecretReference, namespace))
		}
	}
	if ref := t.ClientCertificateSecretRef; ref != nil {
		cert, err := s.value(*ref, namespace, corev1.TLSCertKey)
		if err != nil {
			return nil, err
		}
		key, err := s.value(*ref, namespace, corev1.TLSPrivateKeyKey)
		if err != nil {
			return nil, err
		}
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			// Go's text may quote what it read.
			return nil, fmt.Errorf("cannot use the client certificate in Secret %s: tls.crt and tls.key must be a certificate and its key in PEM", nameOf(*ref, namespace))
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	return cfg, nil
}
