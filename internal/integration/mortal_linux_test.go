// SPDX-License-Identifier: Apache-2.0

package integration

import "syscall"

// mortal lets a program die with the tests.
func mortal() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
