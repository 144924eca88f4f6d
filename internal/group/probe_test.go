// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"testing"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// TestProbe: what a server lacks is told, and what works without it works.
func TestProbe(t *testing.T) {
	cases := map[string]struct {
		reason  string
		options keatest.Options
		storage group.Storage
		in      group.Intent
		want    group.State
		target  kea.Target
		failed  bool
	}{
		"Memory":      {reason: "Without a database memory is written.", storage: group.StorageAuto, in: static(ip50), want: group.Pending, target: kea.TargetMemory},
		"Database":    {reason: "With one, it is.", options: keatest.Options{Database: keatest.NewDatabase()}, storage: group.StorageAuto, in: static(ip50), want: group.Pending, target: kea.TargetDatabase},
		"Forced":      {reason: "Memory can be asked for.", options: keatest.Options{Database: keatest.NewDatabase()}, storage: group.StorageMemory, in: static(ip50), want: group.Pending, target: kea.TargetMemory},
		"NoDatabase":  {reason: "A database that is not there is an error.", storage: group.StorageDatabase, in: static(ip50), failed: true},
		"NoHostCmds":  {reason: "Without host_cmds nothing works.", options: keatest.Options{MissingHooks: []string{keatest.HookHostCmds}}, in: static(ip50), failed: true},
		"NoSubnetId":  {reason: "Without subnet_cmds a prefix cannot be looked up.", options: keatest.Options{MissingHooks: []string{keatest.HookSubnetCmds}}, in: static(ip50), want: group.HookMissing, target: kea.TargetMemory},
		"SubnetId":    {reason: "A subnet-id needs no look-up.", options: keatest.Options{MissingHooks: []string{keatest.HookSubnetCmds}}, in: group.Intent{Subnet: group.SubnetRef{ID: 1}, HWAddress: mac, Address: ip50, Resource: "ns/a"}, want: group.Pending, target: kea.TargetMemory},
		"NoLeaseCmds": {reason: "Without lease_cmds an address that is given works.", options: keatest.Options{MissingHooks: []string{keatest.HookLeaseCmds}}, in: static(ip50), want: group.Pending, target: kea.TargetMemory},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := keatest.New(t, tc.options)
			g := run(t, s.ClientConfig(), func(c *group.Config) { c.Storage = tc.storage })
			o, err := g.Observe(t.Context(), tc.in)
			if (err != nil) != tc.failed {
				t.Fatalf("%s\nObserve(...): error %v, want one: %t", tc.reason, err, tc.failed)
			}
			if err != nil {
				return
			}
			if got := g.Servers()[0].Storage; o.State != tc.want || got != tc.target {
				t.Errorf("%s\nit is %s in %s, want %s in %s", tc.reason, o.State, got, tc.want, tc.target)
			}
			if tc.want == group.Pending {
				g.ensure(t, tc.in)
				if n := len(s.Reservations(tc.target)); n != 1 {
					t.Errorf("%s\n%s holds %d reservations, want 1", tc.reason, tc.target, n)
				}
			}
		})
	}
}
