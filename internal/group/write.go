// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
)

// attempts is how often a write is tried when what is read back after a refusal
// calls for another one, such as an update where somebody else has added it.
const attempts = 2

// BlockedError says that a reservation cannot be written as things are in Kea.
type BlockedError struct {
	State   State
	Message string
}

// Error tells what is in the way.
func (e *BlockedError) Error() string { return e.Message }

// ensure writes the intent to the server, if it is not there yet.
func (s *server) ensure(ctx context.Context, in Intent, address netip.Addr, cluster string) error {
	var last error
	for range attempts {
		l, err := s.look(ctx, in)
		if err != nil {
			return err
		}
		v := decide(l, in, address, cluster)
		switch {
		case v.write == writeAdd:
			last = s.add(ctx, v.want)
		case v.write == writeUpdate:
			last = s.update(ctx, l.subnet.ID, in, address, cluster)
		case v.state == Reserved || v.state == Pending:
			last = nil
		default:
			return &BlockedError{State: v.state, Message: v.message}
		}
		if last == nil && v.dropShadow {
			// The right one is in the database now, so the copy that hides it can go.
			last = s.drop(ctx, kea.TargetMemory, hostKey{l.subnet.ID, in.HWAddress}, in, cluster)
		}
		if last == nil || !rejected(last) {
			return last
		}
	}
	return last
}

// rejected tells whether Kea refused a write, rather than not answering it.
func rejected(err error) bool {
	var r *kea.RejectedError
	return errors.As(err, &r) || errors.Is(err, kea.ErrNotFound)
}

// add makes a reservation and reads it back.
func (s *server) add(ctx context.Context, want kea.Reservation) error {
	if err := s.free(ctx, want); err != nil {
		return err
	}
	werr := s.client.AddReservation(ctx, s.target(), want)
	got, err := s.confirm(ctx, want)
	switch {
	case err != nil:
		return errors.Join(wrap("cannot add the reservation", werr), err)
	case got != nil && difference(*got, want) == "":
		// Also where the answer to a write that took effect was lost.
		return nil
	case werr != nil:
		s.learnAddress(ctx, want.SubnetID, want.IPAddress)
		return wrap("cannot add the reservation", werr)
	case got == nil:
		return fmt.Errorf("cannot find the reservation of %s on server %s though Kea took it", want.HWAddress, s.name)
	}
	return s.remember(want, *got)
}

// update changes a reservation. It starts from what Kea has at this moment, so
// that nothing that somebody else has just set is lost.
//
// Kea's reservation-update deletes the host where its new address is another
// host's (contract suite: with memory hosts and PostgreSQL). So the address is
// looked up first, and after any failure the old host is put back if it is gone.
func (s *server) update(ctx context.Context, subnetID uint32, in Intent, address netip.Addr, cluster string) error {
	k := hostKey{subnetID, in.HWAddress}
	if err := s.reread(ctx, k); err != nil {
		return fmt.Errorf("cannot update the reservation: %w", err)
	}
	l, _, err := s.lookUp(in)
	if err != nil {
		return err
	}
	v := decide(l, in, address, cluster)
	if v.write != writeUpdate {
		if v.state == Reserved {
			return nil
		}
		return fmt.Errorf("cannot update the reservation: %w", changedMeanwhile(v.message))
	}
	old, want := *l.here, v.want
	if want.IPAddress != old.IPAddress {
		if err := s.free(ctx, want); err != nil {
			return err
		}
	}
	return s.replace(ctx, old, want)
}

// free makes sure that no other host has the address that is about to be
// written. Kea checks the place that it writes to and no other, and with
// ip-reservations-unique false not even that (contract suite).
func (s *server) free(ctx context.Context, want kea.Reservation) error {
	if !want.IPAddress.IsValid() {
		return nil
	}
	places := []kea.Target{s.target()}
	if other, ok := s.other(); ok {
		places = append(places, other)
	}
	for _, place := range places {
		holders, err := s.client.ReservationsByAddress(ctx, place, want.SubnetID, want.IPAddress)
		if err != nil {
			return fmt.Errorf("cannot look up who has %s: %w", want.IPAddress, err)
		}
		s.setHolders(place, addressKey{want.SubnetID, want.IPAddress}, holders)
		for i := range holders {
			if holders[i].HWAddress != want.HWAddress {
				return &BlockedError{State: AddressConflict, Message: fmt.Sprintf("%s is reserved for %s", want.IPAddress, describe(&holders[i]))}
			}
		}
	}
	return nil
}

// changedMeanwhile says that the reservation is not any longer as it was when
// the write was decided; Kea's refusal is the nearest kind of error, and tries again.
func changedMeanwhile(message string) error {
	return &kea.RejectedError{Command: "the write", Text: "the reservation has changed meanwhile: " + message}
}

// replace updates old to want, reads it back, and puts old back if Kea lost it.
func (s *server) replace(ctx context.Context, old, want kea.Reservation) error {
	k := hostKey{old.SubnetID, old.HWAddress}
	// Whatever happens now, even to this connection: what was there is known.
	s.mu.Lock()
	s.lost[k] = &old
	s.mu.Unlock()

	werr := s.client.UpdateReservation(ctx, s.target(), want)
	got, err := s.confirm(ctx, want)
	switch {
	case err != nil:
		return errors.Join(wrap("cannot update the reservation", werr), err)
	case got != nil && difference(*got, want) == "":
		return nil
	case got != nil && werr == nil:
		return s.remember(want, *got)
	case got != nil:
		s.learnAddress(ctx, want.SubnetID, want.IPAddress)
		return wrap("cannot update the reservation", werr)
	}
	s.learnAddress(ctx, want.SubnetID, want.IPAddress)
	if err := s.client.AddReservation(ctx, s.target(), old); err != nil {
		return errors.Join(wrap("cannot update the reservation", werr), fmt.Errorf("cannot put the old reservation back: %w", err))
	}
	_, err = s.confirm(ctx, old)
	return errors.Join(wrap("cannot update the reservation, the old one was put back", werr), err)
}

// remember notes that Kea made got of want: it writes some values in its own
// way. Another address or another owner is none of that: somebody else was faster.
func (s *server) remember(want, got kea.Reservation) error {
	wanted, _ := markOf(&want)
	has, _ := markOf(&got)
	if got.IPAddress != want.IPAddress || !wanted.sameOwner(has) {
		return changedMeanwhile("Kea holds " + text(got.IPAddress))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.echoes[hostKey{want.SubnetID, want.HWAddress}] = &echo{want: want, got: got}
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
