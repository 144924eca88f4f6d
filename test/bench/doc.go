// SPDX-License-Identifier: Apache-2.0

// Package bench measures what a fleet of machines costs: `make bench` runs it, prints the table and
// writes it into docs/benchmarks.md. The API server, etcd, Kea and the provider are the real
// programs, on one machine, and the provider is built without the race detector.
//
//	limits    what the API server and Kea take from clients that do nothing else
//	pinned    N machines with a lease, all at once; some by kea-operator before, if its program is given
//	rest      two minutes in which nothing happens
//	waiting   machines whose leases come later
//	repair    one new machine while all are woken; a foreign deletion; Kea without its memory
//	start-up  a provider that finds everything in place
//
// Each step waits for a condition: how long that takes is what is measured. No step fails because it
// is slow. Figures that do not depend on the machine's speed are held by the tests of the packages.
package bench
