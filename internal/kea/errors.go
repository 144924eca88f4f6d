// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// The texts below are stable: they have no port, time or ephemeral address in them, so that a
// condition that carries one does not change from try to try. None has a credential in it. Every
// error of Client wraps one of them, is an error of the caller's own context, or refuses an
// argument before anything was sent.

// ErrNotFound is Kea's answer that it has no such thing (result code 3). No other error means "not
// there".
var ErrNotFound = errors.New("not found in Kea")

// UnsupportedError is a command that the server does not know (result code 2), as a rule because a
// hook library is not loaded.
type UnsupportedError struct {
	Command string
	// Hook is the file name of the hook library that brings the command; empty for a command of Kea
	// itself.
	Hook string
}

// Error names the command and the remedy.
func (e *UnsupportedError) Error() string {
	if e.Hook == "" {
		return fmt.Sprintf("Kea does not support the command %s: the URL must lead to a kea-dhcp4 3.0 or newer", e.Command)
	}
	return fmt.Sprintf("Kea does not support the command %s: load %s in hooks-libraries of kea-dhcp4", e.Command, e.Hook)
}

// RejectedError is a command that Kea refused (result code 1, and 4 and 5 of newer versions). Text
// is Kea's own and differs by back end and version: it is for people. Duplicates, validation and a
// lost database all come as this one, so read again and decide from what is there.
type RejectedError struct {
	Command string
	// Text has the first kibibyte of what Kea says.
	Text string
}

// Error has the first line of Kea's own text in it. What PostgreSQL adds in further lines differs
// from try to try.
func (e *RejectedError) Error() string {
	first, _, _ := strings.Cut(strings.TrimSpace(e.Text), "\n")
	return fmt.Sprintf("Kea refused %s: %s", e.Command, Printable(first, maxReason))
}

// UnauthorizedError is a command that the server did not run because of the credentials (HTTP 401),
// or that it forbids to this account or on this port (HTTP 403).
type UnauthorizedError struct {
	Command string
	// Status is the HTTP status, 401 or 403.
	Status int
}

// Error names the command and the remedies.
func (e *UnauthorizedError) Error() string {
	if e.Status == http.StatusForbidden {
		return fmt.Sprintf("Kea forbids %s (HTTP 403): the listener of the high-availability hook answers so, "+
			"use the URL of kea-dhcp4's control socket; if it is that URL, allow the account to run this command", e.Command)
	}
	return fmt.Sprintf("Kea did not accept the credentials for %s (HTTP 401): check username and password", e.Command)
}

// UnreachableError is a command without an answer of Kea. Whether a write took effect is not known
// then: read again.
type UnreachableError struct {
	// Reason is what is wrong and what to do, for people.
	Reason string

	cause error
}

// Error has the reason in it and not the cause, which has ports and ephemeral addresses in it.
func (e *UnreachableError) Error() string { return "cannot reach Kea: " + e.Reason }

// Unwrap returns the cause, for debug logs; nil if there is none.
func (e *UnreachableError) Unwrap() error { return e.cause }

// ForbiddenError reports that commands must not be sent to a server.
type ForbiddenError struct {
	// Reason is one stable sentence on why, and what to do.
	Reason string
}

// Error returns the text.
func (e *ForbiddenError) Error() string { return e.Reason }

// MalformedError is an answer that is not one of Kea's: no JSON, cut JSON, or another shape. For one
// that is too large see LimitError.
type MalformedError struct {
	Command string
	// Reason is what is wrong with it, for people.
	Reason string

	cause error
}

// Error names the command and what is wrong.
func (e *MalformedError) Error() string {
	return fmt.Sprintf("cannot understand the answer to %s: %s", e.Command, e.Reason)
}

// Unwrap returns the cause, for debug logs; nil if there is none.
func (e *MalformedError) Unwrap() error { return e.cause }
