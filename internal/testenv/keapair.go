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
	peers := make([]any, 0, 2)
	for i := range 2 {
		port, err := freePort()
		if err != nil {
			tb.Fatal(err)
		}
		peers = append(peers, map[string]any{"name": peerName(i), "role": peerRole(mode, i), "url": "http://" + loopback(port) + "/"})
	}
	var out [2]*Kea
	for i, o := range []KeaOptions{kea1, kea2} {
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
