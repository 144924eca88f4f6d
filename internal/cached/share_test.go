// SPDX-License-Identifier: Apache-2.0

package cached_test

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// reservationJSON is a KeaReservation of a machine as the API server sends it, and machineJSON its
// NetworkConfiguration. %[1]d is the number of the machine, %[2]s its hardware address, and %[3]s its
// address.
const (
	reservationJSON = `{"apiVersion": "kea.crossplane.io/v1alpha1", "kind": "KeaReservation",
"metadata": {"name": "vm%06[1]d-%012[1]x", "namespace": "machines", "uid": "aaaaaaab-bbbb-cccc-dddd-%012[1]x", "resourceVersion": "%[1]d", "generation": 2,
  "creationTimestamp": "2026-11-26T06:05:00Z", "finalizers": ["finalizer.managedresource.crossplane.io"],
  "annotations": {"crossplane.io/external-name": "%[2]s"},
  "labels": {"kea.crossplane.io/network-configuration": "vm%06[1]d", "kea.crossplane.io/network-namespace": "net"},
  "ownerReferences": [{"apiVersion": "vitistack.io/v1alpha1", "kind": "NetworkConfiguration", "name": "vm%06[1]d", "uid": "aaaaaaaa-bbbb-cccc-dddd-%012[1]x", "controller": true, "blockOwnerDeletion": false}],
  "managedFields": [{"manager": "x", "operation": "Update", "apiVersion": "kea.crossplane.io/v1alpha1", "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:forProvider": {}}}}]},
"spec": {"forProvider": {"hwAddress": "%[2]s", "ipAddress": "%[3]s", "subnet": "10.128.0.0/15"}, "managementPolicies": ["*"],
  "providerConfigRef": {"kind": "ClusterProviderConfig", "name": "default"}},
"status": {"atProvider": {"hwAddress": "%[2]s", "ipAddress": "%[3]s", "subnet": "10.128.0.0/15", "subnetId": 1, "gateway": "10.128.0.1", "dnsServers": ["10.0.0.1", "10.0.0.2"],
    "lease": {"ipAddress": "%[3]s", "expires": "2026-11-27T06:05:00Z"}, "servers": [{"name": "kea1", "state": "Reserved", "subnetId": 1}]},
  "conditions": [
    {"type": "Ready", "status": "True", "reason": "Reserved", "lastTransitionTime": "2026-11-26T06:05:00Z", "observedGeneration": 2},
    {"type": "Synced", "status": "True", "reason": "ReconcileSuccess", "lastTransitionTime": "2026-11-26T06:05:00Z", "observedGeneration": 2},
    {"type": "LeaseConfirmed", "status": "True", "reason": "LeaseMatches", "lastTransitionTime": "2026-11-26T06:05:00Z", "observedGeneration": 2},
    {"type": "Replicated", "status": "True", "reason": "OnEveryServer", "lastTransitionTime": "2026-11-26T06:05:00Z", "observedGeneration": 2}]}}`

	machineJSON = `{"apiVersion": "vitistack.io/v1alpha1", "kind": "NetworkConfiguration",
"metadata": {"name": "vm%06[1]d", "namespace": "machines", "uid": "aaaaaaaa-bbbb-cccc-dddd-%012[1]x", "resourceVersion": "%[1]d", "generation": 1, "creationTimestamp": "2026-11-26T06:05:00Z",
  "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}},
"spec": {"name": "vm%06[1]d", "provider": "kea", "datacenterIdentifier": "dc1", "supervisorIdentifier": "sv1", "clusterIdentifier": "cluster1",
  "networkInterfaces": [{"name": "eth0", "macAddress": "%[2]s"}]},
"status": {"phase": "Ready", "status": "Success", "message": "reserved in Kea: 1 of 1", "created": "2026-11-26T06:05:00Z",
  "conditions": [{"type": "Ready", "status": "True", "reason": "Configured", "message": "reserved in Kea: 1 of 1", "observedGeneration": 1, "lastTransitionTime": "2026-11-26T06:05:00Z"}],
  "networkInterfaces": [{"name": "eth0", "macAddress": "%[2]s", "ipv4Addresses": ["%[3]s"], "ipv4Subnet": "10.128.0.0/15", "ipv4Gateway": "10.128.0.1", "dhcpReserved": true}]}}`
)

// decoded returns a machine's object as an informer gets it.
func decoded[T any](t *testing.T, text string, i int) *T {
	t.Helper()
	out := new(T)
	mac, address := fmt.Sprintf("00:02:12:00:%02x:%02x", i>>8&255, i&255), fmt.Sprintf("10.128.%d.%d", i>>8&255, i&255)
	if err := json.Unmarshal(fmt.Appendf(nil, text, i, mac, address), out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestShareKeepsAll: but for what it is to drop, an object means the same as before.
func TestShareKeepsAll(t *testing.T) {
	keep := func(t *testing.T, o, want any) {
		t.Helper()
		for range 2 { // Informers may do it again.
			if got, err := cached.Share(o); err != nil || got != o {
				t.Fatalf("Share(...): %v, %v, want the object", got, err)
			}
			if diff := cmp.Diff(want, o); diff != "" {
				t.Errorf("Share(...): -want, +got:\n%s", diff)
			}
		}
	}
	t.Run("KeaReservation", func(t *testing.T) {
		want := decoded[v1alpha1.KeaReservation](t, reservationJSON, 7)
		want.ManagedFields = nil
		keep(t, decoded[v1alpha1.KeaReservation](t, reservationJSON, 7), want)
	})
	t.Run("KeaReservationApplied", func(t *testing.T) {
		applied := func() *v1alpha1.KeaReservation {
			o := decoded[v1alpha1.KeaReservation](t, reservationJSON, 7)
			o.ManagedFields = nil
			o.Annotations[corev1.LastAppliedConfigAnnotation] = "{}"
			o.Status.AtProvider.Lease.IPAddress = "10.128.0.99"
			o.Status.AtProvider.Servers[0].Message = strings.Repeat("long ", 100)
			return o
		}
		keep(t, applied(), applied())
	})
	t.Run("NetworkConfiguration", func(t *testing.T) {
		want := decoded[vitistack.NetworkConfiguration](t, machineJSON, 7)
		want.Annotations = nil
		keep(t, decoded[vitistack.NetworkConfiguration](t, machineJSON, 7), want)
	})
	t.Run("Other", func(t *testing.T) {
		keep(t, &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a", ManagedFields: []metav1.ManagedFieldsEntry{{}}}},
			&corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "a"}})
	})
}

// TestShareManyTexts: texts that come once are not kept forever.
func TestShareManyTexts(t *testing.T) {
	const many = 100_000
	before := heap()
	for i := range many {
		nc := &vitistack.NetworkConfiguration{}
		nc.Status.Message = fmt.Sprintf("message %d of many that no other object has", i)
		_, _ = cached.Share(nc)
	}
	if after := heap(); after > before+1<<20 {
		t.Errorf("%d texts that came once have left %d bytes", many, after-before)
	}
}

// TestShareSize: decoded as they come, a KeaReservation takes 3,000 bytes and a NetworkConfiguration
// 1,500.
func TestShareSize(t *testing.T) {
	const many = 5000
	size := func(object func(i int) any) uint64 {
		before := heap()
		all := make([]any, many)
		for i := range all {
			all[i], _ = cached.Share(object(i))
		}
		after := heap()
		runtime.KeepAlive(all)
		return (after - before) / many
	}
	if got := size(func(i int) any { return decoded[v1alpha1.KeaReservation](t, reservationJSON, i) }); got > 2450 {
		t.Errorf("a KeaReservation takes %d bytes", got)
	}
	if got := size(func(i int) any { return decoded[vitistack.NetworkConfiguration](t, machineJSON, i) }); got > 1300 {
		t.Errorf("a NetworkConfiguration takes %d bytes", got)
	}
}
