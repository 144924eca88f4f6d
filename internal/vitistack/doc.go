// SPDX-License-Identifier: Apache-2.0

// Package vitistack has Go types for VitiStack's NetworkConfiguration and
// NetworkNamespace that fit both CRDs in use: those of github.com/vitistack/crds,
// and those of its successor github.com/vitistack/common, which serves the same
// kinds with more fields.
//
//	vitistack/crds types ──embedded──▶ types here ◀──── fields of vitistack/common
//	                                     │
//	                     HasAllocationFields(CRD): old or new?
//
// A field that is declared again here hides the embedded one, for Go and for
// encoding/json alike. An old CRD prunes unknown fields; HasAllocationFields reports
// which CRD is installed, so that no reconcile loops on a pruned field. The package
// has no goroutines and no locks: an object belongs to its caller.
//
// +kubebuilder:object:generate=true
// +groupName=vitistack.io
package vitistack
