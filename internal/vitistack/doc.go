// SPDX-License-Identifier: Apache-2.0

// Package vitistack has the kinds of VitiStack that the provider works with,
// NetworkConfiguration and NetworkNamespace, as Go types that fit both CRDs in
// use: those of github.com/vitistack/crds, and those of its successor
// github.com/vitistack/common, which serves the same kinds with more fields.
//
// The types of vitistack/crds are embedded and extended. A field that is
// declared again here hides the embedded one, for Go and for encoding/json
// alike. An old CRD prunes what it does not know; HasAllocationFields tells
// which CRD is there, so that nobody waits for a pruned field to appear.
//
// +kubebuilder:object:generate=true
// +groupName=vitistack.io
package vitistack
