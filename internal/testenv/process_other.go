// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package testenv

import "os/exec"

// DieWithParent can only be done on Linux: elsewhere a killed test leaves its
// servers behind.
func DieWithParent(*exec.Cmd) {}

func mortalAssets(bin, _ string) (string, error) { return bin, nil }
