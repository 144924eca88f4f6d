// SPDX-License-Identifier: Apache-2.0

// Package providerconfig opens the groups of Kea servers that ProviderConfigs and
// ClusterProviderConfigs describe, reports the state of their servers in the status,
// and counts their users.
//
//	ProviderConfig, Secret ──▶ reconciler ──Open, Fail, Close──▶ connection.Groups
//	      ▲                        │   ▲                              │
//	      └─────── status ─────────┘   └──────── serverEvents ◀───────┘
//
//	KeaReservation ──Track──▶ ProviderConfigUsage ──▶ user count (crossplane-runtime)
//	                               ▲
//	                               └── usageReconciler: deletes it after its KeaReservation
//
// status.go turns what a group knows of its servers into a status; it is pure.
//
// Locks: serverEvents.mu and cluster.mu guard their fields; no other lock is taken
// while they are held.
package providerconfig
