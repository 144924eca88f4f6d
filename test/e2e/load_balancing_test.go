// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// Devices that the two servers divide among themselves, by the hash of RFC 3074.
const (
	deviceOfKea1 = "02:00:00:00:01:03"
	deviceOfKea2 = "02:00:00:00:01:01"
)

// A balancedPair is two real Keas with load balancing, both on one wire, and reservations in memory.
// Each gives out dynamic addresses from its half of the pool only (ARM, "Load Balancing
// Configuration").
type balancedPair struct {
	t      *testing.T
	wire   *wire
	keas   [2]*testenv.Kea
	client [2]*kea.Client
}

func startBalanced(t *testing.T) *balancedPair {
	t.Helper()
	p := &balancedPair{t: t, wire: layWire(t, "kea-lb", "10.77.0.1/24", "10.77.0.2/24")}
	half := func(pool, server string) any {
		return map[string]any{"pool": pool, "client-classes": []string{"HA_" + server}}
	}
	options := func(address string) testenv.KeaOptions {
		return testenv.KeaOptions{
			Interfaces: []string{p.wire.serverEnd + "/" + address},
			Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.77.0.0/24", Extra: map[string]any{
				"pools": []any{half("10.77.0.100 - 10.77.0.149", "kea1"), half("10.77.0.150 - 10.77.0.199", "kea2")},
			}}},
		}
	}
	p.keas = testenv.StartKeaPair(t, testenv.LoadBalancing, options("10.77.0.1"), options("10.77.0.2"))
	for i, k := range p.keas {
		c, err := kea.NewClient(kea.Config{URL: k.URL})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(c.Close)
		p.client[i] = c
	}
	p.await(0, testenv.LoadBalancing, testenv.LoadBalancing)
	p.await(1, testenv.LoadBalancing, testenv.LoadBalancing)
	return p
}

// await waits until a server is in a state, and its partner as far as it knows.
func (p *balancedPair) await(server int, state, partner string) {
	p.t.Helper()
	testenv.Eventually(p.t, within, "high availability to be "+state, func(ctx context.Context) error {
		s, err := p.client[server].Status(ctx)
		if err == nil && (len(s.HA) != 1 || s.HA[0].State != state || s.HA[0].PeerState != partner) {
			err = fmt.Errorf("it is %+v", s.HA)
		}
		return err
	})
}

// reserve replaces what is reserved for a device, on the servers named; "" is nothing.
func (p *balancedPair) reserve(mac, address string, servers ...int) {
	p.t.Helper()
	for _, i := range servers {
		err := p.client[i].DeleteReservation(p.t.Context(), kea.TargetMemory, 1, kea.HWAddress(mac))
		if err != nil && !errors.Is(err, kea.ErrNotFound) {
			p.t.Fatal(err)
		}
		if address == "" {
			continue
		}
		r := kea.Reservation{SubnetID: 1, HWAddress: kea.HWAddress(mac), IPAddress: netip.MustParseAddr(address)}
		if err := p.client[i].AddReservation(p.t.Context(), kea.TargetMemory, r); err != nil {
			p.t.Fatal(err)
		}
	}
}

// answer is the address that a device gets, and from which server.
type answer struct{ Address, Server string }

// boot has a device obtain a lease.
func (p *balancedPair) boot(t *testing.T, mac string) answer {
	t.Helper()
	d := p.wire.device(t, mac)
	a := answer{Address: d.obtain().String()}
	a.Server = d.lease.ACK.ServerIdentifier().String()
	return a
}

// TestLoadBalancing: a reserved address is a device's own, whichever of two servers answers the
// device and whichever half of the pool the address is in, if both servers have the reservation.
func TestLoadBalancing(t *testing.T) {
	p := startBalanced(t)
	const kea1, kea2 = "10.77.0.1", "10.77.0.2"
	cases := map[string]struct {
		reason  string
		device  string
		servers []int
		address string
		want    answer
	}{ // Each address occurs once: leases remain.
		"OutOfPool1": {"Addresses outside of pools belong to no half.", deviceOfKea1, []int{0, 1}, "10.77.0.10", answer{"10.77.0.10", kea1}},
		"OutOfPool2": {"Addresses outside of pools belong to no half.", deviceOfKea2, []int{0, 1}, "10.77.0.11", answer{"10.77.0.11", kea2}},
		"OwnHalf1":   {"The address is in the server's half.", deviceOfKea1, []int{0, 1}, "10.77.0.120", answer{"10.77.0.120", kea1}},
		"OwnHalf2":   {"The address is in the server's half.", deviceOfKea2, []int{0, 1}, "10.77.0.170", answer{"10.77.0.170", kea2}},
		"OtherHalf1": {"Halves are for dynamic addresses only.", deviceOfKea1, []int{0, 1}, "10.77.0.171", answer{"10.77.0.171", kea1}},
		"OtherHalf2": {"Halves are for dynamic addresses only.", deviceOfKea2, []int{0, 1}, "10.77.0.121", answer{"10.77.0.121", kea2}},
		"OneServer":  {"The device's server is enough until another device gets the address of the other.", deviceOfKea1, []int{0}, "10.77.0.172", answer{"10.77.0.172", kea1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p.reserve(tc.device, "", 0, 1)
			p.reserve(tc.device, tc.address, tc.servers...)
			if diff := cmp.Diff(tc.want, p.boot(t, tc.device)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
			p.reserve(tc.device, "", 0, 1)
		})
	}

	// Where the device's own server lacks the reservation it is none.
	p.reserve(deviceOfKea1, "10.77.0.20", 1)
	if got := p.boot(t, deviceOfKea1); got.Address == "10.77.0.20" || got.Server != kea1 {
		t.Errorf("reserved on the other server only: got %+v", got)
	}

	// The survivor of an outage keeps both to their addresses.
	p.reserve(deviceOfKea1, "10.77.0.180", 0, 1)
	p.reserve(deviceOfKea2, "10.77.0.30", 0, 1)
	p.boot(t, deviceOfKea1)
	p.keas[0].Stop()
	p.await(1, "partner-down", "unavailable")
	got := []answer{p.boot(t, deviceOfKea1), p.boot(t, deviceOfKea2)}
	if diff := cmp.Diff([]answer{{"10.77.0.180", kea2}, {"10.77.0.30", kea2}}, got); diff != "" {
		t.Errorf("after an outage: -want +got:\n%s", diff)
	}
}
