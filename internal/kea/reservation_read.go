// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// Reservation reads the host reservation of a hardware address in a subnet, from one store
// (reservation-get). ErrNotFound if there is none.
//
// A server that lost its hosts-database and is configured to go on (on-fail: serve-retry-continue),
// or that has none, answers "not found" to every read of the database. See ProbeDatabase.
func (c *Client) Reservation(ctx context.Context, target Target, subnetID uint32, hw HWAddress) (Reservation, error) {
	const command = "reservation-get"
	if err := errors.Join(checkTarget(target), checkHWAddress(hw)); err != nil {
		return Reservation{}, fmt.Errorf("cannot send %s: %w", command, err)
	}
	var r Reservation
	err := c.run(ctx, request{Command: command, Arguments: byHWAddress(target, subnetID, hw)}, &r)
	switch {
	case err != nil:
		return Reservation{}, err
	case r.HWAddress == "":
		return Reservation{}, shapeError(command, errors.New("the host has no hardware address"))
	}
	return r, nil
}

// ReservationsByAddress returns the host reservations of an address in a subnet, from one store:
// none, one, or with ip-reservations-unique false several. A subnet-id that the server does not
// have is a *RejectedError. An empty list from the database can mean that Kea lost it, as with
// Reservation. A host that cannot be parsed has the address too: it is a *MalformedError, next to
// the hosts that can be parsed.
//
// This is reservation-get-by-address and not reservation-get, which answers for several hosts with
// an error (PostgreSQL) or with the first of them (memory).
func (c *Client) ReservationsByAddress(ctx context.Context, target Target, subnetID uint32, ip netip.Addr) ([]Reservation, error) {
	const command = "reservation-get-by-address"
	if err := errors.Join(checkTarget(target), checkAddress(ip)); err != nil {
		return nil, fmt.Errorf("cannot send %s: %w", command, err)
	}
	return c.hosts(ctx, command, map[string]any{memberSubnetID: subnetID, memberIPAddress: ip, memberTarget: target})
}

// ReservationsByID returns the host reservations of a hardware address in all subnets and stores
// (reservation-get-by-id). An empty list can mean that Kea lost its database, as with Reservation.
// A host that cannot be parsed is a *MalformedError, next to the hosts that can be parsed.
func (c *Client) ReservationsByID(ctx context.Context, hw HWAddress) ([]Reservation, error) {
	const command = "reservation-get-by-id"
	if err := checkHWAddress(hw); err != nil {
		return nil, fmt.Errorf("cannot send %s: %w", command, err)
	}
	return c.hosts(ctx, command, map[string]any{memberIdentifierType: memberHWAddress, memberIdentifier: hw})
}

// hosts runs a command that answers with a list of hosts. None is an empty list.
func (c *Client) hosts(ctx context.Context, command string, args map[string]any) ([]Reservation, error) {
	var out struct {
		Hosts []json.RawMessage `json:"hosts"`
	}
	err := c.run(ctx, request{Command: command, Arguments: args}, &out)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case out.Hosts == nil:
		return nil, shapeError(command, errors.New("there are no hosts"))
	}
	hosts, unreadable := parseHosts(command, out.Hosts)
	return hosts, errors.Join(unreadable...)
}

// parseHosts parses each host for itself. A host that cannot be parsed is a *MalformedError that
// names it.
func parseHosts(command string, raw []json.RawMessage) (hosts []Reservation, unreadable []error) {
	hosts = make([]Reservation, 0, len(raw))
	for _, h := range raw {
		var r Reservation
		if err := json.Unmarshal(h, &r); err != nil {
			unreadable = append(unreadable, &MalformedError{Command: command, Reason: nameHost(h) + " has another shape than Kea's", cause: err})
			continue
		}
		hosts = append(hosts, r)
	}
	return hosts, unreadable
}

// nameHost names a host that cannot be parsed by what of it can.
func nameHost(raw json.RawMessage) string {
	var m members
	var hw, subnetID json.RawMessage
	if json.Unmarshal(raw, &m) == nil {
		hw, subnetID = m[memberHWAddress], m[memberSubnetID]
	}
	if hw == nil {
		return "a host reservation"
	}
	return fmt.Sprintf("the host reservation of %s in the subnet with id %s", hw, subnetID)
}

func checkAddress(ip netip.Addr) error {
	if !ip.Is4() {
		return errors.New("there is no IPv4 address")
	}
	return nil
}
