// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A situation is everything that a decision about one NetworkConfiguration is
// made from.
type situation struct {
	nc *vitistack.NetworkConfiguration

	// networks of nc's namespace.
	networks []vitistack.NetworkNamespace

	// rivals are the NetworkConfigurations that name a hardware address of nc.
	rivals []rival

	// named are the existing KeaReservations that have a name that nc wants.
	named map[string]*v1alpha1.KeaReservation

	// owned are the KeaReservations that nc controls.
	owned []*v1alpha1.KeaReservation

	// orphans are the KeaReservations that were made for a NetworkConfiguration of
	// nc's name, and have no controller any more.
	orphans []*v1alpha1.KeaReservation

	// others are the KeaReservations for the same hardware addresses, in all
	// namespaces, that another NetworkConfiguration controls.
	others []otherChild

	// cannotMove is why reservations cannot be moved to nc's place; nil if they can.
	// markedBy has, by device, the KeaReservation as namespace/name that Kea's
	// reservation there is marked with. Both are known where nc has KeaReservations
	// in other places.
	cannotMove error
	markedBy   map[kea.HWAddress]string
}

// A plan is what to do for a NetworkConfiguration.
type plan struct {
	claim claim

	// apply lists the KeaReservations to apply.
	apply []application

	// pin lists the KeaReservations that take over the address of another one.
	pin []pin

	// remove lists the KeaReservations to delete.
	remove []removal

	// held lists those of them that are not deleted before that is confirmed.
	held []removal

	// blocked has the devices that cannot have a reservation here because of
	// another object, and which one.
	blocked map[kea.HWAddress]blocker

	// recreating has the devices whose KeaReservation is deleted and created again,
	// and why.
	recreating map[kea.HWAddress]string

	// stuck has the devices that have a KeaReservation in another place and cannot
	// move, and why.
	stuck map[kea.HWAddress]string
}

// An application is a KeaReservation to apply.
type application struct {
	mac  kea.HWAddress
	name string
	// isNew means that there is none yet.
	isNew bool
}

// A removal is a KeaReservation to delete.
type removal struct {
	*v1alpha1.KeaReservation

	// read means that no user removed it: it follows from what the provider read.
	// See guard.
	read bool
}

// A pin is a KeaReservation that takes over the address of another one.
type pin struct {
	reservation *v1alpha1.KeaReservation
	address     string
}

// A blocker keeps a device from having a KeaReservation.
type blocker struct {
	kind    blockerKind
	message string
}

type blockerKind int

const (
	blockedByDuplicate blockerKind = iota
	blockedByForeign
)

// decide returns the plan for a situation. It is pure.
func (p policy) decide(s *situation) plan {
	out := plan{
		claim:      p.claimOf(s.nc, s.networks),
		blocked:    map[kea.HWAddress]blocker{},
		recreating: map[kea.HWAddress]string{},
		stuck:      map[kea.HWAddress]string{},
	}
	if !out.claim.ours {
		for _, r := range s.owned {
			out.drop(r, !servedByOther(s.nc))
		}
		return out
	}

	macs := macsOf(s.nc)
	if out.claim.place != nil {
		for _, mac := range macs {
			out.decideFor(mac, s)
		}
	}
	// While the place is not known, the reservations of devices that are still
	// named stay: what is missing will most likely come back as it was.
	out.prune(s, macs)
	return out
}

func (out *plan) decideFor(mac kea.HWAddress, s *situation) {
	at := out.claim.place
	f := familyOf(s, mac, at)
	if b, yield := otherUser(s, mac, at, f.keeper); b != nil {
		out.blocked[mac] = *b
		if yield && controls(s.nc, f.keeper) {
			out.drop(f.keeper, false)
		}
		return
	}
	for _, r := range f.spare {
		out.drop(r, false)
	}
	if f.keeper == nil {
		out.create(mac, s, f)
		return
	}
	if !metadataUpToDate(f.keeper, s.nc, at, mac) {
		out.apply = append(out.apply, application{mac: mac, name: f.keeper.Name})
	}
	out.leave(mac, s, f)
}

// create plans a device's KeaReservation in its place, where it has none.
func (out *plan) create(mac kea.HWAddress, s *situation, f family) {
	at := out.claim.place
	if f.going != nil {
		out.recreating[mac] = fmt.Sprintf("KeaReservation %s is being deleted, and is recreated after that", f.going.Name)
		return
	}
	if len(f.elsewhere) > 0 && s.cannotMove != nil {
		out.stuck[mac] = fmt.Sprintf("cannot move to %s: %s; the reservation in %s stays", at, s.cannotMove, placeText(f.elsewhere[0]))
		return
	}
	name := reservationName(s.nc.Name, mac)
	if have := s.named[name]; have != nil && controls(s.nc, have) {
		// The first name is that of the KeaReservation that the device moves from.
		name = movedName(s.nc.Name, mac, at)
	}
	if have := s.named[name]; have != nil {
		out.blocked[mac] = blocker{kind: blockedByForeign, message: foreignText(have)}
		return
	}
	out.apply = append(out.apply, application{mac: mac, name: name, isNew: true})
}

// leave plans the end of a device's KeaReservations in other places: once the one
// here is known to be served.
func (out *plan) leave(mac kea.HWAddress, s *situation, f family) {
	if settled(f.keeper) {
		for _, r := range f.elsewhere {
			out.drop(r, !chosenByUser(s.nc, r, out.claim.place))
		}
		return
	}
	old := f.handsOver(out.claim.place, s.markedBy[mac])
	switch {
	case old == nil:
	case f.keeper.Spec.ForProvider.IPAddress == "" && old.Status.AtProvider.IPAddress != "":
		out.pin = append(out.pin, pin{f.keeper, old.Status.AtProvider.IPAddress})
	default:
		out.drop(old, !chosenByUser(s.nc, old, out.claim.place))
	}
}

// foreignText says what to do about a KeaReservation that has a wanted name and
// another controller.
func foreignText(have *v1alpha1.KeaReservation) string {
	if meta.WasDeleted(have) {
		return fmt.Sprintf("KeaReservation %s is not controlled by this NetworkConfiguration and is being deleted: waiting until it is gone", have.Name)
	}
	return fmt.Sprintf("KeaReservation %s is not controlled by this NetworkConfiguration: delete it, so that it can be made here", have.Name)
}

// prune removes the KeaReservations of devices that are not in macs.
func (out *plan) prune(s *situation, macs []kea.HWAddress) {
	for _, r := range s.owned {
		if mac := hwAddressOf(r); !slices.Contains(macs, mac) {
			out.drop(r, lostByReading(s.nc, mac))
		}
	}
}

// drop removes a KeaReservation. Nothing is lost with one that does not hold its
// address: it is not counted as removed by what was read.
func (out *plan) drop(r *v1alpha1.KeaReservation, read bool) {
	read = read && holds(r)
	if !meta.WasDeleted(r) && !slices.ContainsFunc(out.remove, func(have removal) bool { return have.KeaReservation == r }) {
		out.remove = append(out.remove, removal{r, read})
	}
}
