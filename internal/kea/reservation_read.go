// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/go-json-experiment/json/jsontext"
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
	list := hostList{command: command, limit: 1, what: "host"}
	err := c.run(ctx, request{Command: command, Arguments: byHWAddress(target, subnetID, hw), read: list.readOne}, nil)
	if err == nil {
		err = errors.Join(list.unreadable...)
	}
	if err != nil {
		return Reservation{}, err
	}
	if len(list.hosts) == 0 {
		return Reservation{}, shapeError(command, errors.New("there is no host"))
	}
	switch r := list.hosts[0]; r.HWAddress {
	case "":
		return Reservation{}, shapeError(command, errors.New("the host has no hardware address"))
	default:
		return r, nil
	}
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
	args := map[string]any{memberSubnetID: subnetID, memberIPAddress: ip, memberTarget: target}
	return c.hosts(ctx, command, args, maxHolders)
}

// ReservationsByID returns the host reservations of a hardware address in all subnets and stores
// (reservation-get-by-id). An empty list can mean that Kea lost its database, as with Reservation.
// A host that cannot be parsed is a *MalformedError, next to the hosts that can be parsed.
func (c *Client) ReservationsByID(ctx context.Context, hw HWAddress) ([]Reservation, error) {
	const command = "reservation-get-by-id"
	if err := checkHWAddress(hw); err != nil {
		return nil, fmt.Errorf("cannot send %s: %w", command, err)
	}
	return c.hosts(ctx, command, map[string]any{memberIdentifierType: memberHWAddress, memberIdentifier: hw}, maxOwned)
}

// hosts runs a command that answers with a list of up to limit hosts. None is an empty list.
func (c *Client) hosts(ctx context.Context, command string, args map[string]any, limit int) ([]Reservation, error) {
	list := hostList{command: command, limit: limit, what: memberHosts}
	err := c.run(ctx, request{
		Command: command, Arguments: args, limit: pageAnswer + int64(limit)*hostAnswer,
		read: objectOf(map[string]reader{memberHosts: list.read()}),
	}, nil)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !list.found:
		return nil, shapeError(command, errors.New("there are no hosts"))
	}
	return list.hosts, errors.Join(list.unreadable...)
}

// hostList is a list of hosts of an answer. Each is parsed for itself: one that cannot be parsed is
// a *MalformedError that names it.
type hostList struct {
	command string
	// limit is how many there may be, and what is what they are called.
	limit int
	what  string

	found      bool
	hosts      []Reservation
	unreadable []error
	memory     int
}

// read returns a reader for the list.
func (l *hostList) read() reader {
	return listOf(&l.found, upTo(l.limit, l.command, l.what, l.readOne))
}

// readOne reads a host.
func (l *hostList) readOne(d *jsontext.Decoder) error {
	var raw json.RawMessage
	if err := into(&raw)(d); err != nil {
		return err
	}
	var r Reservation
	if err := decodeHost(raw, &r); err != nil {
		l.unreadable = append(l.unreadable, unreadableHost(l.command, raw, err))
	} else {
		l.hosts = append(l.hosts, r)
	}
	if l.memory += r.Memory(); l.memory > pageAnswer+l.limit*maxHostMemory {
		return &LimitError{Command: l.command, Reason: "its hosts have more options and user-context than this provider keeps: remove some from these host reservations"}
	}
	return nil
}

// decodeHost parses a host.
func decodeHost(raw json.RawMessage, r *Reservation) error {
	if len(raw) > maxHost {
		return fmt.Errorf("it is larger than %s", size(maxHost))
	}
	if err := checkDepth(raw); err != nil {
		return err
	}
	return json.Unmarshal(raw, r) //nolint:wrapcheck // The caller names the host.
}

// unreadableHost returns the error for a host that cannot be parsed.
func unreadableHost(command string, raw json.RawMessage, cause error) error {
	return &MalformedError{Command: command, Reason: nameHost(raw) + " has another shape than Kea's", cause: cause}
}

// nameHost names a host that cannot be parsed by what of it can.
func nameHost(raw json.RawMessage) string {
	if len(raw) > maxHost {
		return "a host reservation larger than " + size(maxHost)
	}
	var m members
	var hw, subnetID json.RawMessage
	if json.Unmarshal(raw, &m) == nil {
		hw, subnetID = m[memberHWAddress], m[memberSubnetID]
	}
	if hw == nil {
		return "a host reservation"
	}
	return fmt.Sprintf("the host reservation of %s in the subnet with id %s", Printable(string(hw), maxName), Printable(string(subnetID), maxName))
}

func checkAddress(ip netip.Addr) error {
	if !ip.Is4() {
		return errors.New("there is no IPv4 address")
	}
	return nil
}
