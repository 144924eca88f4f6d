// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// credentialsOf returns the credentials of a server: its own, or the common ones.
func credentialsOf(spec *v1alpha1.ProviderConfigSpec, server *v1alpha1.Server) *v1alpha1.Credentials {
	if server.Credentials != nil {
		return server.Credentials
	}
	return &spec.Credentials
}

// tlsOf returns the TLS settings of a server: its own, or the common ones; nil for Go's defaults.
func tlsOf(spec *v1alpha1.ProviderConfigSpec, server *v1alpha1.Server) *v1alpha1.TLS {
	if server.TLS != nil {
		return server.TLS
	}
	return spec.TLS
}

// SecretNames returns the names of the Secrets that a configuration reads, each once. Common ones
// that every server overrides are not read, nor are those that Resolve refuses, since they are in
// another namespace than that of the ProviderConfig. The namespace is empty for a
// ClusterProviderConfig.
func SecretNames(spec *v1alpha1.ProviderConfigSpec, namespace string) []types.NamespacedName {
	var out []types.NamespacedName
	add := func(r *v1alpha1.SecretReference) {
		if r == nil {
			return
		}
		if n, err := secretName(*r, namespace); err == nil && !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	for i := range spec.Servers {
		add(credentialsOf(spec, &spec.Servers[i]).SecretRef)
		if t := tlsOf(spec, &spec.Servers[i]); t != nil {
			if t.CASecretRef != nil {
				add(&t.CASecretRef.SecretReference)
			}
			add(t.ClientCertificateSecretRef)
		}
	}
	return out
}

// Resolve returns the configuration of a group for a provider configuration and the Secrets that
// SecretNames names, and a fingerprint of both. It sets neither Cluster nor Notify. The namespace is
// empty for a ClusterProviderConfig.
//
// If common credentials or TLS settings cannot be used, the error is a SecretError. If those of a
// server's own cannot, that is the Err of the server, and the others can be used.
func Resolve(spec *v1alpha1.ProviderConfigSpec, namespace string, s Secrets) (group.Config, string, error) {
	cfg := group.Config{
		Storage:  group.Storage(spec.Hosts.Storage),
		Shared:   spec.Hosts.Shared,
		Persist:  spec.Hosts.Persist == v1alpha1.HostPersistenceConfigWrite,
		Interval: spec.SnapshotInterval.Duration,
		Memory:   group.OwnMemory,
	}
	if namespace != "" {
		cfg.Memory = group.TenantMemory
	}
	for i := range spec.Servers {
		server, err := resolveServer(spec, &spec.Servers[i], namespace, s)
		if err != nil {
			return group.Config{}, "", err
		}
		cfg.Servers = append(cfg.Servers, server)
	}
	fp, err := fingerprint(spec, s)
	return cfg, fp, err
}

// resolveServer returns the configuration of one server. An error is about common settings.
func resolveServer(spec *v1alpha1.ProviderConfigSpec, server *v1alpha1.Server, namespace string, s Secrets) (group.ServerConfig, error) {
	out := group.ServerConfig{Name: server.Name, Kea: kea.Config{URL: server.URL, Timeout: spec.Timeout.Duration}}
	var loginErr, tlsErr error
	if c := credentialsOf(spec, server); c.Source == xpv2.CredentialsSourceSecret && c.SecretRef != nil {
		out.Kea.Username, out.Kea.Password, loginErr = s.login(*c.SecretRef, namespace)
	}
	if loginErr != nil && server.Credentials == nil {
		return group.ServerConfig{}, &SecretError{loginErr}
	}
	out.Kea.TLS, tlsErr = tlsConfig(tlsOf(spec, server), namespace, s)
	if tlsErr != nil && server.TLS == nil {
		return group.ServerConfig{}, &SecretError{tlsErr}
	}
	switch {
	case loginErr != nil:
		out.Err = &SecretError{loginErr}
	case tlsErr != nil:
		out.Err = &SecretError{tlsErr}
	}
	return out, nil
}

// fingerprint returns a hash of a configuration and its Secrets.
func fingerprint(spec *v1alpha1.ProviderConfigSpec, s Secrets) (string, error) {
	h := sha256.New()
	enc := json.NewEncoder(h)
	if err := enc.Encode(spec); err != nil {
		return "", fmt.Errorf("cannot encode the configuration: %w", err)
	}
	data, errs := map[string]map[string][]byte{}, map[string]string{}
	for n, secret := range s {
		if secret.Err != nil {
			errs[n.String()] = secret.Err.Error()
			continue
		}
		data[n.String()] = secret.Data
	}
	if err := enc.Encode([]any{data, errs}); err != nil {
		return "", fmt.Errorf("cannot encode the Secrets: %w", err)
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
