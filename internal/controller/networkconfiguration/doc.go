// SPDX-License-Identifier: Apache-2.0

// Package networkconfiguration gives every machine that a VitiStack
// NetworkConfiguration describes its host reservations in Kea: it expands the
// NetworkConfiguration into one KeaReservation for each hardware address, and
// writes what became of them into the NetworkConfiguration's status.
//
// What to do is decided by functions from values to values: whose a
// NetworkConfiguration is (ownership.go), what is to be there for it
// (expand.go), who has an address that two of them name (duplicates.go), what
// to apply and what to delete (plan.go), and what to tell (status.go). Around
// them is what reads and writes: reconciler.go, look.go and act.go do it for one
// NetworkConfiguration, wake.go tells which ones an event concerns, and setup.go
// and session.go have all of it run when, and only when, the gate says that
// VitiStack is there and the provider may work with it.
package networkconfiguration
