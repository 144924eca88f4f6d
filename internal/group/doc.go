// SPDX-License-Identifier: Apache-2.0

// Package group holds the Kea servers of one provider configuration as one
// thing: it knows what they hold, decides where a host reservation must be and
// writes it there.
//
// What the servers hold is kept in a snapshot per server, read by paging and
// brought up to date by the group's own writes, so that observing a reservation
// is a map lookup, except where an address is about to be taken from a lease. The
// difference of two snapshots tells whose reservation was touched from outside;
// Config.Notify hears of it.
//
// decide is the heart: a function from what a snapshot says and what is wanted
// to what is to be done. Everything that talks to Kea is in server.go, loop.go,
// scan.go, leases.go, write.go, learn.go and release.go. The package knows nothing
// of Kubernetes.
package group
