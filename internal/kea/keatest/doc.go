// SPDX-License-Identifier: Apache-2.0

// Package keatest is an in-memory Kea for tests, with faults on demand. The contract suite of
// package kea runs against it and against a real Kea: where the two differ, keatest is wrong.
//
//	kea.Client ──HTTP or RoundTrip──▶ transport.go ──▶ fault.go ──▶ commands.go ──▶ stores, leases
//	                                                                    │
//	the test ──Put…, Drop…, AddLease, Restart, Log, …──────────────────┘
//
// One mutex per Server guards everything but the hosts in a store, which has its own, because
// servers can share a Database. A command runs with the server's mutex held, one after the other as
// in Kea. A command that hangs holds none.
package keatest
