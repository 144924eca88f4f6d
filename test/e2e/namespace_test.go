// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"testing"
)

// namespaceDeleted deletes a namespace that has everything in it: the machine, the
// configuration that leads to Kea, and the Secret with its credentials. Whatever
// goes first, the reservations have to leave Kea before the last of them.
func namespaceDeleted(t *testing.T, w *world) {
	const (
		tenant = "tenant"
		static = "00:02:12:34:59:01"
	)
	networkNamespace(t, tenant, `kea.crossplane.io/provider-config: ProviderConfig/own`)
	apply(t, fmt.Sprintf(`
apiVersion: v1
kind: Secret
metadata: {namespace: %[1]s, name: kea}
stringData: {username: %[2]s, password: %[3]s}
---
apiVersion: kea.crossplane.io/v1alpha1
kind: ProviderConfig
metadata: {namespace: %[1]s, name: own}
spec:
  servers: [{name: kea1, url: %[4]q}]
  credentials: {source: Secret, secretRef: {name: kea}}
  snapshotInterval: 6s
---
apiVersion: kea.crossplane.io/v1alpha1
kind: KeaReservation
metadata: {namespace: %[1]s, name: static}
spec:
  providerConfigRef: {kind: ProviderConfig, name: own}
  forProvider: {subnet: %[5]s, hwAddress: %[6]q, ipAddress: 10.123.0.60}
`, tenant, username, password, w.kea.URL, subnet, static))
	networkConfiguration(t, tenant, machine, eth0)
	w.wire.device(t, eth0).obtain()
	w.awaitMachine(t, tenant, machine)
	w.awaitReserved(t, tenant, "static")

	kubectl(t, "delete", "namespace", tenant, "--timeout=60s")
	w.awaitFree(t, eth0)
	w.awaitFree(t, static)
	w.cleanLog(t)
}
