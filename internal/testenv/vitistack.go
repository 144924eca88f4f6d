// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"path/filepath"
)

// VitiStackCRDs returns the folder of the CRDs that github.com/vitistack/crds comes with. It
// downloads the module if it is not there: the provider is not built of it.
func VitiStackCRDs() (string, error) {
	cmd := exec.Command("go", "mod", "download", "-json", "github.com/vitistack/crds")
	cmd.Dir = Root()
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("cannot get the module github.com/vitistack/crds: run go mod download: %w", err)
	}
	var m struct {
		Dir string `json:"Dir"`
	}
	if err := json.Unmarshal(out, &m); err != nil {
		return "", fmt.Errorf("cannot read what go says of github.com/vitistack/crds: %w", err)
	}
	return filepath.Join(m.Dir, "crds"), nil
}
