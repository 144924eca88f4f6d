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
// Resources of another process's shard are neither enqueued nor reconciled, see served.go.
//
// crossplane-runtime writes through a savingClient, which leaves out what the API server has
// already, and remembers its last writes: no reconcile begins with an older version of a resource.
// pin.go fills in the address of a lease. record_use.go says how a resource that may have something
// in Kea is known from one that never had.
//
// Locking: waker.mu guards the changes that are pending. Its one goroutine takes them, and enqueues
// without the lock. namespaces.mu guards whether the cache is filled. createdSet, resourceSet and
// cached.Writes have a mutex each, which is held for a map access. All else belongs to one reconcile.
package keareservation
