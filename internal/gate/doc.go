// SPDX-License-Identifier: Apache-2.0

// Package gate runs each part of the provider while its CRDs are served and the
// provider has the permissions that it needs. Neither need be so when the provider
// starts: its own CRDs and roles may be applied a moment later, Crossplane creates a
// managed resource's CRD when it is activated (safe-start), VitiStack's CRDs come
// with VitiStack, and the permissions that Crossplane does not grant come with a
// ClusterRole that a user applies. The manager cannot wait: it ends the process if an
// informer does not sync.
//
//	CRD informers ──changed──┐             ┌──▶ supervise(part) ──▶ Part.Run
//	  (crds.go)              ├──▶ changed ─┼──▶ supervise(part) ──▶ Part.Run
//	  └──ask──▶ reviewLoop ──┘  (channel   └──▶ ...
//	   (permission.go) │         that is closed)
//	                   └──▶ permissionReport (missing.go) ──▶ log, Announce
//
// crossplane-runtime's gate does only the first of these, for all of a cluster's
// CRDs, and opens once for good.
//
// Goroutines and locks:
//   - Start has one goroutine for each part, two for each CRD, and runs reviewLoop. It
//     returns when all have ended.
//   - Gate.mu guards granted and changed. It is not held while anything else is called.
//   - parts and needs are set before Start and not changed after.
//   - A closed changed wakes all parts; each checks for itself whether it can run.
//   - permissionReport and repeatLogger belong to one goroutine each.
package gate
