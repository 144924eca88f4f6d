// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"os/exec"
	"strings"
	"testing"
)

// TestVersion: the program tells its version without a cluster.
func TestVersion(t *testing.T) {
	t.Parallel()
	out, err := exec.Command(shared.program, "version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "provider-kea dev go1.") {
		t.Errorf("it prints %q: %v", out, err)
	}
}
