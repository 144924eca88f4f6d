// SPDX-License-Identifier: Apache-2.0

// Package kea talks to one ISC Kea DHCPv4 server: its commands and answers as Go types, the transport, and errors that tell the user what to do.
//
// It knows nothing of Kubernetes and of other servers. What it relies on is pinned by the contract suite in this folder, which runs against keatest
// and against a real Kea, with memory hosts and with PostgreSQL.
//
// Two rules shape it. Kea answers every failure with the same result code 1 and a text that differs by back end and version, so a caller that got a
// *RejectedError re-reads (by identifier and by address) and decides from what is there. And only Kea's result code 3 is "not there" (ErrNotFound):
// a server that cannot be reached, refuses us or answers nonsense says nothing about what it holds.
package kea
