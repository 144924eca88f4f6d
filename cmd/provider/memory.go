// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"runtime/debug"
)

// gcPercent is by how much of what is in use the heap grows before Go's collector runs. Nearly all
// that is in use are caches of the fleet, some 5 KB for a machine, and by default they get as much
// again for what is allocated meanwhile.
const gcPercent = 50

// limitGarbage has the collector keep the heap near what is in use, unless the environment says how
// (GOGC).
func limitGarbage() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
