// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Modes of a pair of Kea servers, as Kea's high-availability hook names them.
const (
	HotStandby    = "hot-standby"
	LoadBalancing = "load-balancing"
)

// StartKeaPair starts two Keas that replicate leases to each other in a mode of
// high availability, and stops them when the test ends. In Kea's configuration
// they are kea1 and kea2; in hot standby kea1 is the primary. Each has its own
// options, to which it adds the hook library. A server that does not hear from its
// partner serves alone within seconds.
func StartKeaPair(tb testing.TB, mode string, kea1, kea2 KeaOptions) [2]*Kea {
	tb.Helper()
	return StartKeaPairBy(tb, mode, kea1, kea2, func(_, _, address string) string { return address })
}

// StartKeaPairBy is StartKeaPair with the addresses that lead each server (from) to
// its partner (to), which listens at an address.
func StartKeaPairBy(tb testing.TB, mode string, kea1, kea2 KeaOptions, by func(from, to, address string) string) [2]*Kea {
	tb.Helper()
	var listens [2]string
	for i := range listens {
		port, err := freePort()
		if err != nil {
			tb.Fatal(err)
		}
		listens[i] = loopback(port)
	}
	var out [2]*Kea
	for i, o := range []KeaOptions{kea1, kea2} {
		addresses := listens
		addresses[1-i] = by(peerName(i), peerName(1-i), listens[1-i])
		var peers []any
		for j, a := range addresses {
			peers = append(peers, map[string]any{"name": peerName(j), "role": peerRole(mode, j), "url": "http://" + a + "/"})
		}
		out[i] = StartKea(tb, withHA(o, mode, peerName(i), peers))
	}
	return out
}

func peerName(i int) string { return fmt.Sprintf("kea%d", i+1) }

func peerRole(mode string, i int) string {
	switch {
	case i == 0:
		return "primary"
	case mode == LoadBalancing:
		return "secondary"
	default:
		return "standby"
	}
}

// withHA returns options with the hook library of high availability. The times are
// in milliseconds, and much shorter than Kea's, so that a test need not wait for a
// minute until a server takes its partner for dead.
func withHA(o KeaOptions, mode, name string, peers []any) KeaOptions {
	if o.Hooks == nil {
		o.Hooks = defaultHooks()
	}
	o.Hooks = append(slices.Clone(o.Hooks), HookHA)
	o.HookParameters = maps.Clone(o.HookParameters)
	if o.HookParameters == nil {
		o.HookParameters = map[string]any{}
	}
	o.HookParameters[HookHA] = map[string]any{"high-availability": []any{map[string]any{
		"this-server-name":    name,
		"mode":                mode,
		"heartbeat-delay":     500,
		"max-response-delay":  2000,
		"max-ack-delay":       500,
		"max-unacked-clients": 0,
		"sync-timeout":        5000,
		"peers":               peers,
	}}}
	return o
}
