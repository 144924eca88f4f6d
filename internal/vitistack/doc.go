// SPDX-License-Identifier: Apache-2.0

// Package vitistack has Go types for VitiStack's NetworkConfiguration and
// NetworkNamespace that fit every CRD in use: those of github.com/vitistack/crds,
// and those of its successor github.com/vitistack/common, which serves the same
// kinds with more fields, and NetworkNamespaces in two versions.
//
//	CRD ──▶ NetworkNamespaceVersion ──▶ AddNetworkNamespaces(scheme, version)
//	  └───▶ HasAllocationFields, HasIPAllocation: old or new?
//
// The types are the package's own: those of vitistack/crds would link some ninety
// packages (gin, quic-go, MongoDB) into a program that holds Kea's
// credentials. A test holds them field by field to vitistack/crds and to the CRDs.
// An old CRD prunes unknown fields; HasAllocationFields reports which CRD is
// installed, so that no reconcile loops on a pruned field. The package has no
// goroutines and no locks: an object belongs to its caller.
//
// +kubebuilder:object:generate=true
// +groupName=vitistack.io
package vitistack
