// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestConfigHooks: a hook that Kea does not load is named, what works without it
// works, and the rest goes on when it is loaded.
func TestConfigHooks(t *testing.T) {
	t.Parallel()
	parameters := func(p v1alpha1.KeaReservationParameters) v1alpha1.KeaReservationParameters {
		p.HWAddress = macOf(11)
		return p
	}
	id := int64(1)
	byPrefix := parameters(v1alpha1.KeaReservationParameters{Subnet: subnet, IPAddress: "10.123.0.11"})
	byID := parameters(v1alpha1.KeaReservationParameters{SubnetID: &id, IPAddress: "10.123.0.11"})
	fromLease := parameters(v1alpha1.KeaReservationParameters{Subnet: subnet})
	waits := []is{isSynced, {Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonHookMissing}}
	works := []is{isSynced, isReady}
	awaitsLease := []is{isSynced, {Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonAwaitingLease}}
	refused := []is{{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: "load libdhcp_host_cmds.so in hooks-libraries"}}

	cases := map[string]struct {
		reason  string
		missing string
		of      v1alpha1.KeaReservationParameters
		before  []is
		after   []is
	}{
		"HostCmds":              {"Nothing works without it.", testenv.HookHostCmds, byPrefix, refused, works},
		"SubnetCmds":            {"A prefix cannot be looked up.", testenv.HookSubnetCmds, byPrefix, waits, works},
		"SubnetCmdsNumericID":   {"A number need not be looked up.", testenv.HookSubnetCmds, byID, works, works},
		"LeaseCmds":             {"A lease cannot be looked up.", testenv.HookLeaseCmds, fromLease, waits, awaitsLease},
		"LeaseCmdsGivenAddress": {"An address that is given needs no lease.", testenv.HookLeaseCmds, byPrefix, works, works},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			hooks := []string{}
			for _, h := range []string{testenv.HookHostCmds, testenv.HookSubnetCmds, testenv.HookLeaseCmds} {
				if h != tc.missing {
					hooks = append(hooks, h)
				}
			}
			s := keaSite(t, testenv.KeaOptions{Hooks: hooks})
			pc, r := s.config(), s.reservation("vm", tc.of)
			if tc.of.SubnetID != nil {
				r.Spec.ForProvider.Subnet = ""
			}
			s.create(pc)
			s.create(r)
			s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonHookMissing, Message: tc.missing})
			s.await(r, tc.before...)
			s.steady(pc, r)

			s.kea.Stop()
			s.load(tc.missing)
			s.kea.Start(t)
			s.await(pc, isReady)
			s.await(r, tc.after...)
			if r.GetCondition(xpv2.TypeReady).Status == corev1.ConditionTrue {
				s.awaitHeld(macOf(11), "10.123.0.11")
			}
			t.Log(tc.reason)
		})
	}
}

// load adds a hook to the configuration of the site's Kea.
func (s *site) load(hook string) {
	s.t.Helper()
	s.rewrite(func(config string) string {
		c := map[string]map[string]any{}
		if err := json.Unmarshal([]byte(config), &c); err != nil {
			s.t.Fatal(err)
		}
		loaded, _ := c["Dhcp4"]["hooks-libraries"].([]any)
		c["Dhcp4"]["hooks-libraries"] = append(loaded, map[string]any{"library": hook})
		b, err := json.Marshal(c)
		if err != nil {
			s.t.Fatal(err)
		}
		return string(b)
	})
}
