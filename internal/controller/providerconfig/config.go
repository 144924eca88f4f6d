// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// Keys of the credentials Secret.
const (
	keyUsername = "username"
	keyPassword = "password"
)

// secretRefs returns the names of the Secrets that a configuration reads. A
// ProviderConfig reads Secrets of its own namespace only: a user who may write it
// need not be allowed to read Secrets elsewhere.
func secretRefs(spec *v1alpha1.ProviderConfigSpec, namespace string) ([]types.NamespacedName, error) {
	var refs []v1alpha1.SecretReference
	if spec.Credentials.SecretRef != nil {
		refs = append(refs, *spec.Credentials.SecretRef)
	}
	if t := spec.TLS; t != nil {
		if t.CASecretRef != nil {
			refs = append(refs, t.CASecretRef.SecretReference)
		}
		if t.ClientCertificateSecretRef != nil {
			refs = append(refs, *t.ClientCertificateSecretRef)
		}
	}
	out := make([]types.NamespacedName, 0, len(refs))
	for _, r := range refs {
		n, err := secretName(r, namespace)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func secretName(r v1alpha1.SecretReference, namespace string) (types.NamespacedName, error) {
	switch {
	case namespace == "":
		return types.NamespacedName{Namespace: r.Namespace, Name: r.Name}, nil
	case r.Namespace != "" && r.Namespace != namespace:
		return types.NamespacedName{}, fmt.Errorf("cannot read Secret %s/%s: a ProviderConfig reads Secrets of its own namespace only: "+
			"leave namespace out, or use a ClusterProviderConfig", r.Namespace, r.Name)
	default:
		return types.NamespacedName{Namespace: namespace, Name: r.Name}, nil
	}
}

// nameOf returns the name of a Secret that has been read.
func nameOf(r v1alpha1.SecretReference, namespace string) types.NamespacedName {
	n, _ := secretName(r, namespace)
	return n
}

// secrets are the Secrets that a configuration reads, by name.
type secrets map[types.NamespacedName]*corev1.Secret

// value returns the data of a key of a Secret, which must not be empty. The
// message names Secret and key, never their content.
func (s secrets) value(r v1alpha1.SecretReference, namespace, key string) ([]byte, error) {
	v, found, err := s.lookup(r, namespace, key)
	if err == nil && (!found || len(v) == 0) {
		err = fmt.Errorf("cannot find a value of key %s in Secret %s: add it", key, nameOf(r, namespace))
	}
	return v, err
}

// lookup returns the data of a key of a Secret, and whether it has the key.
func (s secrets) lookup(r v1alpha1.SecretReference, namespace, key string) ([]byte, bool, error) {
	n, err := secretName(r, namespace)
	if err != nil {
		return nil, false, err
	}
	secret, ok := s[n]
	if !ok {
		return nil, false, fmt.Errorf("cannot get Secret %s: create it, or correct the reference to it", n)
	}
	v, ok := secret.Data[key]
	return v, ok, nil
}

// username returns the user name of basic authentication.
func (s secrets) username(r v1alpha1.SecretReference, namespace string) (string, error) {
	v, err := s.value(r, namespace, keyUsername)
	if err != nil {
		return "", err
	}
	name := withoutNewline(v)
	if name == "" {
		return "", fmt.Errorf("cannot use key %s in Secret %s: it has an end of line and nothing else: set it to the user's name", keyUsername, nameOf(r, namespace))
	}
	return name, nil
}

// password returns the password of basic authentication. Kea accepts an empty
// one, so only its key must be there.
func (s secrets) password(r v1alpha1.SecretReference, namespace string) (string, error) {
	v, found, err := s.lookup(r, namespace, keyPassword)
	if err == nil && !found {
		err = fmt.Errorf("cannot find key %s in Secret %s: add it, with an empty value for an empty password", keyPassword, nameOf(r, namespace))
	}
	return withoutNewline(v), err
}

// withoutNewline drops one end of line: a Secret that was made of a file has the
// one that editors and echo put there, and Kea has none.
func withoutNewline(v []byte) string {
	text, _ := strings.CutSuffix(string(v), "\n")
	if len(text) < len(v) {
		text, _ = strings.CutSuffix(text, "\r")
	}
	return text
}

// errSeveralServers refuses what the provider does not support yet.
var errSeveralServers = errors.New("cannot use several servers: this version of the provider keeps reservations on one Kea server; leave one in spec.servers")

// groupConfig returns the configuration of a group for a provider configuration and
// the Secrets it reads, and a fingerprint of both.
func groupConfig(spec *v1alpha1.ProviderConfigSpec, namespace string, s secrets) (group.Config, string, error) {
	if len(spec.Servers) > 1 {
		return group.Config{}, "", errSeveralServers
	}
	base := kea.Config{Timeout: spec.Timeout.Duration}
	var err error
	if ref := spec.Credentials.SecretRef; spec.Credentials.Source == xpv2.CredentialsSourceSecret && ref != nil {
		if base.Username, err = s.username(*ref, namespace); err != nil {
			return group.Config{}, "", err
		}
		if base.Password, err = s.password(*ref, namespace); err != nil {
			return group.Config{}, "", err
		}
	}
	if base.TLS, err = tlsConfig(spec.TLS, namespace, s); err != nil {
		return group.Config{}, "", err
	}
	cfg := group.Config{
		Storage:  group.Storage(spec.Hosts.Storage),
		Persist:  spec.Hosts.Persist == v1alpha1.HostPersistenceConfigWrite,
		Interval: spec.SnapshotInterval.Duration,
	}
	for _, srv := range spec.Servers {
		k := base
		k.URL = srv.URL
		cfg.Servers = append(cfg.Servers, group.ServerConfig{Name: srv.Name, Kea: k})
	}
	fp, err := fingerprint(spec, s)
	return cfg, fp, err
}

func tlsConfig(t *v1alpha1.TLS, namespace string, s secrets) (*tls.Config, error) {
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

// fingerprint returns a hash of a configuration and its Secrets.
func fingerprint(spec *v1alpha1.ProviderConfigSpec, s secrets) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	if err := enc.Encode(spec); err != nil {
		return "", fmt.Errorf("cannot encode the configuration: %w", err)
	}
	data := map[string]map[string][]byte{}
	for n, secret := range s {
		data[n.String()] = secret.Data
	}
	if err := enc.Encode(data); err != nil {
		return "", fmt.Errorf("cannot encode the Secrets: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
