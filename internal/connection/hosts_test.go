// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"errors"
	"net/netip"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

func TestHosts(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason   string
		patterns []string
		host     string
		// addresses that the host has, and whether it may be connected to them.
		addresses map[string]bool
		// refused means that the URL is enough to refuse the host.
		refused bool
	}{
		"Default": {
			reason: "By default every host is allowed that others than the provider's pod could reach, too.", patterns: []string{"*"},
			host: "kea.example.com",
			addresses: map[string]bool{
				"10.0.0.1": true, "2001:db8::1": true, "100.64.0.1": true, "fd00::1": true,
				"127.0.0.1": false, "127.9.9.9": false, "::1": false, "0.0.0.0": false, "::": false,
				"169.254.169.254": false, "169.254.1.1": false, "fe80::1": false, "fe80::1%eth0": false, "febf::1": false,
				"fd00:ec2::254": false, "fd20:ce::254": false, "100.100.100.200": false, "168.63.129.16": false, "192.0.0.192": false,
				"::ffff:169.254.169.254": false, "::ffff:127.0.0.1": false, "64:ff9b::a9fe:a9fe": false, "64:ff9b::a00:1": true,
			},
		},
		"MetadataByURL": {reason: "An address in the URL is refused at once.", patterns: []string{"*"}, host: "169.254.169.254", addresses: map[string]bool{"169.254.169.254": false}, refused: true},
		"MetadataAsIPv6": {
			reason: "So is another spelling.", patterns: []string{"*"}, host: "::ffff:a9fe:a9fe", addresses: map[string]bool{"::ffff:a9fe:a9fe": false}, refused: true,
		},
		"ListedAddress": {reason: "A loopback address that is listed is allowed, and no other.", patterns: []string{"*", "127.0.0.1"}, host: "localhost", addresses: map[string]bool{"127.0.0.1": true, "127.0.0.2": false, "::1": false, "10.0.0.1": true}},
		"Name":          {reason: "A name is allowed as it is written, in any case.", patterns: []string{"Kea.example.com"}, host: "kea.Example.com.", addresses: map[string]bool{"10.0.0.1": true, "169.254.169.254": false}},
		"OtherName":     {reason: "Another name is not.", patterns: []string{"kea.example.com"}, host: "evil.kea.example.com", addresses: map[string]bool{"10.0.0.1": false}, refused: true},
		"Wildcard":      {reason: "A wildcard stands for all names below.", patterns: []string{"*.kea.example.com"}, host: "a.b.kea.example.com", addresses: map[string]bool{"10.0.0.1": true}},
		"WildcardItself": {
			reason: "And not for the name itself, nor for one that only ends like it.", patterns: []string{"*.example.com"}, host: "badexample.com", addresses: map[string]bool{"10.0.0.1": false}, refused: true,
		},
		"Prefix":            {reason: "A prefix allows addresses.", patterns: []string{"10.0.0.0/8"}, host: "10.1.2.3", addresses: map[string]bool{"10.1.2.3": true}},
		"OtherAddress":      {reason: "And no others.", patterns: []string{"10.0.0.0/8"}, host: "192.0.2.1", addresses: map[string]bool{"192.0.2.1": false}, refused: true},
		"PrefixOfName":      {reason: "Where prefixes are listed, the addresses of a name decide.", patterns: []string{"10.0.0.0/8"}, host: "kea", addresses: map[string]bool{"10.0.0.1": true, "192.0.2.1": false}},
		"NumberIsNoAddress": {reason: "What only the resolver takes for an address is decided by the address.", patterns: []string{"*"}, host: "2852039166", addresses: map[string]bool{"169.254.169.254": false}},
		"None":              {reason: "Without a pattern nothing is allowed.", host: "kea.example.com", addresses: map[string]bool{"10.0.0.1": false}, refused: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h, err := ParseHosts(tc.patterns)
			if err != nil {
				t.Fatal(err)
			}
			cfg := group.Config{Servers: []group.ServerConfig{{Name: "kea1", Kea: kea.Config{URL: "http://" + bracketed(tc.host) + ":8000"}}}}
			Network{TenantHosts: h}.Apply(Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "kea"}, &cfg)
			s := cfg.Servers[0]
			if _, forbidden := errors.AsType[*kea.ForbiddenError](s.Err); forbidden != tc.refused {
				t.Errorf("%s\nrefused because of the URL: %v, want %t", tc.reason, s.Err, tc.refused)
			}
			for a, want := range tc.addresses {
				if err := s.Kea.CheckAddress(netip.MustParseAddr(a)); (err == nil) != want {
					t.Errorf("%s\nCheckAddress(%s): %v, want allowed %t", tc.reason, a, err, want)
				}
			}
		})
	}
}

func bracketed(host string) string {
	if a, err := netip.ParseAddr(host); err == nil && a.Is6() {
		return "[" + host + "]"
	}
	return host
}

// TestHostsOfClusterProviderConfigs: a ClusterProviderConfig is the platform's, which sets the list.
func TestHostsOfClusterProviderConfigs(t *testing.T) {
	t.Parallel()
	cfg := group.Config{Servers: []group.ServerConfig{{Name: "kea1", Kea: kea.Config{URL: "http://127.0.0.1:8000"}}}}
	Network{Proxy: true}.Apply(Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "kea"}, &cfg)
	if s := cfg.Servers[0]; s.Err != nil || s.Kea.CheckAddress != nil || !s.Kea.Proxy {
		t.Errorf("the server is %+v", s)
	}
}

func TestParseHosts(t *testing.T) {
	t.Parallel()
	for _, wrong := range []string{"", "http://kea", "kea:8000", "*kea.example.com", "10.0.0.0/33", "a.*.example.com"} {
		if _, err := ParseHosts([]string{wrong}); err == nil {
			t.Errorf("ParseHosts(%q): want an error", wrong)
		}
	}
}

func TestSendsPasswordInClear(t *testing.T) {
	t.Parallel()
	login := v1alpha1.Credentials{Source: xpv2.CredentialsSourceSecret, SecretRef: &v1alpha1.SecretReference{Name: "login"}}
	cases := map[string]struct {
		reason string
		url    string
		common v1alpha1.Credentials
		own    *v1alpha1.Credentials
		want   bool
	}{
		"Plain":    {reason: "A password over plain http can be read.", url: "http://kea.example.com:8000", common: login, want: true},
		"Own":      {reason: "So can that of a server.", url: "http://10.0.0.1:8000", own: &login, want: true},
		"NotSent":  {reason: "A server that is sent none is none.", url: "http://10.0.0.1:8000", common: login, own: &v1alpha1.Credentials{Source: xpv2.CredentialsSourceNone}},
		"TLS":      {reason: "With TLS it cannot.", url: "https://kea.example.com:8000", common: login},
		"None":     {reason: "There is none.", url: "http://kea.example.com:8000"},
		"Loopback": {reason: "It does not leave the machine.", url: "http://127.0.0.1:8000", common: login},
		"Local":    {reason: "It does not leave the machine.", url: "http://localhost:8000", common: login},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := v1alpha1.Server{Name: "kea1", URL: tc.url, Credentials: tc.own}
			if got := SendsPasswordInClear(&v1alpha1.ProviderConfigSpec{Credentials: tc.common}, &server); got != tc.want {
				t.Errorf("%s\ngot %t", tc.reason, got)
			}
		})
	}
}
