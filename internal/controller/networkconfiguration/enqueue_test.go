// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/predicate"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func TestChanged(t *testing.T) {
	here := at("10.0.0.0/24")
	child := func(o ...krOption) client.Object { return kr(nc("vm", nil), here, mac1, o...) }
	vm := func(o ...ncOption) client.Object { return nc("vm", []string{mac1}, o...) }
	network := func(prefix string, o ...nnOption) client.Object {
		out := nn("net", prefix, 0, o...)
		return &out
	}
	ofChildren, ofMachines, ofNetworks := changed(sameKeaReservation), changed(sameNetworkConfiguration), changed(sameNetworkNamespace)

	cases := map[string]struct {
		reason        string
		of            predicate.Predicate
		before, after client.Object
		want          bool
	}{
		"OwnStatus": {"What we write ourselves is no news", ofMachines, vm(), vm(saying(reported1(confirmed))), false},
		"Spec":      {"A new spec is", ofMachines, vm(), vm(func(nc *vitistack.NetworkConfiguration) { nc.Generation = 2 }), true},
		"Deletion":  {"A deletion is", ofMachines, vm(), vm(deleted), true},
		"Finalizer": {"A finalizer is: it may be kea-operator's", ofMachines, vm(), vm(finalizedByKeaOperator), true},
		"Prefix":    {"A network's prefix is", ofNetworks, network(""), network("10.0.0.0/24"), true},
		"Config":    {"A network's provider configuration is", ofNetworks, network(""), network("", annotated("ProviderConfig/a")), true},
		"Phase":     {"That a network is provisioned is", ofNetworks, network("", provisioning("Pending")), network("", provisioning("Ready")), true},
		"Lease": {
			"A lease that goes on is not", ofChildren, child(holding),
			child(holding, func(r *v1alpha1.KeaReservation) { r.Status.AtProvider.Lease = &v1alpha1.Lease{IPAddress: "10.0.0.5"} }), false,
		},
		"Address": {"A reserved address is", ofChildren, child(), child(holding), true},
		"Message": {"What keeps it from being ready is", ofChildren, child(unready("A", "a")), child(unready("A", "b")), true},
		"Unsynced": {"That it cannot be synced is", ofChildren, child(holding),
			child(holding, func(r *v1alpha1.KeaReservation) { r.SetConditions(xpv2.ReconcileError(errors.New("no"))) }), true},
		"Orphaned": {"A lost owner is", ofChildren, child(), child(orphaned), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.of.Update(event.UpdateEvent{ObjectOld: tc.before, ObjectNew: tc.after}); got != tc.want {
				t.Errorf("\n%s\nUpdate(...): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
}
