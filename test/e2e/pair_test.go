// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// The segment of the pair: its clients are in a network namespace, on a bridge. The servers' ends
// are not in one, because the cluster's pods have to reach their APIs.
const (
	pairNamespace = "kea-e2e-pair"
	pairBridge    = "kea-e2e-bridge"
	pairSubnet    = "10.124.0.0/24"
	pairConfig    = "pair"
)

// pairPool is how many addresses the pair leases.
const pairPool = 6

// pairMember is one server of the pair.
type pairMember struct {
	*testenv.Kea

	at      *kea.Client // talks to the server outside the provider
	address netip.Addr  // which the server has on the segment
}

// layBridge makes a segment with an end for each server.
func layBridge(t *testing.T, addresses ...string) (w *wire, ends []string) {
	t.Helper()
	for i := range addresses {
		ends = append(ends, fmt.Sprintf("kea-e2e-s%d", i+1))
	}
	w = newWire(t, pairNamespace, pairBridge, ends...)
	ip(t, "-n", pairNamespace, "link", "add", pairBridge, "type", "bridge")
	for i, end := range ends {
		port := fmt.Sprintf("kea-e2e-p%d", i+1)
		ip(t, "link", "add", end, "type", "veth", "peer", "name", port, "netns", pairNamespace)
		ip(t, "-n", pairNamespace, "link", "set", port, "master", pairBridge, "up")
		ip(t, "address", "add", addresses[i]+"/24", "dev", end)
		ip(t, "link", "set", end, "up")
	}
	ip(t, "-n", pairNamespace, "link", "set", pairBridge, "up")
	return w, ends
}

// startPair starts a hot-standby pair whose primary is the first of the two.
func startPair(t *testing.T, w *world) (*wire, [2]*pairMember) {
	t.Helper()
	addresses := []string{"10.124.0.1", "10.124.0.2"}
	bridge, ends := layBridge(t, addresses...)
	api, err := w.reachable(t)
	if err != nil {
		t.Fatal(err)
	}
	var options [2]testenv.KeaOptions
	for i := range options {
		options[i] = testenv.KeaOptions{
			Address: api, Username: username, Password: password, Interfaces: []string{ends[i]},
			// Partners need equal subnet-ids: leases are replicated with theirs.
			Subnets: []testenv.Subnet{{ID: 1, Prefix: pairSubnet, Pools: []string{fmt.Sprintf("10.124.0.100 - 10.124.0.%d", 100+pairPool-1)}}},
			Extra:   map[string]any{"valid-lifetime": 600},
		}
	}
	keas := testenv.StartKeaPair(t, testenv.HotStandby, options[0], options[1])
	var out [2]*pairMember
	for i, k := range keas {
		at, err := kea.NewClient(kea.Config{URL: k.URL, Username: username, Password: password})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(at.Close)
		out[i] = &pairMember{Kea: k, at: at, address: netip.MustParseAddr(addresses[i])}
	}
	return bridge, out
}

// awaitState waits until a server is in a state of high availability.
func (m *pairMember) awaitState(t *testing.T, want string) {
	t.Helper()
	testenv.Eventually(t, within, "the state "+want, func(ctx context.Context) error {
		s, err := m.at.Status(ctx)
		if err == nil && (len(s.HA) != 1 || s.HA[0].State != want) {
			err = fmt.Errorf("it is %+v", s.HA)
		}
		return err
	})
}

// awaitReserved waits until a server has an address reserved for a device.
func (m *pairMember) awaitReserved(t *testing.T, mac string, want netip.Addr) {
	t.Helper()
	testenv.Eventually(t, within, fmt.Sprintf("%s to be reserved for %s", want, mac), func(ctx context.Context) error {
		rs, err := m.at.ReservationsByID(ctx, kea.HWAddress(mac))
		if err == nil && (len(rs) != 1 || rs[0].IPAddress != want) {
			err = fmt.Errorf("the server has %+v", rs)
		}
		return err
	})
}

// awaitReleased waits until a server knows of no lease of a device that is in use.
func (m *pairMember) awaitReleased(t *testing.T, mac string) {
	t.Helper()
	testenv.Eventually(t, within, "the release of "+mac, func(ctx context.Context) error {
		leases, err := m.at.LeasesByHWAddress(ctx, kea.HWAddress(mac))
		if err == nil && slices.ContainsFunc(leases, func(l kea.Lease) bool { return l.Active(time.Now()) }) {
			err = fmt.Errorf("it has %+v", leases)
		}
		return err
	})
}

// servedBy fails if a device's last answer came from another server.
func (d *device) servedBy(m *pairMember) {
	d.t.Helper()
	if got, _ := netip.AddrFromSlice(d.lease.ACK.ServerIdentifier().To4()); got != m.address {
		d.t.Errorf("%s was served by %s, not by %s", d.mac, got, m.address)
	}
}

// highAvailability is a pair of servers, seen by devices: what is pinned is theirs whichever of the
// servers answers. Devices without a reservation fill the pool meanwhile, so that only a reservation
// keeps an address.
func highAvailability(t *testing.T, w *world) {
	const first, second = "00:02:12:34:60:01", "00:02:12:34:60:02"
	bridge, pair := startPair(t, w)
	primary, standby := pair[0], pair[1]
	primary.awaitState(t, testenv.HotStandby)
	standby.awaitState(t, testenv.HotStandby)
	applyPair(t, pair)
	reserve(t, "first", first)

	d := bridge.device(t, first)
	pinned := d.obtain()
	d.servedBy(primary)
	primary.awaitReserved(t, first, pinned)
	standby.awaitReserved(t, first, pinned)
	w.awaitReserved(t, "default", "first")
	d.release()
	standby.awaitReleased(t, first)

	primary.Kill()
	start := time.Now()
	standby.awaitState(t, "partner-down")
	t.Logf("the standby serves alone %.1f s after the primary was killed", time.Since(start).Seconds())
	reserve(t, "second", second)
	d2 := bridge.device(t, second)
	pinned2 := d2.obtain()
	d2.servedBy(standby)
	standby.awaitReserved(t, second, pinned2)
	w.awaitReserved(t, "default", "second")
	for i := range pairPool - 2 {
		bridge.device(t, fmt.Sprintf("00:02:12:34:61:%02x", i)).obtain()
	}
	bridge.device(t, "00:02:12:34:61:ff").getsNothing()
	if again := d.obtain(); again != pinned {
		t.Fatalf("%s obtained %s from the standby, not %s, which is reserved for it", first, again, pinned)
	}
	d.servedBy(standby)
	t.Logf("%s had %s from the primary and has it from the standby; %s got %s from the standby", first, pinned, second, pinned2)

	primary.Start(t)
	start = time.Now()
	primary.awaitReserved(t, first, pinned)
	primary.awaitReserved(t, second, pinned2)
	t.Logf("what the primary had lost was restored %.1f s after it answered again", time.Since(start).Seconds())
	primary.awaitState(t, testenv.HotStandby)
	standby.awaitState(t, testenv.HotStandby)
	for d, want := range map[*device]netip.Addr{d: pinned, d2: pinned2} {
		if again := d.obtain(); again != want {
			t.Fatalf("%s obtained %s from the primary that returned, not %s, which is reserved for it", d.mac, again, want)
		}
		d.servedBy(primary)
	}
	kubectl(t, "-n", "default", "delete", "keareservation", "first", "second", "--timeout=60s")
	kubectl(t, "delete", "clusterproviderconfig", pairConfig, "--timeout=60s")
}

// applyPair applies the configuration of a pair, with the Secret that configure has made.
func applyPair(t *testing.T, pair [2]*pairMember) {
	t.Helper()
	apply(t, fmt.Sprintf(`
apiVersion: kea.crossplane.io/v1alpha1
kind: ClusterProviderConfig
metadata: {name: %s}
spec:
  servers: [{name: kea1, url: %q}, {name: kea2, url: %q}]
  credentials: {source: Secret, secretRef: {namespace: %s, name: kea-credentials}}
  snapshotInterval: 6s
  timeout: 2s
`, pairConfig, pair[0].URL, pair[1].URL, crossplaneNamespace))
}

// reserve applies a KeaReservation that pins what a device leases from the pair.
func reserve(t *testing.T, name, mac string) {
	t.Helper()
	apply(t, fmt.Sprintf(`
apiVersion: kea.crossplane.io/v1alpha1
kind: KeaReservation
metadata: {namespace: default, name: %s}
spec:
  providerConfigRef: {kind: ClusterProviderConfig, name: %s}
  forProvider: {subnet: %s, hwAddress: %q}
`, name, pairConfig, pairSubnet, mac))
}
