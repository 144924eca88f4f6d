// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
)

// TestRoundTrip reads objects as the CRDs have them and writes them again.
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
		"OldNetworkNamespace": {
			reason: "A network of vitistack/crds comes out as it went in",
			into:   &NetworkNamespace{},
			json: `{"metadata": {"name": "net"},
				"spec": {"datacenterIdentifier": "d", "supervisorIdentifier": "s", "clusterIdentifier": "c", "provider": "p", "environment": "e"},
				"status": {"ipv4Prefix": "10.0.0.0/24", "vlanId": 7}}`,
		},
		"NewNetworkNamespace": {
			reason: "So does one of the successor",
			into:   &NetworkNamespace{},
			json: `{"metadata": {"name": "net"},
				"spec": {"datacenterIdentifier": "d", "supervisorIdentifier": "s", "ipAllocation": {"type": "dhcp", "provider": "kea",
					"dhcp": {"requireClientClasses": ["a"]}, "static": {"ipv4CIDR": "10.0.0.0/24", "ipv4Gateway": "10.0.0.1", "dns": ["10.0.0.2"], "ttlSeconds": 60}}},
				"status": {"ipv4Prefix": "10.0.0.0/24", "observedGeneration": 2, "retryCount": 1,
					"ipAllocationStatus": {"type": "static", "totalCount": 3, "allocatedIPs": [{"ip": "10.0.0.5", "networkConfiguration": "vm"}]}}}`,
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

func TestHasAllocationFields(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/vitistack/crds").Output()
	if err != nil {
		t.Fatalf("cannot find the module with VitiStack's CRDs: run go mod download: %v", err)
	}
	cases := map[string]struct {
		reason string
		file   string
		want   bool
	}{
		"Old": {"vitistack/crds has them not", filepath.Join(strings.TrimSpace(string(dir)), "crds", "vitistack.io_networkconfigurations.yaml"), false},
		"New": {"Its successor has them", filepath.Join("testdata", "crds.yaml"), true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := HasAllocationFields(readCRD(t, tc.file)); got != tc.want {
				t.Errorf("\n%s\nHasAllocationFields(...): want %t, got %t", tc.reason, tc.want, got)
			}
		})
	}
	if HasAllocationFields(&extv1.CustomResourceDefinition{}) {
		t.Error("A CRD without a schema has them not")
	}
}

// readCRD returns the CRD of NetworkConfigurations in a file.
func readCRD(t *testing.T, file string) *extv1.CustomResourceDefinition {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	d := yaml.NewYAMLOrJSONDecoder(bytes.NewReader(b), len(b))
	for {
		crd := &extv1.CustomResourceDefinition{}
		switch err := d.Decode(crd); {
		case errors.Is(err, io.EOF):
			t.Fatalf("%s has no CRD of NetworkConfigurations", file)
		case err != nil:
			t.Fatal(err)
		}
		if crd.Spec.Names.Kind == NetworkConfigurationKind {
			return crd
		}
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
