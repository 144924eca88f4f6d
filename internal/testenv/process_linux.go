// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// DieWithParent has the kernel kill the process when this one ends, however
// that happens.
func DieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// mortalAssets makes a folder that envtest can take its programs from, in which
// each is a script that asks for the same and then becomes the program: envtest
// starts them itself, so that DieWithParent has no hold on them. Where setpriv
// is missing it returns the programs' own folder.
func mortalAssets(bin, dir string) (string, error) {
	setpriv, err := exec.LookPath("setpriv")
	if err != nil {
		return bin, nil //nolint:nilerr // A killed test leaves servers behind then: no reason not to test.
	}
	for _, name := range []string{"etcd", "kube-apiserver", "kubectl"} {
		script := fmt.Sprintf("#!/bin/sh\nexec %q --pdeathsig KILL %q \"$@\"\n", setpriv, filepath.Join(bin, name))
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o700); err != nil {
			return "", fmt.Errorf("cannot write a script for %s: %w", name, err)
		}
	}
	return dir, nil
}
