// SPDX-License-Identifier: Apache-2.0

// Package reservation decides about one host reservation: what Kea should hold for a device, whose
// the reservation is, and which steps lead from what Kea holds to what is wanted. It is pure:
// functions from values to values, without clock, goroutine, lock or I/O.
//
//	Intent ──────────────┐
//	Owner ───────────────┤
//	                     ├──▶ Decide ──▶ Plan{State, Message, Address, Steps}
//	View  memory@kea1 ───┤                              │
//	View  database@kea1 ─┘                              ▼
//	 (one per store)                      Step{Store, Add|Update|Remove, Want}
//
// A View is what is known about one store: the hosts in the memory of a server, or in its
// hosts-database. Decide looks at all stores before it plans a step for any of them, so that
// several servers never end up with different reservations because one of them refuses.
//
// decide.go is the chain of checks, in order of precedence; states.go has the one table of what
// each state means to users. Values are never modified: everything that is returned may be kept,
// and everything that is passed in may be shared between goroutines.
package reservation
