// SPDX-License-Identifier: Apache-2.0

// Package group makes the Kea servers of one provider configuration one unit: it reads what they
// hold into a mirror, and applies plans to them. It knows nothing of Kubernetes.
//
//	                  ┌───────────── Group ─────────────┐
//	Observe ─────────▶│ mirror ──Views──▶ reservation   │   never waits
//	                  │   ▲                 .Observe    │
//	Refresh ─────────▶│   │ single reads                │──▶ Kea   a command or two
//	Apply, Release ──▶│   │ plan: steps, then read back │──▶ Kea   all servers at once
//	                  │   │                             │
//	                  │ server.run, one goroutine each: │
//	                  │   heartbeat, probe, scan, save  │──▶ Kea   at the snapshot interval
//	                  └───────────────┬─────────────────┘
//	                                  └──▶ Config.Notify(mirror.Changes)
//
// Every server has one goroutine, its loop (loop.go), and another one while it is caught up
// (catchup.go). The loop alone probes, scans and saves. Callers of the exported methods send their
// commands themselves: each server has three turns for these, and the loop needs none, so that the
// heartbeat never waits for callers. A command's timeout counts from its turn.
//
// Before a write, a caller reads what Kea does not check itself (prepare.go). Where Kea refuses to
// add what it has already, nothing is read before an add; after a refusal, what is there is. After a
// write, what Kea made of it is read; but not after an add that puts back what Kea lost when it was
// started, which may be everything: the pages of the next snapshot show that. Leases are looked up by
// device, or in pages where devices come together (lease_demand.go).
//
// The health of a server (health.go), fed by the outcome of callers' commands and by the loop:
//
//	          heartbeats fail, or it cannot be used as it is
//	     ┌───────────────────────────────────────────────────────┐
//	     │      a command fails                                  ▼
//	┌─▶ Up ─────────────────────▶ Suspect ── heartbeats fail ──▶ Down
//	│    ▲                          │                            │ ▲
//	│    └── a heartbeat, or a ─────┘                            │ │
//	│        command, is answered                                │ │
//	└── read ────────────────────── Returning ◀── a heartbeat ───┘ │
//	                                   │          is answered      │
//	                                   └── heartbeats fail ────────┘
//
// Only Up and Suspect serve: what is known of the server holds. A Suspect server gets no commands
// of callers. A Down one that answers all along, and could not be used, is Up once it has been
// read. One that has come and gone twice stays Returning for a whole interval.
//
// Locking:
//   - Group.mu guards the list of servers, which Reconfigure replaces as a whole, and shared. It is
//     taken before server.mu, and before the mirror's lock.
//   - server.mu guards what callers and the loop share: health, facts, capabilities, what is
//     behind, waiting or unsaved. Fields marked "of the loop alone" have no lock.
//   - Settings are swapped as a whole, without a lock (server.current).
//   - No lock is held while a command is sent, nor while Config.Notify is called.
//   - The mirror has its own lock, and is never called with server.mu.
package group
