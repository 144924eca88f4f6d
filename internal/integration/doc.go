// SPDX-License-Identifier: Apache-2.0

// Package integration tests the provider as it is run: its own program, against
// a real Kubernetes API server and real Kea servers. There is nothing in it but
// tests; site_test.go says what each has at hand.
package integration
