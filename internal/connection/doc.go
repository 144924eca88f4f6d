// SPDX-License-Identifier: Apache-2.0

// Package connection leads from a provider configuration and its Secrets to a running group of Kea
// servers, and to the controllers that use it. It reads no Kubernetes object itself, but for the
// labels of provider configurations, by which shard.go says which of them this process serves.
//
//	xpv2.ProviderConfigReference ──RefOf──▶ Ref ─┐
//	                                             ▼
//	spec ──SecretNames──▶ names                Groups{Ref → group.Group, or an error}
//	  │                     ┆ read by the      ▲ │ ▲      │
//	  ▼                     ▼ reconciler       │ │ │      └── Group, Running, Usable ──▶ callers
//	Resolve ◀────────── Secrets                │ │ └── Notify: what changed in Kea
//	  │                                        │ ▼
//	  └──▶ group.Config, fingerprint ──Open────┘ listeners: the controllers
//
// ref.go, access.go, resolve.go, secrets.go and tls.go are pure. Groups keeps one group for each
// provider configuration: Open starts it, or reconfigures the one that runs, so that what is known
// about the servers that remain survives a rotated Secret or an edited spec; Fail and Close end it.
//
// Goroutines and locks:
//   - Each group runs in goroutines of its own, until it is closed, fails, or the context that it was
//     opened with ends; Groups.Wait waits for them.
//   - Groups.mu guards its map. It is not held while a group is reconfigured, nor while listeners are
//     called, which must not block: groups call them.
//   - Open, Fail and Close of one provider configuration must not be called at the same time; a
//     controller's queue sees to that. All else may be.
package connection
