// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// TestRoundTrip reads NetworkConfigurations as the CRDs have them and writes them again.
// Nothing may get lost, and nothing may appear.
func TestRoundTrip(t *testing.T) {
	cases := map[string]struct {
		reason string
		into   any
		json   string
	}{
		"OldNetworkConfiguration": {
			reason: "An object of vitistack/crds comes out as it went in",
			into:   &NetworkConfiguration{},
			json: `{"apiVersion": "vitistack.io/v1alpha1", "kind": "NetworkConfiguration", "metadata": {"name": "vm"},
				"spec": {"name": "vm", "provider": "kea", "clusterIdentifier": "c", "networkInterfaces": [
					{"name": "eth0", "macAddress": "02:00:00:00:00:01", "vlan": "7", "ipv6Addresses": ["fd00::1"]}]},
				"status": {"phase": "Ready", "created": "2026-01-01T00:00:00Z", "networkInterfaces": [{"name": "eth0", "dhcpReserved": true}]}}`,
		},
		"NewNetworkConfiguration": {
			reason: "So does one of the successor",
			into:   &NetworkConfiguration{},
			json: `{"metadata": {"name": "vm"},
				"spec": {"name": "vm", "networkNamespaceName": "net", "networkInterfaces": [{"name": "eth0", "macAddress": "02:00:00:00:00:01"}]},
				"status": {"networkInterfaces": [{"name": "eth0", "ipv4Addresses": ["10.0.0.5"], "ipAllocated": true,
					"allocationMethod": "static", "allocationExpiry": "2026-01-01T00:00:00Z"}]}}`,
		},
		"Bare": {
			reason: "What is not set is not written",
			into:   &NetworkConfiguration{},
			json:   `{"metadata": {"name": "vm"}, "spec": {"name": "vm"}, "status": {}}`,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if err := json.Unmarshal([]byte(tc.json), tc.into); err != nil {
				t.Fatal(err)
			}
			out, err := json.Marshal(tc.into)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(generic(t, []byte(tc.json)), generic(t, out)); diff != "" {
				t.Errorf("\n%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func generic(t *testing.T, b []byte) map[string]any {
	t.Helper()
	out := map[string]any{}
	if err := json.Unmarshal(b, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemas(t *testing.T) {
	type want struct {
		version                  string
		allocation, ipAllocation bool
	}
	cases := map[string]struct {
		reason  string
		release string
		change  func(networkNamespaces *extv1.CustomResourceDefinition)
		want    want
	}{
		"v0.3.5":  {reason: "An old CRD lacks fields", release: "v0.3.5", want: want{version: "v1alpha1"}},
		"v0.8.70": {reason: "Its successor has them", release: "v0.8.70", want: want{"v1alpha1", true, true}},
		"v1.0.0":  {reason: "The stored version is read", release: "v1.0.0", want: want{"v1alpha2", true, true}},
		"OldOnly": {
			reason: "A version that is not served cannot be read", release: "v1.0.0",
			change: func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions[1].Served = false },
			want:   want{"v1alpha1", true, true},
		},
		"NewOnly": {
			reason: "The old version may go", release: "v1.0.0",
			change: func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions = crd.Spec.Versions[1:] },
			want:   want{"v1alpha2", true, true},
		},
		"Neither": {
			reason: "What is newer than both cannot be read", release: "v0.8.70",
			change: func(crd *extv1.CustomResourceDefinition) { crd.Spec.Versions[0].Name = "v1" },
			want:   want{allocation: true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := releases(t)[tc.release]
			nn := readCRD(t, r.networkNamespaces)
			if tc.change != nil {
				tc.change(nn)
			}
			got := want{version: NetworkNamespaceVersion(nn), allocation: HasAllocationFields(readCRD(t, r.networkConfigurations))}
			got.ipAllocation = HasIPAllocation(nn, got.version)
			if got != tc.want {
				t.Errorf("\n%s\nwant %+v, got %+v", tc.reason, tc.want, got)
			}
		})
	}
	if HasAllocationFields(&extv1.CustomResourceDefinition{}) {
		t.Error("A CRD without a schema does not have the fields")
	}
}

func TestWithoutAllocation(t *testing.T) {
	in := make([]NetworkConfigurationInterface, 1)
	in[0].Name, in[0].IPAllocated, in[0].AllocationMethod = "eth0", true, AllocationMethodDHCP
	want := make([]NetworkConfigurationInterface, 1)
	want[0].Name = "eth0"
	if diff := cmp.Diff(want, WithoutAllocation(in)); diff != "" {
		t.Errorf("WithoutAllocation(...): -want, +got:\n%s", diff)
	}
	if WithoutAllocation(nil) != nil {
		t.Error("WithoutAllocation(nil) is not nil")
	}
}
