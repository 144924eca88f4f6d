// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// AddReservation adds a host reservation to one store (reservation-add). It refuses, before
// anything is sent, a reservation without a subnet-id, which Kea would take for a global one, and
// one without an identifier. Kea checks for duplicates in that one store only. A duplicate is a
// *RejectedError.
func (c *Client) AddReservation(ctx context.Context, target Target, r Reservation) error {
	return c.writeReservation(ctx, "reservation-add", target, r)
}

// UpdateReservation replaces a host reservation, found by its subnet-id and identifier
// (reservation-update). What r leaves out is erased.
//
// It is not atomic: Kea deletes the host and adds the new one, and when it refuses the new one
// (*RejectedError) the host can be gone. That happens with an address that another host has, and in
// a database with what its columns do not take: client classes of more than 255 bytes with their
// commas, and text that is not UTF-8. So look the address up first, and after any error read again
// and put the old host back if it is missing. ErrNotFound if there is no such host: nothing has been
// deleted then.
func (c *Client) UpdateReservation(ctx context.Context, target Target, r Reservation) error {
	err := c.writeReservation(ctx, "reservation-update", target, r)
	if rejected, ok := errors.AsType[*RejectedError](err); ok && strings.Contains(rejected.Text, noSuchHost) {
		return fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	return err
}

// noSuchHost is in the text with which Kea refuses to update a host that is not there, with the result
// code of any other refusal (contract suite, Update).
const noSuchHost = "Host not updated (not found)"

func (c *Client) writeReservation(ctx context.Context, command string, target Target, r Reservation) error {
	if err := errors.Join(checkTarget(target), checkSubnetID(r.SubnetID), checkIdentifier(r)); err != nil {
		return fmt.Errorf("cannot send %s: %w", command, err)
	}
	args := map[string]any{"reservation": r, memberTarget: target}
	err := c.run(ctx, request{Command: command, Arguments: args, effect: once}, nil)
	if err == nil && target == TargetDatabase {
		c.gaps.written(r.SubnetID)
	}
	return err
}

// DeleteReservation removes a host reservation, found by its subnet-id and hardware address
// (reservation-del). ErrNotFound if it is not there. The client's lease stays.
func (c *Client) DeleteReservation(ctx context.Context, target Target, subnetID uint32, hw HWAddress) error {
	if err := errors.Join(checkTarget(target), checkSubnetID(subnetID), checkHWAddress(hw)); err != nil {
		return fmt.Errorf("cannot send %s: %w", commandDelete, err)
	}
	return c.run(ctx, request{Command: commandDelete, Arguments: byHWAddress(target, subnetID, hw), effect: once}, nil)
}

// byHWAddress returns the arguments that name a host by its hardware address, in whatever form Kea
// answered it.
func byHWAddress(target Target, subnetID uint32, hw HWAddress) map[string]any {
	return map[string]any{memberSubnetID: subnetID, memberIdentifierType: memberHWAddress, memberIdentifier: hw, memberTarget: target}
}

// checkTarget refuses what Kea would take for something else: an empty target is its default, which
// differs from command to command.
func checkTarget(t Target) error {
	if t != TargetMemory && t != TargetDatabase {
		return fmt.Errorf("the target %q is neither %q nor %q", string(t), TargetMemory, TargetDatabase)
	}
	return nil
}

// checkSubnetID refuses 0, with which Kea adds and deletes global reservations.
func checkSubnetID(id uint32) error {
	if id == 0 {
		return errors.New("there is no subnet-id: Kea would take it for a global reservation")
	}
	return nil
}

func checkHWAddress(hw HWAddress) error {
	if hw == "" {
		return errors.New("there is no hardware address")
	}
	return nil
}

func checkIdentifier(r Reservation) error {
	if r.HWAddress == "" && r.DUID == "" && r.ClientID == "" && r.CircuitID == "" && r.FlexID == "" {
		return errors.New("the host reservation has no identifier: set its hardware address")
	}
	return nil
}
