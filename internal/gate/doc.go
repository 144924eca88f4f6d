// SPDX-License-Identifier: Apache-2.0

// Package gate starts each part of the provider when it can work: when the
// kinds that it needs are served, and the provider may use them. Neither has to
// be so when the provider starts. Crossplane makes a managed resource's CRD when
// somebody activates it (safe-start), VitiStack's CRDs come with VitiStack, and
// the permissions that Crossplane does not grant with a ClusterRole that a user
// applies. The manager cannot wait: it ends the whole provider when an informer
// does not get going.
//
// crds.go watches the CRDs, permission.go asks what the provider may do, and
// tell.go tells, once, what it may not. crossplane-runtime's gate does only the
// first of these, of all of a cluster's CRDs, and opens once for good.
package gate
