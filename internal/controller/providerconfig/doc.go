// SPDX-License-Identifier: Apache-2.0

// Package providerconfig opens the groups of Kea servers that ProviderConfigs and
// ClusterProviderConfigs describe, reports the state of their servers in the status,
// and counts their users.
//
//	ProviderConfig, Secret ──▶ reconciler ──Open, Fail, Close──▶ connection.Groups
//	      ▲                        │   ▲                              │
//	      └─────── status ─────────┘   └────────── requests ◀─────────┘
//
//	KeaReservation ──events──▶ Users ──▶ usersReconciler: status.users, finalizer
//	                             └──────▶ orphansReconciler: status.orphans ◀── what servers have
//
// A deleted configuration goes when the API server has no KeaReservation that uses it, and
// no reconcile is making one (Users.Begin). What Users counts is only reported.
//
// What another process's shard has is left alone. shard_events.go says when it is taken over.
//
// status.go turns what a group knows of its servers into a status; it is pure.
//
// The reconcilers read and write configurations by configs.go, so that none begins with an older version
// than one of them wrote.
//
// Locks: requests.mu, Users.mu and cluster.mu guard their fields; no other lock is taken
// while they are held. cached.Writes has its own.
package providerconfig
