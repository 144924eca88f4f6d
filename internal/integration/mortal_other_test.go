// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package integration

import "syscall"

// mortal does nothing where the system has no means for it.
func mortal() *syscall.SysProcAttr { return nil }
