// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The texts below are stable: no port, time or ephemeral address, so that a condition that carries one does not change from try to try. None holds a
// credential. Every error of Client wraps one of them, is an error of the caller's own context, or refuses an argument before anything was sent.

// ErrNotFound says that Kea looked and has no such thing (result code 3). Nothing else is "not there".
var ErrNotFound = errors.New("not found in Kea")

// UnsupportedError says that the server does not know a command (result code 2), as a rule because a hook library is not loaded.
type UnsupportedError struct {
	Command string
	// Hook is the file name of the hook library that brings the command; empty for a command of Kea itself.
	Hook string
}

// Error names the command and the remedy.
func (e *UnsupportedError) Error() string {
	if e.Hook == "" {
		return fmt.Sprintf("Kea does not support the command %s: the URL must lead to a kea-dhcp4 3.0 or newer", e.Command)
	}
	return fmt.Sprintf("Kea does not support the command %s: load %s in hooks-libraries of kea-dhcp4", e.Command, e.Hook)
}

// hookOf names the hook library that a command comes from (Kea Administrator Reference Manual, "Hook Libraries").
func hookOf(command string) string {
	switch {
	case strings.HasPrefix(command, "reservation-"):
		return "libdhcp_host_cmds.so"
	case strings.HasPrefix(command, "subnet4-"):
		return "libdhcp_subnet_cmds.so"
	case strings.HasPrefix(command, "lease4-"):
		return "libdhcp_lease_cmds.so"
	default:
		return ""
	}
}

// RejectedError says that Kea refused a command (result code 1, and 4 and 5 of newer versions). Text is Kea's own and differs by back end and
// version: it is for people. Duplicates, validation and a lost database all come as this one, so re-read and decide from what is there.
type RejectedError struct {
	Command string
	Text    string
}

// Error gives Kea's own text.
func (e *RejectedError) Error() string {
	return fmt.Sprintf("Kea refused %s: %s", e.Command, e.Text)
}

// UnauthorizedError says that the server wants other credentials (HTTP 401) or forbids the command on this port (HTTP 403).
type UnauthorizedError struct {
	Command string
	// Status is the HTTP status, 401 or 403.
	Status int
}

// Error names the remedy.
func (e *UnauthorizedError) Error() string {
	if e.Status == http.StatusForbidden {
		return fmt.Sprintf("Kea forbids %s here (HTTP 403): the listener of the high-availability hook answers so, use the URL of kea-dhcp4's control socket", e.Command)
	}
	return fmt.Sprintf("Kea did not accept the credentials for %s (HTTP 401): check username and password", e.Command)
}

// UnreachableError says that no answer of Kea was had. Whether a write took effect is not known then: re-read.
type UnreachableError struct {
	// Reason tells the user what is wrong and what to do.
	Reason string

	cause error
}

// Error gives the reason, and leaves out the cause, which has ports and ephemeral addresses in it.
func (e *UnreachableError) Error() string { return "cannot reach Kea: " + e.Reason }

// Unwrap gives the cause, for debug logs; nil where there is none.
func (e *UnreachableError) Unwrap() error { return e.cause }

// MalformedError says that what answered is not what Kea answers: no JSON, cut JSON, another shape, or more than the client reads.
type MalformedError struct {
	Command string
	// Reason says what is wrong with it.
	Reason string

	cause error
}

// Error names the command and what is wrong.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("cannot understand the answer to %s: %s", e.Command, e.Reason)
}

// Unwrap gives the cause, for debug logs; nil where there is none.
func (e *MalformedError) Unwrap() error { return e.cause }
