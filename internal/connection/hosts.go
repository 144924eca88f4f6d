// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Hosts are the hosts that the ProviderConfigs of tenants may name. ClusterProviderConfigs belong to the
// platform, and may name any. The zero value allows none.
type Hosts struct {
	all bool
	// names are host names; one that begins with a dot stands for all names that end with it.
	names    []string
	prefixes []netip.Prefix
}

// unlisted are the addresses that have to be listed: "*" and names do not allow them. What listens there
// serves the provider's pod or node alone: the metadata of clouds, which has credentials in it, and
// what listens in the pod, or on the node of a pod with its network.
var unlisted = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), // this host; 0.0.0.0 leads to its loopback
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),     // link-local, and the metadata of most clouds
	netip.MustParsePrefix("100.100.100.200/32"), // metadata of Alibaba Cloud
	netip.MustParsePrefix("168.63.129.16/32"),   // of Azure's virtual machines
	netip.MustParsePrefix("192.0.0.192/32"),     // metadata of Oracle Cloud
	netip.MustParsePrefix("::/127"),             // this host, and its loopback
	netip.MustParsePrefix("fe80::/10"),          // link-local
	netip.MustParsePrefix("fd00:ec2::/32"),      // metadata of AWS, and the credentials of its pods
	netip.MustParsePrefix("fd20:ce::254/128"),   // metadata of Google Cloud
	netip.MustParsePrefix("64:ff9b:1::/48"),     // any of these in a network's own NAT64 (RFC 8215)
}

// nat64 has IPv4 addresses in its last four bytes (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// ParseHosts reads patterns: "*" for all hosts, a host name, "*.example.com" for all names below it, an
// address, or a prefix of addresses.
func ParseHosts(patterns []string) (Hosts, error) {
	var h Hosts
	for _, p := range patterns {
		p = canonicalHost(strings.TrimSpace(p))
		prefix, err := parsePrefix(p)
		name, wild := strings.CutPrefix(p, "*.")
		switch {
		case p == "*":
			h.all = true
		case err == nil:
			h.prefixes = append(h.prefixes, prefix)
		case len(validation.IsDNS1123Subdomain(name)) > 0:
			return Hosts{}, fmt.Errorf("cannot use the host pattern %q: write *, a name, *.example.com, an address, or a prefix such as 10.0.0.0/8", p)
		case wild:
			h.names = append(h.names, "."+name)
		default:
			h.names = append(h.names, name)
		}
	}
	return h, nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		a = plainAddr(a)
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return p, fmt.Errorf("cannot read the prefix: %w", err)
	}
	return p.Masked(), nil
}

// canonicalHost returns a host name as names are compared.
func canonicalHost(s string) string { return strings.TrimSuffix(strings.ToLower(s), ".") }

// plainAddr returns an address without the forms that lead to the same place.
func plainAddr(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	return a
}

// Allows reports whether a connection may be made to an address, which is one of a host.
func (h Hosts) Allows(host string, a netip.Addr) bool {
	a = plainAddr(a)
	contains := func(p netip.Prefix) bool { return p.Contains(a) }
	switch {
	case slices.ContainsFunc(h.prefixes, contains):
		return true
	case slices.ContainsFunc(unlisted, contains):
		return false
	default:
		return h.allowsName(host)
	}
}

// MayAllow reports whether any connection to a host may be made. Where prefixes are listed, and the
// host is a name, its addresses decide.
func (h Hosts) MayAllow(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return h.Allows(host, a)
	}
	return h.allowsName(host) || len(h.prefixes) > 0
}

func (h Hosts) allowsName(host string) bool {
	host = canonicalHost(host)
	return h.all || slices.ContainsFunc(h.names, func(n string) bool {
		return host == n || strings.HasPrefix(n, ".") && strings.HasSuffix(host, n)
	})
}
