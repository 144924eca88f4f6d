// SPDX-License-Identifier: Apache-2.0

// Package chaos shows that no sequence of faults makes the provider lose, steal or leak a
// reservation: `make chaos TIME=10m SEED=7` runs it. Everything is real: an API server, two
// replicas of the provider with leader election, a pair of Kea servers in hot standby with their
// reservations in memory, and two with a PostgreSQL and a MariaDB.
//
// A round begins and ends with nothing. Its history, which the seed decides, is what users, other
// administrators of Kea, and fate do to them in its time:
//
//	users     create, edit, move and delete NetworkConfigurations and KeaReservations
//	others    remove and change reservations in Kea, which is not theirs to do
//	fate      kills and freezes a server or a replica, cuts or breaks a connection
//
// Then everything is up again, and within a few minutes all must be right: see wrong. If it is not,
// the round is tried again on new servers with less and less of its history, and the shortest one
// that fails is printed. `make chaos HISTORY=file` runs one again.
//
// A soak (`make soak TIME=1h FLEET=5000`) is a single history, with few changes and faults. It
// fails if what the provider uses grows.
package chaos
