// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/insomniacslk/dhcp/dhcpv4"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// The machine that most steps are about, and its devices.
const (
	machines = "machines"
	machine  = "machine01"
	eth0     = "00:02:12:34:57:01"
	eth1     = "00:02:12:34:57:02"
)

// networkNamespace makes a namespace with a NetworkNamespace of the given prefix,
// which VitiStack's own controller reports in a real cluster.
func networkNamespace(t *testing.T, namespace, annotations string) {
	t.Helper()
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Namespace
metadata: {name: %[1]s}
---
apiVersion: vitistack.io/v1alpha1
kind: NetworkNamespace
metadata: {namespace: %[1]s, name: network, annotations: {%[2]s}}
spec: {datacenterIdentifier: dc1, supervisorIdentifier: sv1, clusterIdentifier: cluster1, environment: test, provider: example}
`, namespace, annotations))
	kubectl(t, "-n", namespace, "patch", "networknamespace", "network", "--subresource=status", "--type=merge", "-p", `{"status": {"ipv4Prefix": "`+subnet+`"}}`)
}

// networkConfiguration applies a machine with these devices.
func networkConfiguration(t *testing.T, namespace, name string, macs ...string) {
	t.Helper()
	interfaces := make([]string, len(macs))
	for i, mac := range macs {
		interfaces[i] = fmt.Sprintf("{name: eth%d, macAddress: %q}", i, mac)
	}
	apply(t, fmt.Sprintf(`
apiVersion: vitistack.io/v1alpha1
kind: NetworkConfiguration
metadata: {namespace: %s, name: %s}
spec: {name: %[2]s, provider: kea, networkInterfaces: [%s]}
`, namespace, name, strings.Join(interfaces, ", ")))
}

// leaseIsPinned is the life of a machine's address.
func leaseIsPinned(t *testing.T, w *world) {
	networkNamespace(t, machines, "")
	networkConfiguration(t, machines, machine, eth0, eth1)

	first, second := w.wire.device(t, eth0), w.wire.device(t, eth1)
	address := first.obtain()
	start := time.Now()
	w.awaitHeld(t, eth0, address)
	t.Logf("%s obtained %s and had it reserved %.1f s later", eth0, address, time.Since(start).Seconds())
	w.awaitHeld(t, eth1, second.obtain())
	w.awaitStatus(t, address)

	first.release()
	for i := range 10 {
		if taken := w.wire.device(t, fmt.Sprintf("00:02:12:34:58:%02x", i)).obtain(); taken == address {
			t.Fatalf("another device obtained %s, which is reserved for %s", taken, eth0)
		}
	}
	if again := first.obtain(); again != address {
		t.Fatalf("%s came back and obtained %s, not %s, which is reserved for it", eth0, again, address)
	}
}

// twoClientIDs is a machine whose firmware and operating system ask with different client-ids, which is
// the most reported reason for a reservation that "does not work". With match-client-id, Kea's default,
// the operating system gets another address than the one that the firmware's lease has pinned.
func twoClientIDs(t *testing.T, w *world) {
	const mac, name = "00:02:12:34:57:21", "pxe"
	apply(t, fmt.Sprintf(`
apiVersion: kea.crossplane.io/v1alpha1
kind: KeaReservation
metadata: {namespace: default, name: %s}
spec: {forProvider: {subnet: %s, hwAddress: %q}}
`, name, subnet, mac))
	firmware, system := w.wire.device(t, mac), w.wire.device(t, mac)
	pinned := firmware.obtain(dhcpv4.WithOption(dhcpv4.OptClientIdentifier([]byte("\x00firmware"))))
	w.awaitHeld(t, mac, pinned)
	other := system.obtain(dhcpv4.WithOption(dhcpv4.OptClientIdentifier([]byte("\x00system"))))
	if other == pinned {
		t.Fatalf("both client-ids obtained %s: Kea does not match client-ids here, and there is nothing to see", pinned)
	}
	r := &v1alpha1.KeaReservation{}
	testenv.Eventually(t, within, "the KeaReservation to name both leases and the remedy", func(ctx context.Context) error {
		if err := w.client.Get(ctx, client.ObjectKey{Namespace: "default", Name: name}, r); err != nil {
			return err
		}
		c := r.GetCondition(v1alpha1.TypeLeaseConfirmed)
		for _, part := range []string{pinned.String(), other.String(), "match-client-id"} {
			if c.Reason != v1alpha1.ReasonTwoLeases || !strings.Contains(c.Message, part) {
				return fmt.Errorf("LeaseConfirmed is %s %s: %s", c.Status, c.Reason, c.Message)
			}
		}
		return nil
	})
	t.Logf("LeaseConfirmed: %s", r.GetCondition(v1alpha1.TypeLeaseConfirmed).Message)
	firmware.release()
	system.release()
	kubectl(t, "-n", "default", "delete", "keareservation", name)
	w.awaitFree(t, mac)
}

// awaitStatus waits until the machine's status tells its first device's address.
func (w *world) awaitStatus(t *testing.T, address netip.Addr) {
	t.Helper()
	nc := w.awaitMachine(t, machines, machine)
	got := nc.Status.NetworkInterfaces[0]
	want := got
	want.MacAddress, want.IPv4Addresses, want.IPv4Subnet, want.DHCPReserved = eth0, []string{address.String()}, subnet, true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("status.networkInterfaces[0]: -want, +got:\n%s", diff)
	}
}

// keaRestarted takes Kea's memory away.
func keaRestarted(t *testing.T, w *world) {
	address, err := w.held(t.Context(), eth0)
	if err != nil {
		t.Fatal(err)
	}
	w.kea.Restart(t)
	start := time.Now()
	w.awaitHeld(t, eth0, address)
	t.Logf("put back %.1f s after Kea answered again", time.Since(start).Seconds())
	if got := w.wire.device(t, eth0).obtain(); got != address {
		t.Fatalf("%s obtained %s from the Kea that was restarted, not %s, which is reserved for it", eth0, got, address)
	}
}

func macRemoved(t *testing.T, w *world) {
	networkConfiguration(t, machines, machine, eth0)
	w.awaitFree(t, eth1)
	if address, err := w.held(t.Context(), eth0); err != nil || !address.IsValid() {
		t.Fatalf("the device that stays lost its reservation: %v", err)
	}
}

func networkConfigurationDeleted(t *testing.T, w *world) {
	kubectl(t, "-n", machines, "delete", "networkconfiguration", machine)
	w.awaitFree(t, eth0)
	w.awaitNoChildren(t, machines)
}

// awaitNoChildren waits until a namespace has no KeaReservation.
func (w *world) awaitNoChildren(t *testing.T, namespace string) {
	t.Helper()
	testenv.Eventually(t, within, "the KeaReservations of "+namespace+" to be gone", func(ctx context.Context) error {
		return w.none(ctx, keaReservation, client.InNamespace(namespace))
	})
}

// foregroundDeletion deletes an owner such that its dependents go first: they, and
// what they own, are then deleted while all of them are still there.
func foregroundDeletion(t *testing.T, w *world) {
	networkConfiguration(t, machines, "foreground", eth0)
	w.wire.device(t, eth0).obtain()
	w.awaitMachine(t, machines, "foreground")
	kubectl(t, "-n", machines, "delete", "networkconfiguration", "foreground", "--cascade=foreground", "--timeout=60s")
	w.awaitFree(t, eth0)
	w.awaitNoChildren(t, machines)
}
