// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"

	"github.com/vitistack/provider-kea/internal/connection"
)

// networkFlags say how Kea servers are reached.
type networkFlags struct {
	AllowedKeaHosts []string `default:"*" env:"ALLOWED_KEA_HOSTS" help:"Hosts that ProviderConfigs may lead to, with commas between them: *, a name, *.example.com, an address, or a prefix. Loopback, link-local and cloud metadata addresses have to be listed as such. ClusterProviderConfigs may lead to any host."`
	UseProxy        bool     `name:"use-proxy-from-environment" env:"USE_PROXY_FROM_ENVIRONMENT" help:"Send commands to Kea through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY name. It must refuse what tenants are not to reach: names are looked up by it."`
}

func (f *networkFlags) parse() (connection.Network, error) {
	hosts, err := connection.ParseHosts(f.AllowedKeaHosts)
	if err != nil {
		return connection.Network{}, fmt.Errorf("cannot use --allowed-kea-hosts: %w", err)
	}
	return connection.Network{TenantHosts: hosts, Proxy: f.UseProxy}, nil
}
