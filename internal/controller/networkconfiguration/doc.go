// SPDX-License-Identifier: Apache-2.0

// Package networkconfiguration creates a KeaReservation for each hardware address
// of a VitiStack NetworkConfiguration, and reports in the NetworkConfiguration's
// status which addresses Kea has reserved.
//
//	NetworkConfiguration ─┐ events (enqueue.go)
//	NetworkNamespace ─────┼──────▶ queue ──▶ Reconcile (reconciler.go)
//	KeaReservation ───────┘  ▲                 │
//	provider configuration ──┘ (waits.go)      ▼
//	  caches ───▶ situation ───▶ plan ───▶ guard ───▶ KeaReservations   (apply.go)
//	              situation.go   claim.go  guard.go     and
//	  servers ──▶ places         expand.go           status, events   (report.go, status.go,
//	              places.go      duplicates.go                         events.go)
//	                             move.go
//	                             plan.go
//
// A NetworkConfiguration is handled by the process that serves the provider configuration of its place
// (shard.go).
//
// A machine whose reservations are made at once costs two writes here: a
// KeaReservation, and a status that says that they are made (untilWorthReporting).
// No reconcile begins with an older NetworkConfiguration than it wrote itself.
// What is in the second row between caches and writes is pure: functions from
// values to values, but for the functions of places, which read what is known. The
// guard counts removals over time. setup.go registers the controller with the gate,
// and run.go runs it while VitiStack's CRDs and the permissions are there.
//
// Goroutines and locks:
//   - The queue's workers call Reconcile, never twice at once for one object.
//   - A reconciler has no state but its onceRecorder, its guard and its waits, which outlive it, and
//     what it wrote last (cached.Writes). Each has a mutex of its own.
//   - An enqueuer has no state; informers call it. waits is called by the servers'
//     goroutines, too, and does not block.
//   - readFailures has a mutex of its own; the requests of VitiStack's cache call it.
//   - run has one goroutine for VitiStack's cache and one for the controller, both of
//     which end with its context. The manager's cache outlives them (sharedCache).
//   - Objects from a cache are shared: they are copied before a change.
package networkconfiguration
