// SPDX-License-Identifier: Apache-2.0

// Package cached keeps the caches of Kubernetes objects small, of which there may be tens of
// thousands:
//
//	API server ──▶ Share ──▶ store of an informer ◀── Index.Find ── controllers
//	               one copy                    by few hashes,
//	               of equal texts              not by each key
//
// What Find returns is the store's, and must not be changed. All of it may be used by several
// goroutines at once.
package cached
