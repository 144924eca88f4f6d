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

	// sameMAC are the KeaReservations for the same hardware addresses, in all
	// namespaces and with any controller.
	sameMAC []*v1alpha1.KeaReservation
}

// A plan is what to do for a NetworkConfiguration.
type plan struct {
	claim claim

	// apply lists the devices whose KeaReservation is to be applied.
	apply []kea.HWAddress

	// remove lists the KeaReservations to delete.
	remove []*v1alpha1.KeaReservation

	// blocked has the devices that cannot have a reservation here because of
	// another object, and which one.
	blocked map[kea.HWAddress]blocker

	// recreating has the devices whose KeaReservation is deleted and created again,
	// and why.
	recreating map[kea.HWAddress]string
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
	}
	if !out.claim.ours {
		out.prune(s.owned, nil)
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
	out.prune(s.owned, macs)
	return out
}

func (out *plan) decideFor(mac kea.HWAddress, s *situation) {
	at := out.claim.place
	have := s.named[reservationName(s.nc.Name, mac)]
	state := childStateOf(have, s.nc, at, mac)

	if who, taken := otherUser(s.nc, at, mac, s); taken {
		out.blocked[mac] = blocker{kind: blockedByDuplicate, message: who}
		if have != nil && controls(s.nc, have) {
			out.drop(have)
		}
		return
	}
	switch state {
	case childAbsent, childOutdated:
		out.apply = append(out.apply, mac)
	case childMisplaced:
		out.recreating[mac] = fmt.Sprintf("KeaReservation %s is being recreated in %s with %s %s", have.Name, at.subnet, at.config.Kind, at.config.Name)
		out.drop(have)
	case childDeleting:
		out.recreating[mac] = fmt.Sprintf("KeaReservation %s is being deleted, and is recreated after that", have.Name)
	case childForeign:
		out.blocked[mac] = blocker{kind: blockedByForeign, message: foreignText(have)}
	case childAsWanted:
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
func (out *plan) prune(owned []*v1alpha1.KeaReservation, macs []kea.HWAddress) {
	for _, r := range owned {
		if !slices.Contains(macs, hwAddressOf(r)) {
			out.drop(r)
		}
	}
}

func (out *plan) drop(r *v1alpha1.KeaReservation) {
	if !meta.WasDeleted(r) && !slices.Contains(out.remove, r) {
		out.remove = append(out.remove, r)
	}
}
