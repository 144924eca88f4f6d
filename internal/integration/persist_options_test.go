// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// saved has the provider ask Kea to save its configuration file after changes.
func saved(c *v1alpha1.ClusterProviderConfig) {
	c.Spec.Hosts.Persist = v1alpha1.HostPersistenceConfigWrite
}

// TestPersistOpaqueOption: config-write would empty an option in the file whose content Kea does
// not return, so it is not sent; the provider configuration says which option it is, and where.
// Reservations are made all the same.
func TestPersistOpaqueOption(t *testing.T) {
	t.Parallel()
	vendor := []any{object{"code": 43, "csv-format": false, "data": vendorData}}
	in := func(extra object) testenv.KeaOptions {
		net := testenv.DefaultSubnet()
		net.Extra = extra
		return testenv.KeaOptions{Subnets: []testenv.Subnet{net}}
	}
	for name, tc := range map[string]struct {
		kea   testenv.KeaOptions
		where string
	}{
		"subnet": {in(object{"option-data": vendor}), subnet},
		"pool": {in(object{"pools": []any{
			object{"pool": "10.123.0.100 - 10.123.0.200", "option-data": vendor},
		}}), subnet},
		"reservation": {in(object{"reservations": []any{
			object{"hw-address": other, "ip-address": "10.123.0.60", "option-data": vendor},
		}}), subnet},
		"shared network": {testenv.KeaOptions{Extra: object{"shared-networks": []any{
			object{"name": "campus", "option-data": vendor, "subnet4": []any{object{"id": 2, "subnet": "10.124.0.0/24"}}},
		}}}, "campus"},
		"client class": {testenv.KeaOptions{Extra: object{"client-classes": []any{
			object{"name": "pxe", "option-data": vendor},
		}}}, "pxe"},
		"global": {testenv.KeaOptions{Extra: object{"option-data": vendor}}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tc.kea, saved)
			r := s.static("vm01", "10.123.0.50")
			s.create(r)
			s.await(r, isReady, isSynced)
			notSaved := is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonNotSaved, Message: "option 43"}
			pc := s.config()
			s.await(pc, notSaved)
			contains(t, "the message", pc.GetCondition(xpv2.TypeReady).Message, tc.where)
			s.checkQuiet(r)
			equal(t, "config-write", s.sent("config-write"), 0)
			file, err := os.ReadFile(s.kea.Config)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(file), vendorData) {
				t.Errorf("the option is no longer in Kea's configuration file:\n%s", file)
			}
			// The provider still restores what Kea loses.
			s.kea.Restart(t)
			s.awaitHeld(mac, "10.123.0.50")
			s.await(r, isReady, isSynced)
		})
	}
}

// TestPersistReadableOption: an option that Kea returns as it is does not keep it from saving.
func TestPersistReadableOption(t *testing.T) {
	t.Parallel()
	net := testenv.DefaultSubnet()
	net.Extra = object{"option-data": []any{
		object{"code": 222, "csv-format": false, "data": "cafe"}, object{"name": "routers", "data": "10.123.0.1"},
	}}
	s := newSite(t, testenv.KeaOptions{Subnets: []testenv.Subnet{net}}, saved)
	s.created(s.static("vm01", "10.123.0.50"))
	s.awaitSaved(mac)
	s.awaitUsable()
}
