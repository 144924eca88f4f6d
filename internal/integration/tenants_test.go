// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// TestTenantsHosts: a ProviderConfig cannot have the provider ask for the metadata of its cloud, by no
// spelling of the address, and says so. A ClusterProviderConfig may lead anywhere.
func TestTenantsHosts(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"Address":    "http://169.254.169.254",
		"MappedIPv6": "http://[::ffff:169.254.169.254]:80",
		"LinkLocal":  "http://[fe80::1]:8000",
		"Loopback":   "http://127.0.0.2:8000", // The provider of the tests is allowed 127.0.0.1.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, url)
			pc, r := s.namespaced(), using(s.numbered(11))
			s.create(pc)
			s.create(r)
			const message = "a ProviderConfig may not lead to the host "
			s.await(pc, is{Type: xpv2.TypeReady, Status: "False", Reason: v1alpha1.ReasonHostNotAllowed, Message: message})
			s.await(r, is{Type: xpv2.TypeSynced, Status: "False", Message: message})
			if n := s.commands(pc, ""); n > 0 {
				t.Errorf("%d commands were sent", n)
			}
		})
	}
	t.Run("ClusterProviderConfig", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, "http://127.0.0.2:1") // Nothing listens there.
		pc := s.config()
		s.create(pc)
		s.await(pc, is{Type: xpv2.TypeReady, Status: "False", Reason: v1alpha1.ReasonUnreachable})
	})
}
