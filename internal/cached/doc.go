// SPDX-License-Identifier: Apache-2.0

// Package cached reads caches of Kubernetes objects, of which there may be tens of thousands, and keeps
// them small:
//
//	API server ──▶ Share ──▶ store of an informer ◀── Index.Find ── controllers
//	               one copy                    by few hashes,
//	               of equal texts              not by each key
//
// Writes has what the caches do not have yet: the provider's own last writes.
//
// What Find returns is the store's, and must not be changed. All of it may be used by several
// goroutines at once.
package cached
