// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"

	"github.com/vitistack/provider-kea/internal/mirror"
)

// How many bytes what is kept of one server may take. A marked host takes about 450 bytes, an unmarked
// one 300, and a lease 64, so
//
//	OwnMemory     1 GiB     two million hosts with their leases
//	TenantMemory  256 MiB   half a million
//
// While a server is read, what was read last and has changed since is there as well. Those who run the
// provider say how much its pod may use, and are trusted not to point it at a server that takes it all.
// A tenant is not.
const (
	OwnMemory    = 1 << 30
	TenantMemory = 256 << 20
)

// LimitError reports that a server holds more than may be kept of it, or that its listing repeats.
type LimitError struct{ reason string }

// Error names the limit and the remedy.
func (e *LimitError) Error() string { return e.reason }

func errTooMuch(memory int) error {
	remedy := "the url must lead to kea-dhcp4 itself"
	if memory < OwnMemory {
		remedy = "use a ClusterProviderConfig, which may take more, or remove some"
	}
	return &LimitError{fmt.Sprintf("its host reservations and leases take more than %d MiB of memory, which is the limit for each server: %s", memory>>20, remedy)}
}

var errCircular = &LimitError{"it lists the same host reservations again and again: the url must lead to one kea-dhcp4, with nothing in between that keeps its answers"}

// repeatsAllowed is how many hosts may be listed twice, beyond each of them once: hosts that are
// updated while they are listed are seen again.
const repeatsAllowed = 10 * pageSize

// checkSize returns an error if a scan has become larger than what may be kept of a server.
func (s *server) checkSize(scan *mirror.Scan) error {
	if limit := s.current.Load().memory; scan.Memory() > limit {
		return errTooMuch(limit)
	}
	if scan.Repeated() > scan.Total()+repeatsAllowed {
		return errCircular
	}
	return nil
}
