// SPDX-License-Identifier: Apache-2.0

// Package kea talks to one ISC Kea DHCPv4 server: its commands and answers as Go types, the
// transport, and errors that name the remedy. It knows nothing of Kubernetes and of other servers.
//
//	caller ──Reservation, AddReservation, Subnets, Configuration, …──▶ Client.run
//	   ▲                                                                  │ encode (json.go, text.go)
//	   │   values, *RejectedError, ErrNotFound, …                         ▼
//	   └────────────── decode ◀── answer.go ◀── transport.go ──HTTP POST──▶ kea-dhcp4
//
// A Client starts no goroutines and calls back nothing but Config.Observe, on the caller's
// goroutine. Its one mutex, in gap.go, guards what it remembers of listings, and is never held
// while a command runs. All else in it is set once. So its methods may be called at the same time;
// Kea itself works on one command after the other.
//
// Two rules shape it. Kea answers every failure with the same result code 1 and a text that differs
// by back end and version, so a caller with a *RejectedError reads again (by identifier and by
// address) and decides from what is there. And only Kea's result code 3 means "not there"
// (ErrNotFound): a server that cannot be reached, refuses the command or answers nonsense says
// nothing about what it has.
//
// What this package relies on is pinned by the contract suite in this folder, which runs against
// keatest and against a real Kea, with host reservations in memory, in PostgreSQL and in MariaDB.
// "ARM" in comments is the Kea Administrator Reference Manual.
package kea
