// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Reservation reads the host reservation of a hardware address in a subnet, from one place (reservation-get). ErrNotFound if there is none.
//
// A server that lost its hosts-database, and was told to go on (on-fail: serve-retry-continue), answers "not found" to every read of it. So a miss in
// the database is an ErrNotFound only once the database is seen to be there, at the cost of one more command; else it is a *RejectedError.
func (c *Client) Reservation(ctx context.Context, target Target, subnetID uint32, hw HWAddress) (Reservation, error) {
	const command = "reservation-get"
	if err := errors.Join(checkTarget(target), checkHWAddress(hw)); err != nil {
		return Reservation{}, fmt.Errorf("cannot send %s: %w", command, err)
	}
	var r Reservation
	err := c.run(ctx, request{Command: command, Arguments: byHWAddress(target, subnetID, hw)}, &r)
	switch {
	case errors.Is(err, ErrNotFound):
		// Not joined: what cannot be told must not read as "not found".
		if unsure := c.confirmMiss(ctx, target); unsure != nil {
			return Reservation{}, unsure
		}
		return Reservation{}, err
	case err != nil:
		return Reservation{}, err
	case r.HWAddress == "":
		return Reservation{}, shapeError(command, errors.New("the host has no hardware address"))
	}
	return r, nil
}

// ReservationsByAddress lists the host reservations of an address in a subnet, from one place: none, one, or with ip-reservations-unique false several.
// A subnet-id that the server does not have is a *RejectedError. As with Reservation, a miss in the database counts only if the database is there.
//
// This is reservation-get-by-address, and not reservation-get, which answers for several with an error (PostgreSQL) or the first of them (memory).
func (c *Client) ReservationsByAddress(ctx context.Context, target Target, subnetID uint32, ip netip.Addr) ([]Reservation, error) {
	const command = "reservation-get-by-address"
	if err := errors.Join(checkTarget(target), checkAddress(ip)); err != nil {
		return nil, fmt.Errorf("cannot send %s: %w", command, err)
	}
	hosts, err := c.hosts(ctx, command, map[string]any{memberSubnetID: subnetID, "ip-address": ip, memberTarget: target})
	if err == nil && len(hosts) == 0 {
		err = c.confirmMiss(ctx, target)
	}
	return hosts, err
}

// ReservationsByID lists the host reservations of a hardware address in all subnets and places (reservation-get-by-id). None gives an empty list. It
// does not tell a database that Kea lost from one without this host.
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
		Hosts []Reservation `json:"hosts"`
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
	return out.Hosts, nil
}

func checkAddress(ip netip.Addr) error {
	if !ip.Is4() {
		return errors.New("there is no IPv4 address")
	}
	return nil
}
