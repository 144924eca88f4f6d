// SPDX-License-Identifier: Apache-2.0

// Package keareservation makes KeaReservations host reservations in Kea: an
// external client in crossplane-runtime's sense, on top of the group of servers
// of the resource's provider configuration.
//
// intent.go says what is wanted of Kea, status.go what is told of it; both are
// functions from values to values. wake.go brings the resources that a change in
// Kea touches into the queue, so that the poll is only a safety net.
package keareservation
