// SPDX-License-Identifier: Apache-2.0

// Package mirror holds what is known about the Kea servers of one group: their subnets, hosts and
// leases, as paging has read them and as single reads have corrected them since. Looking at it is a
// map lookup.
//
//	pages of a scan ──▶ Scan ──Commit──┐
//	                                   ▼
//	single reads ───────Put…──▶ Mirror{server → subnets, leases, policies}  ──Views──▶ reservation.Decide
//	                              │    {store  → hosts, vanished, rewrites, refusals}
//	                              ▼
//	                           Changes (which devices, which addresses, or everything)
//
// The package does no I/O, starts no goroutine and has no clock: the time is passed in.
//
// Locking:
//   - Mirror.mu guards everything in a Mirror; every exported method takes it, none is called with it.
//   - A mutator never calls back. It returns Changes, which the caller passes on after the call.
//   - A Scan belongs to the goroutine that fills it, until Commit takes it over.
//   - Reservations in the mirror are never modified, only replaced: what Views returns may be read
//     without a lock.
//   - Single reads that arrive between BeginScan and Commit win over what the scan has read of the same
//     hosts, and that is settled in Commit alone.
package mirror
