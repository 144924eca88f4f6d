// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// Network is how servers are reached, as the provider's operators want it.
type Network struct {
	// TenantHosts are those that a ProviderConfig may lead to. A ClusterProviderConfig may lead to any.
	TenantHosts Hosts
	// Proxy has commands sent through the proxy that the environment names.
	Proxy bool
	// MayWrite, if set, is called for each command that changes something, see kea.Config.
	MayWrite func() error
}

const askToList = "use one that is allowed, or ask the platform's operators to list it in the provider's flag --allowed-kea-hosts"

// Apply has the servers of a provider configuration reached in this way. Hosts that are not allowed are
// refused by the URL, and by each address that a name turns out to have when a connection is made.
func (n Network) Apply(ref Ref, cfg *group.Config) {
	cfg.Servers = slices.Clone(cfg.Servers)
	for i := range cfg.Servers {
		s := &cfg.Servers[i]
		s.Kea.Proxy, s.Kea.MayWrite = n.Proxy, n.MayWrite
		if ref.Namespace != "" {
			n.TenantHosts.restrict(s)
		}
	}
}

func (h Hosts) restrict(s *group.ServerConfig) {
	u, err := url.Parse(s.Kea.URL)
	if err != nil {
		return // The client refuses it.
	}
	host := u.Hostname()
	if !h.MayAllow(host) {
		s.Err = &kea.ForbiddenError{Reason: fmt.Sprintf("a ProviderConfig may not lead to the host %s: %s", host, askToList)}
	}
	s.Kea.CheckAddress = func(a netip.Addr) error {
		if h.Allows(host, a) {
			return nil
		}
		return &kea.ForbiddenError{Reason: fmt.Sprintf("the host %s has an address that a ProviderConfig may not lead to: %s", host, askToList)}
	}
}

// SendsPasswordInClear reports whether basic authentication is sent to a server over plain http, and not
// to the same machine.
func SendsPasswordInClear(spec *v1alpha1.ProviderConfigSpec, server *v1alpha1.Server) bool {
	u, err := url.Parse(server.URL)
	if err != nil || u.Scheme != "http" || credentialsOf(spec, server).Source != xpv2.CredentialsSourceSecret {
		return false
	}
	a, err := netip.ParseAddr(u.Hostname())
	return !strings.EqualFold(u.Hostname(), "localhost") && (err != nil || !a.IsLoopback())
}
