// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestLateInitializeObserved: a resource that may only observe and late-initialize gets an address
// into its spec when Kea has it reserved. A lease's address is not reserved and not to be: another
// device may have it tomorrow.
func TestLateInitializeObserved(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.lease(mac, "10.123.0.150")
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionObserve, xpv2.ManagementActionLateInitialize}
	s.create(r)
	s.checkQuiet(r)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "")

	s.putHost(inMemory, mac, "10.123.0.60", nil)
	s.await(r, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
	s.checkQuiet(r)
	equal(t, "what was written", s.writes(), 0)
}
