// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// Modes of high availability with two servers, as Kea names them.
const (
	HAHotStandby    = "hot-standby"
	HALoadBalancing = "load-balancing"
)

// StartKeaPair starts two Keas in one high-availability relationship, the primary kea1 and its
// partner kea2, which differ from the default by their options and have the hook libraries of high
// availability and leases besides. They are stopped when the test ends. It does not wait for them
// to find each other, which takes some seconds.
func StartKeaPair(tb testing.TB, mode string, first, second KeaOptions) [2]*Kea {
	tb.Helper()
	partner := "secondary"
	if mode == HAHotStandby {
		partner = "standby"
	}
	peers := []any{}
	for i, role := range []string{"primary", partner} {
		port, err := freePort()
		if err != nil {
			tb.Fatal(err)
		}
		peers = append(peers, map[string]any{"name": haName(i), "role": role, "url": "http://" + loopback(port) + "/"})
	}
	var out [2]*Kea
	for i, o := range []KeaOptions{first, second} {
		// Short delays: by default they look for each other every ten seconds.
		relationship := map[string]any{
			"this-server-name": haName(i), "mode": mode, "peers": peers,
			"heartbeat-delay": 500, "max-response-delay": 5000, "max-ack-delay": 1000, "max-unacked-clients": 0,
		}
		o.Hooks = withHooks(o.Hooks, HookLeaseCmds, HookHA)
		o.HookParameters = maps.Clone(o.HookParameters)
		if o.HookParameters == nil {
			o.HookParameters = map[string]any{}
		}
		o.HookParameters[HookHA] = map[string]any{"high-availability": []any{relationship}}
		out[i] = StartKea(tb, o)
	}
	return out
}

func haName(i int) string { return fmt.Sprintf("kea%d", i+1) }

// withHooks returns hook libraries, or the default ones, with some more.
func withHooks(libraries []string, more ...string) []string {
	if libraries == nil {
		libraries = []string{HookHostCmds, HookSubnetCmds, HookLeaseCmds}
	}
	out := slices.Clone(libraries)
	for _, l := range more {
		if !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}
