// SPDX-License-Identifier: Apache-2.0

package group

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Reasons why a server cannot be used as it is configured.
var (
	ErrNoDatabase       = errors.New("Kea has no hosts-database: configure hosts-database in Kea, or set hosts.storage to Auto or Memory")
	ErrDatabaseReadOnly = errors.New("Kea's hosts-database is read-only: set hosts.storage to Memory, or make the database writable in Kea's configuration")
	ErrDatabaseUnclear  = errors.New("cannot find out whether Kea has a hosts-database, since libdhcp_host_cache.so answers for one and the configuration cannot be read: set hosts.storage to Memory or Database")
	// ErrSeveralProcesses reports that a load balancer, or a name with several addresses, leads to
	// servers that each have reservations of their own.
	ErrSeveralProcesses = errors.New("answers come from more than one kea-dhcp4, as behind a load balancer: the url must lead to one; name each server by itself in spec.servers")
	ErrSubnetsLost      = errors.New("Kea has no subnets any more: its configuration may not have arrived yet; they are taken for removed if they do not come back within a minute")
	ErrNoSubnets        = errors.New("Kea has just started and has no subnets: its configuration may not have arrived yet; an empty configuration is accepted a minute after the start")
)

// Reasons why a server is not used now.
var (
	// errNoAnswer says that the first attempt to read a server has not ended.
	errNoAnswer = errors.New("it has not answered yet: check that kea-dhcp4 is running and not overloaded")
	errSuspect  = errors.New("it did not answer a command: check that kea-dhcp4 is running and not overloaded")
	errUnsteady = errors.New("it comes and goes: it is used again once it has answered for a whole snapshotInterval")
)

// notUsedError reports that a command was not sent, as the server cannot be used now.
type notUsedError struct {
	server string
	err    error
}

// Error names the server and the reason.
func (e *notUsedError) Error() string {
	return fmt.Sprintf("cannot use server %s: %v", e.server, e.err)
}

// Unwrap returns the reason.
func (e *notUsedError) Unwrap() error { return e.err }

// isAway reports whether an error means that a server does not answer, or is known not to.
func isAway(err error) bool {
	var unreachable *kea.UnreachableError
	var notUsed *notUsedError
	return errors.As(err, &unreachable) || errors.As(err, &notUsed)
}

// unusable returns why nothing can be said of what the server holds now; nil if something can.
func (s *server) unusable() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.health.serves() {
		return nil
	}
	return &notUsedError{server: s.name, err: cmp.Or(s.facts.Err, errNoAnswer)}
}

// silent returns why no command of a caller is sent to the server; nil if one is.
func (s *server) silent() error {
	if err := s.unusable(); err != nil {
		return err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.health.state == Suspect {
		return &notUsedError{server: s.name, err: errSuspect}
	}
	return nil
}
