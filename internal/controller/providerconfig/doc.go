// SPDX-License-Identifier: Apache-2.0

// Package providerconfig keeps the connections to Kea that ProviderConfigs and
// ClusterProviderConfigs describe, reports the state of their servers in the status,
// and counts their users.
//
//	ProviderConfig, Secret ──▶ reconciler ──open, fail──▶ Connections ──▶ group.Group
//	      ▲                        │   ▲                   │    ▲            │
//	      └─────── status ─────────┘   └── serverEvents ◀──┤    └── Notify ──┘
//	                                                       ▼
//	                                        listeners: the controllers
//
//	KeaReservation ──Track──▶ ProviderConfigUsage ──▶ user count (crossplane-runtime)
//	                               ▲
//	                               └── usageReconciler: deletes it after its KeaReservation
//
// config.go turns a spec and its Secrets into a group's configuration, and status.go
// a group's facts into a status; both are pure.
//
// Goroutines and locks:
//   - Each group runs in goroutines of its own, until it is replaced or the manager
//     ends; Connections.Wait waits for them.
//   - Connections.mu guards its map. It is not held while listeners are called, which
//     must not block: groups call them.
//   - serverEvents.mu and cluster.mu guard their fields; no other lock is taken
//     while they are held.
package providerconfig
