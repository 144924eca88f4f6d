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
//	                           Changes (which devices, addresses and subnets, or everything)
//
// What is kept is small, since there is much of it: a host is what finds it and its JSON, which is
// parsed when a View is made (entry.go), a lease is 32 bytes and its place in an index (lease_entry.go).
// A scan takes over the entries of the hosts that it finds as they were, byte by byte, so that an idle
// fleet is read without keeping or parsing anything again.
//
// The package does no I/O, starts no goroutine and has no clock: the time is passed in.
//
// Locking:
//   - Mirror.mu guards everything in a Mirror; every exported method takes it, none is called with it.
//   - A mutator never calls back. It returns Changes, which the caller passes on after the call.
//   - A Scan belongs to the goroutine that fills it, until Commit takes it over.
//   - Entries are never modified, only replaced: scans share them. The hosts of a View are parsed for
//     its caller; what else it has is shared, and must not be modified.
//   - Single reads that arrive between BeginScan and Commit win over what the scan has read of the same
//     hosts, and that is settled in Commit alone.
package mirror
