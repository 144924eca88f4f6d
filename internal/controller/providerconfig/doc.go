// SPDX-License-Identifier: Apache-2.0

// Package providerconfig keeps the connections to Kea that ProviderConfigs and
// ClusterProviderConfigs describe, tells in their status how the servers are,
// and counts who uses them.
package providerconfig
