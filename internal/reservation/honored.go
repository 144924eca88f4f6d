// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"slices"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// identifierHWAddress is how Kea's configuration names the identifier that this project uses.
const identifierHWAddress = "hw-address"

// checkHonored finds that Kea holds the reservation and is configured to ignore it (Kea ARM, "Host
// Reservation Modes" and "Fine-Tuning DHCPv4 Host Reservation"; facts pinned by the integration
// tests of reservation modes). What is not known of the configuration is not judged.
func checkHonored(s *situation) *finding {
	for _, server := range s.servers {
		if message := s.ignored(server); message != "" {
			return &finding{state: IgnoredByKea, server: server.name(), message: s.on(server) + "Kea ignores the reservation: " + message}
		}
	}
	return nil
}

func (s *situation) ignored(server serverViews) string {
	v := server.primary
	if v.Identifiers != nil && !slices.Contains(v.Identifiers, identifierHWAddress) {
		return "host-reservation-identifiers does not include hw-address: add it in Kea's configuration"
	}
	p := v.Policy
	switch {
	case p == nil:
		return ""
	case !p.ReservationsInSubnet:
		return fmt.Sprintf("reservations-in-subnet is false for %s: set it to true in Kea's configuration", v.Subnet.Prefix)
	case p.ReservationsOutOfPool && slices.ContainsFunc(p.Pools, func(pool kea.Pool) bool { return pool.Contains(s.address) }):
		return fmt.Sprintf("reservations-out-of-pool is true for %s, and %s is inside a pool: "+
			"set it to false in Kea's configuration, or choose an address outside the pools", v.Subnet.Prefix, s.address)
	}
	return ""
}

// note returns what users should know of a reservation that is held as wanted; "" if nothing.
func (s *situation) note() string {
	var notes []string
	for _, c := range s.changes {
		if lost := s.opaqueIn(c); len(lost) > 0 {
			notes = append(notes, s.on(c.server)+fmt.Sprintf("the reservation stays without the mark of ownership, since Kea does not return the content of %s, "+
				"which writing would erase: to have it marked, %s", OptionName(lost[0]), opaqueRemedy))
			break
		}
	}
	if l := s.occupant(); l != nil {
		notes = append(notes, Occupied(*l))
	}
	return strings.Join(notes, "; ")
}

// occupant returns the lease that another device has of the address to reserve; nil if none has
// one.
func (s *situation) occupant() *kea.Lease {
	for _, server := range s.servers {
		for i := range server.primary.Occupants {
			if l := &server.primary.Occupants[i]; l.IPAddress == s.address {
				return l
			}
		}
	}
	return nil
}

// Occupied says what becomes of a device whose reserved address another device has.
func Occupied(l kea.Lease) string {
	if l.State == kea.LeaseStateDeclined {
		return fmt.Sprintf("%s was declined: a device found it in use by an unknown host; Kea offers it again when the declined lease ends", l.IPAddress)
	}
	return fmt.Sprintf("%s is leased to %s: the device gets another address until that lease ends", l.IPAddress, leaseHolder(l))
}

func leaseHolder(l kea.Lease) string {
	if l.HWAddress == "" {
		return "another device"
	}
	return string(l.HWAddress)
}
