// SPDX-License-Identifier: Apache-2.0

// Package group makes the Kea servers of one provider configuration one unit: it reads what they
// hold into a mirror, and applies plans to them. It knows nothing of Kubernetes.
//
//	                  ┌───────────── Group ─────────────┐
//	Observe ─────────▶│ mirror ──Views──▶ reservation   │   never waits
//	                  │   ▲                 .Observe    │
//	Refresh ─────────▶│   │ single reads                │──▶ Kea   a command or two
//	Apply, Release ──▶│   │ plan: steps, then read back │──▶ Kea
//	                  │   │                             │
//	                  │ server.run, one goroutine each: │
//	                  │   heartbeat, probe, scan, save  │──▶ Kea   at the snapshot interval
//	                  └───────────────┬─────────────────┘
//	                                  └──▶ Config.Notify(mirror.Changes)
//
// Every server has one goroutine, its loop (loop.go). It alone probes and scans. Callers of the
// exported methods send their commands themselves.
//
// Locking:
//   - server.mu guards what callers and the loop share: facts, waiting, and what is unsaved.
//   - Fields marked "of the loop alone" have no lock.
//   - No lock is held while a command is sent, nor while Config.Notify is called.
//   - The mirror has its own lock, and is never called with server.mu.
package group
