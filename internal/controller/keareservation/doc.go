// SPDX-License-Identifier: Apache-2.0

// Package keareservation makes KeaReservations host reservations in Kea: an external client in
// crossplane-runtime's sense, on top of the group of servers of the provider configuration.
//
//	watch ──▶ eventHandler ─┐
//	                        ├─▶ queue ──▶ managed.Reconciler ──▶ connector ──▶ external ──▶ group.Group
//	Kea ──▶ group ─▶ waker ─┘                                        │            │
//	                                                       intent.go ┘            └ status.go, conditions.go
//
// intent.go makes an Intent of a spec, status.go and conditions.go make a status of an Observation:
// both are functions from values to values. The waker enqueues the resources that a change in Kea
// concerns, so that polling is only a fallback. access.go finds what a namespace may use, and wakes
// the resources that a change of that concerns: what may not be used gets no further than external.
//
// Locking: waker.mu guards the changes that are pending. Its one goroutine takes them, and enqueues
// without the lock. namespaces.mu guards whether the cache is filled. All else belongs to one
// reconcile.
package keareservation
