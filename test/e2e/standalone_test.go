// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// standalone runs the image as a plain Deployment, in a cluster that has no kind
// of the provider any more, and which the provider does not know from one without
// Crossplane.
func standalone(t *testing.T, w *world) {
	dir := filepath.Join(testenv.Root(), "_output", "standalone")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	overlay := fmt.Sprintf("resources: [../../cluster/standalone]\nimages: [{name: registry.example.com/vitistack/provider-kea, newName: %s/provider-kea, newTag: %s}]\n", w.registry, firstBuild)
	if err := os.WriteFile(filepath.Join(dir, "kustomization.yaml"), []byte(overlay), 0o600); err != nil {
		t.Fatal(err)
	}
	kubectl(t, "apply", "--server-side", "-k", dir)
	kubectl(t, "-n", providerName, "rollout", "status", "deployment", providerName, "--timeout=60s")
	w.configure(t)
	w.reservePlain(t)
	// Not one by one: those of machines would be made anew.
	kubectl(t, "delete", "crds", "keareservations.kea.crossplane.io", "--timeout=60s")
	w.awaitFree(t, plainMAC)
	if log := kubectl(t, "-n", providerName, "logs", "deployment/"+providerName); containsError(log) {
		t.Errorf("the log has an error or a secret:\n%s", log)
	}
	kubectl(t, "delete", "clusterproviderconfigs", "default", "--timeout=60s")
	kubectl(t, "delete", "-k", dir, "--ignore-not-found", "--timeout=60s")
}
