// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Texts of Kea.
const (
	textNoDatabase   = "Unable to %s because there is no hosts-database configured."
	textConnectivity = "fatal database error or connectivity lost"
)

// writeArguments are those of reservation-add and reservation-update.
type writeArguments struct {
	Target      string          `json:"operation-target"`
	Reservation json.RawMessage `json:"reservation"`
}

func (s *Server) reservationAdd(raw json.RawMessage) answer {
	r, args, hasSubnet, err := s.options.parseWrite(raw)
	switch {
	case err != nil:
		return failure("%s", err)
	case !hasSubnet && r.IPAddress.IsValid():
		return failure("Mandatory 'subnet-id' parameter missing.")
	}
	places, err := s.places(args.Target, kea.TargetDatabase, "add new host")
	if err != nil {
		return failure("%s", err)
	}
	if err := s.checkSubnet(r); err != nil {
		return failure("%s", err)
	}
	// One place after the other, and no way back.
	for _, p := range places {
		if err := s.addTo(p, r); err != nil {
			return failure("%s", err)
		}
	}
	if !hasSubnet {
		return success("Host added. subnet-id not specified, assumed global (subnet-id 0).", nil)
	}
	return success("Host added.", nil)
}

// reservationUpdate deletes and adds, as Kea does: a host whose new version clashes with another is
// lost.
func (s *Server) reservationUpdate(raw json.RawMessage) answer {
	r, args, hasSubnet, err := s.options.parseWrite(raw)
	switch {
	case err != nil:
		return failure("%s", err)
	case !hasSubnet:
		return failure("Mandatory 'subnet-id' parameter missing.")
	}
	places, err := s.places(args.Target, kea.TargetDatabase, "update existing host")
	if err != nil {
		return failure("%s", err)
	}
	if err := s.checkSubnet(r); err != nil {
		return failure("%s", err)
	}
	for _, p := range places {
		if p == s.cache && p.empty() { // It looks for the id 0, which all of its hosts have.
			return failure("host ID 0 not found")
		}
		n := p.remove(func(h kea.Reservation) bool { return h.SubnetID == r.SubnetID && identify(h) == identify(r) })
		if n == 0 && p != s.cache {
			return failure("Host not updated (not found).")
		}
		if err := s.addTo(p, r); err != nil {
			return failure("%s", err)
		}
	}
	return success("Host updated.", nil)
}

// addTo adds a host to one store. PostgreSQL does not keep the client classes of options.
func (s *Server) addTo(p *store, r kea.Reservation) error {
	if p != s.memory && p != s.cache {
		if err := checkColumns(r); err != nil {
			return err
		}
		r = r.Clone()
		for i := range r.OptionData {
			r.OptionData[i].ClientClasses = nil
		}
	}
	return s.clashed(p.add(host{Reservation: r}, !s.options.AddressesNotUnique), p, r)
}

func (o *Options) parseWrite(raw json.RawMessage) (kea.Reservation, writeArguments, bool, error) {
	var args writeArguments
	if err := json.Unmarshal(raw, &args); err != nil || args.Reservation == nil {
		return kea.Reservation{}, args, false, errors.New("reservation must be specified")
	}
	r, hasSubnet, err := o.parseHost(args.Reservation)
	return r, args, hasSubnet, err
}

// checkSubnet does what Kea checks before it touches any host.
func (s *Server) checkSubnet(r kea.Reservation) error {
	if r.SubnetID == 0 {
		return nil // global
	}
	subnet := s.subnetByID(r.SubnetID)
	switch {
	case subnet == nil:
		return errNoSubnet(r.SubnetID)
	case r.IPAddress.IsValid() && !subnet.Prefix.Contains(r.IPAddress):
		return fmt.Errorf("specified reservation '%s' is not matching the IPv4 subnet prefix '%s'", r.IPAddress, subnet.Prefix)
	}
	return nil
}

func errNoSubnet(id uint32) error {
	return fmt.Errorf("IPv4 subnet with ID of '%d' is not configured", id)
}

// clashed returns the text of the store that refused.
func (s *Server) clashed(c clash, p *store, r kea.Reservation) error {
	switch {
	case c == noClash:
		return nil
	case p == s.cache:
		return errors.New("Host cache duplicate entry error")
	case p != s.memory:
		return errors.New("Database duplicate entry error")
	case c == sameIdentifier:
		return fmt.Errorf("failed to add new host using the HW address '%s' to the IPv4 subnet id '%d' "+
			"as this host has already been added", r.HWAddress, r.SubnetID)
	default:
		return fmt.Errorf("failed to add new host using the HW address '%s and DUID '(null)' to the IPv4 subnet id '%d' "+
			"for the address %s: There's already a reservation for this address", r.HWAddress, r.SubnetID, r.IPAddress)
	}
}

// selector names hosts in one of the ways that commands do.
type selector struct {
	Target    string  `json:"operation-target"`
	SubnetID  *uint32 `json:"subnet-id"`
	IPAddress string  `json:"ip-address"`
	Kind      string  `json:"identifier-type"`
	Value     string  `json:"identifier"`
}

// parseSelector returns the selector and a function that reports whether a host is meant.
func parseSelector(raw json.RawMessage) (selector, func(kea.Reservation) bool, error) {
	var a selector
	if err := json.Unmarshal(raw, &a); err != nil {
		return a, nil, fmt.Errorf("bad arguments: %w", err)
	}
	if a.SubnetID != nil && *a.SubnetID == math.MaxUint32 {
		return a, nil, fmt.Errorf("The 'subnet-id' value (%d) is not within expected range: (0 - 4294967294)", *a.SubnetID)
	}
	inSubnet := func(r kea.Reservation) bool { return a.SubnetID == nil || r.SubnetID == *a.SubnetID }
	if a.IPAddress != "" {
		ip, err := netip.ParseAddr(a.IPAddress)
		if err != nil {
			return a, nil, fmt.Errorf("Failed to convert string to address '%s': Invalid argument", a.IPAddress)
		}
		return a, func(r kea.Reservation) bool { return inSubnet(r) && r.IPAddress == ip }, nil
	}
	value, err := canonicalIdentifier(a.Kind, a.Value)
	if err != nil {
		return a, nil, err
	}
	return a, func(r kea.Reservation) bool { return inSubnet(r) && identify(r) == identifier{a.Kind, value} }, nil
}

func (s *Server) reservationDel(raw json.RawMessage) answer {
	args, fits, err := parseSelector(raw)
	if err != nil {
		return failure("%s", err)
	}
	if args.SubnetID == nil {
		return failure("missing parameter 'subnet-id'")
	}
	places, err := s.places(args.Target, kea.TargetDatabase, "delete a host")
	if err != nil {
		return failure("%s", err)
	}
	deleted := 0
	for _, p := range places {
		n := p.remove(fits)
		if p != s.cache { // The cache does not report what it deleted.
			deleted += n
		}
	}
	if deleted == 0 {
		return empty("Host not deleted (not found).", nil)
	}
	return success("Host deleted.", nil)
}
