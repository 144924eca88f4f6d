// SPDX-License-Identifier: Apache-2.0

// Package e2e installs the built package in a real cluster with Crossplane and
// follows a real DHCP client through the life of its reservation. `make e2e` runs
// it; README.md in the repository's root tells what it needs.
//
// It knows of the cluster what KUBECONFIG tells, and of the registry what REGISTRY
// tells. Kea and the DHCP client run on the machine that the test runs on, which
// the cluster's pods must be able to reach.
package e2e
