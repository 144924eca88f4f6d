// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// warnings returns what Kea is configured to ignore, and what could not be checked, for people.
func (s *server) warnings(settings mirror.Settings) []string {
	var out []string
	if s.inspectErr != nil {
		out = append(out, fmt.Sprintf("whether Kea is configured to ignore reservations is not checked: %v", s.inspectErr))
	}
	if settings.Identifiers != nil && !slices.Contains(settings.Identifiers, "hw-address") {
		out = append(out, "host-reservation-identifiers does not include hw-address: Kea ignores all reservations")
	}
	add := func(ignores func(kea.SubnetPolicy) bool, format string) {
		if list := subnetsWith(settings.Policies, ignores); list != "" {
			out = append(out, fmt.Sprintf(format, list))
		}
	}
	add(func(p kea.SubnetPolicy) bool { return !p.ReservationsInSubnet },
		"reservations-in-subnet is false for %s: Kea ignores reservations there")
	add(func(p kea.SubnetPolicy) bool {
		return p.ReservationsInSubnet && p.ReservationsOutOfPool && len(p.Pools) > 0
	}, "reservations-out-of-pool is true for %s: Kea ignores reservations of addresses inside pools there")
	s.mu.RLock()
	shared := s.sharedDatabase
	s.mu.RUnlock()
	if shared && !s.group.isShared() {
		out = append(out, sharedDatabaseWarning)
	}
	if s.unreadable > 0 {
		out = append(out, fmt.Sprintf("%d host reservations and leases cannot be read, as they have another shape than Kea's", s.unreadable))
	}
	if missing := s.mirror.Missing(s.name); len(missing) > 0 {
		prefixes := make([]netip.Prefix, 0, len(missing))
		for _, sub := range missing {
			prefixes = append(prefixes, sub.Prefix)
		}
		out = append(out, fmt.Sprintf("Kea does not list %s any more: its configuration may not have arrived yet", some(prefixes)))
	}
	return out
}

const sharedDatabaseWarning = "its hosts-database is that of another server, too: set hosts.shared to true, so that each reservation is written once"

func subnetsWith(policies map[uint32]kea.SubnetPolicy, is func(kea.SubnetPolicy) bool) string {
	var prefixes []netip.Prefix
	for _, p := range policies {
		if is(p) {
			prefixes = append(prefixes, p.Prefix)
		}
	}
	return some(prefixes)
}

// maxOptionName bounds the name of an option in a text, in bytes.
const maxOptionName = 128

// maxNamed bounds how many subnets a warning names.
const maxNamed = 5

// some joins prefixes, the first few by name; "" if there are none.
func some(prefixes []netip.Prefix) string {
	slices.SortFunc(prefixes, netip.Prefix.Compare)
	names := make([]string, 0, maxNamed)
	for _, p := range prefixes[:min(len(prefixes), maxNamed)] {
		names = append(names, p.String())
	}
	text := strings.Join(names, ", ")
	if more := len(prefixes) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// opaqueOptions describes options that Kea's configuration holds and does not return; "" if there
// are none.
func opaqueOptions(options []kea.ConfiguredOption) string {
	names := map[string]struct{}{}
	for _, o := range options {
		names[kea.Printable(reservation.OptionName(o.Option), maxOptionName)+" of "+o.Where] = struct{}{}
	}
	all := slices.Sorted(maps.Keys(names))
	text := strings.Join(all[:min(len(all), maxNamed)], ", ")
	if more := len(all) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
