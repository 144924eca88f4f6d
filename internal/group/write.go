// SPDX-License-Identifier: Apache-2.0

package group

import (
	"context"
	"errors"
	"fmt"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// execute takes one step.
func (s *server) execute(ctx context.Context, step reservation.Step, in reservation.Intent) error {
	if step.Action != reservation.Remove {
		s.writes(keyOf(step.Want))
	}
	switch step.Action {
	case reservation.Add:
		return s.add(ctx, step, in)
	case reservation.Update:
		return s.update(ctx, step, in)
	case reservation.Remove:
		return s.remove(ctx, step, in)
	default:
		return fmt.Errorf("cannot take a step of the unknown kind %q", step.Action)
	}
}

func keyOf(r kea.Reservation) mirror.Key { return mirror.Key{SubnetID: r.SubnetID, HW: r.HWAddress} }

// add makes a reservation and reads it back, unless that only puts back what Kea has lost by a start.
func (s *server) add(ctx context.Context, step reservation.Step, in reservation.Intent) error {
	k := keyOf(step.Want)
	s.mirror.SetUnconfirmed(step.Store, k, nil)
	werr := wrap("cannot add the reservation", s.client().AddReservation(ctx, step.Store.Place, step.Want))
	s.markUnsaved(step.Store.Place)
	if werr == nil && s.mirror.PutBack(step.Store, k, step.Want) {
		// The pages of the next snapshot confirm it, a thousand at once: all reservations of a server
		// may have to be put back.
		return nil
	}
	ctx = settling(ctx, werr)
	got, err := s.fetchHost(ctx, step.Store, k)
	if err != nil {
		return errors.Join(werr, wrap("cannot read the reservation back", err))
	}
	s.notify(s.mirror.PutHost(step.Store, k, got, in.Resource))
	if got == nil && werr == nil {
		return fmt.Errorf("cannot find the reservation of %s on server %s though Kea accepted it", step.Want.HWAddress, s.name)
	}
	return s.judge(ctx, step, in, got, werr)
}

// update changes a reservation, reads it back, and puts the old one back if Kea lost it:
// reservation-update deletes the host and adds it again, and fails in between where the new one is
// refused (contract suite, UpdateLosesHost).
func (s *server) update(ctx context.Context, step reservation.Step, in reservation.Intent) error {
	k := keyOf(step.Want)
	// Whatever happens now, even to the connection: what was there is known.
	s.mirror.SetUnconfirmed(step.Store, k, step.Old)
	werr := wrap("cannot update the reservation", s.client().UpdateReservation(ctx, step.Store.Place, step.Want))
	s.markUnsaved(step.Store.Place)
	ctx = settling(ctx, werr)
	got, err := s.fetchHost(ctx, step.Store, k)
	if err != nil {
		return errors.Join(werr, wrap("cannot read the reservation back", err))
	}
	if got == nil && errors.Is(werr, kea.ErrNotFound) {
		// It had gone before: someone else has removed it, and that is not undone.
		s.notify(s.mirror.PutHost(step.Store, k, nil, in.Resource))
		return werr
	}
	if got == nil {
		return s.putBack(ctx, step, in, werr)
	}
	s.notify(s.mirror.PutHost(step.Store, k, got, in.Resource))
	if isRefusal(werr) && s.hostCache() && step.Store.Place == kea.TargetDatabase {
		return s.refuse(step, untilRestart, fmt.Sprintf("%v: with %s loaded, Kea refuses to update hosts of a database that are in its cache: "+
			"unload the hook library, or flush its cache (cache-flush)", werr, kea.HookHostCache))
	}
	return s.judge(ctx, step, in, got, werr)
}

// putBack adds the old reservation again after Kea lost it over an update. A change that Kea
// refused is not sent again: the device would be without its reservation each time.
func (s *server) putBack(ctx context.Context, step reservation.Step, in reservation.Intent, werr error) error {
	k := keyOf(step.Want)
	old := reservation.PutBack(*step.Old, step.Want)
	if err := s.client().AddReservation(ctx, step.Store.Place, old); err != nil {
		return errors.Join(werr, wrap("cannot put the old reservation back", err))
	}
	s.markUnsaved(step.Store.Place)
	got, err := s.fetchHost(ctx, step.Store, k)
	if err == nil && got == nil {
		err = errors.New("it is not there, though Kea accepted it")
	}
	if err != nil {
		return errors.Join(werr, wrap("cannot read the old reservation back", err))
	}
	s.notify(s.mirror.PutHost(step.Store, k, got, in.Resource))
	if taken := s.addressTaken(ctx, step.Want); isRefusal(werr) && !taken {
		return s.refuse(step, untilSpecChanges, fmt.Sprintf("%v; Kea lost the reservation over it, and the old one was put back", werr))
	}
	return errors.Join(werr, errors.New("Kea lost the reservation over the change, and the old one was put back"))
}

// judge compares what was read back with what was written.
func (s *server) judge(ctx context.Context, step reservation.Step, in reservation.Intent, got *kea.Reservation, werr error) error {
	switch {
	case got != nil && reservation.Same(step.Want, *got):
		return nil // Also where the answer to a write that took effect was lost.
	case werr != nil:
		_ = s.addressTaken(ctx, step.Want)
		return werr
	}
	wanted, _ := reservation.OwnerOf(&step.Want)
	has, _ := reservation.OwnerOf(got)
	if got.IPAddress != step.Want.IPAddress || wanted != has {
		// The nearest kind of error is a refusal: the plan is made again.
		return &kea.RejectedError{Command: "the write", Text: "someone else has changed the reservation meanwhile"}
	}
	if field := reservation.NotKept(step.Want, *got, in); field != "" {
		return s.refuse(step, untilRestart, "Kea accepted the change, but did not keep "+field)
	}
	s.mirror.PutRewrite(step.Store, keyOf(step.Want), reservation.Rewrite{Want: step.Want, Got: *got})
	return nil
}

// How long a change that Kea did not accept is not sent again.
const (
	untilSpecChanges = false
	untilRestart     = true
)

// refuse remembers a change that Kea does not accept.
func (s *server) refuse(step reservation.Step, until bool, message string) error {
	message = kea.Printable(message, kea.MaxMessage)
	s.mirror.PutRefusal(step.Store, keyOf(step.Want), reservation.Refusal{Want: step.Want, Message: message, UntilRestart: until})
	return &BlockedError{State: reservation.Refused, Message: message}
}

// addressTaken reports whether another device has the address by now, and has the next plan say
// which. It explains a failure: where it cannot be read, it is not known to be taken.
func (s *server) addressTaken(ctx context.Context, want kea.Reservation) bool {
	if !want.IPAddress.IsValid() {
		return false
	}
	taken, _ := s.readHolders(ctx, want.SubnetID, want.IPAddress, want.HWAddress)
	return taken
}

// remove removes a reservation from one store, as it was read just before.
func (s *server) remove(ctx context.Context, step reservation.Step, in reservation.Intent) error {
	k := keyOf(step.Want)
	err := s.client().DeleteReservation(ctx, step.Store.Place, k.SubnetID, k.HW)
	s.markUnsaved(step.Store.Place)
	if err != nil && !errors.Is(err, kea.ErrNotFound) {
		s.mirror.SetUnconfirmed(step.Store, k, nil)
		return errors.Join(wrap("cannot remove the reservation", err), s.readHost(settling(ctx, err), step.Store, k))
	}
	s.removed(step.Store, k, s.group.owner(in))
	s.notify(s.mirror.PutHost(step.Store, k, nil, in.Resource))
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}
