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

// A situation is everything that a decision about one NetworkConfiguration rests
// on.
type situation struct {
	nc *vitistack.NetworkConfiguration

	// networks of nc's namespace.
	networks []vitistack.NetworkNamespace

	// rivals name a hardware address that nc names too.
	rivals []rival

	// named are the KeaReservations that are there under the names of those that
	// nc may want.
	named map[string]*v1alpha1.KeaReservation

	// owned are the KeaReservations that nc controls.
	owned []*v1alpha1.KeaReservation

	// elsewhere are KeaReservations for the same hardware addresses, of whoever.
	elsewhere []*v1alpha1.KeaReservation
}

// A plan is what to do for a NetworkConfiguration.
type plan struct {
	standing standing

	// apply has the devices whose KeaReservation is to be applied.
	apply []kea.HWAddress

	// remove has the KeaReservations to delete.
	remove []*v1alpha1.KeaReservation

	// held has the devices that have no reservation here because somebody else
	// has something that is in the way, and what that is.
	held map[kea.HWAddress]hindrance

	// anew has the devices whose reservation is on its way out, to be made anew,
	// and why.
	anew map[kea.HWAddress]string
}

// A hindrance keeps a device from having its reservation.
type hindrance struct {
	kind    hindranceKind
	message string
}

type hindranceKind int

const (
	hindranceDuplicate hindranceKind = iota
	hindranceForeign
)

// decide makes the plan for a situation.
func (p policy) decide(s *situation) plan {
	out := plan{
		standing: p.standingOf(s.nc, s.networks),
		held:     map[kea.HWAddress]hindrance{},
		anew:     map[kea.HWAddress]string{},
	}
	if !out.standing.ours {
		out.prune(s.owned, nil)
		return out
	}

	macs := macsOf(s.nc)
	if out.standing.place != nil {
		for _, mac := range macs {
			out.decideFor(mac, s)
		}
	}
	// As long as the place is not known, a reservation that is there stays, if
	// only its device does: what is missing will most likely come back as it was.
	out.prune(s.owned, macs)
	return out
}

func (out *plan) decideFor(mac kea.HWAddress, s *situation) {
	at := out.standing.place
	have := s.named[reservationName(s.nc.Name, mac)]
	state := childStateOf(have, s.nc, at, mac)

	if who, held := holderOf(s.nc, at, mac, s); held {
		out.held[mac] = hindrance{kind: hindranceDuplicate, message: who}
		if have != nil && controls(s.nc, have) {
			out.drop(have)
		}
		return
	}
	switch state {
	case childAbsent, childOutdated:
		out.apply = append(out.apply, mac)
	case childElsewhere:
		out.anew[mac] = fmt.Sprintf("KeaReservation %s is made anew in %s with %s %s", have.Name, at.subnet, at.config.Kind, at.config.Name)
		out.drop(have)
	case childGoing:
		out.anew[mac] = fmt.Sprintf("KeaReservation %s is being deleted, and is made anew after that", have.Name)
	case childForeign:
		out.held[mac] = hindrance{kind: hindranceForeign, message: foreign(have)}
	case childAsWanted:
	}
}

// foreign tells what to do about a KeaReservation that has a wanted name.
func foreign(have *v1alpha1.KeaReservation) string {
	if meta.WasDeleted(have) {
		return fmt.Sprintf("KeaReservation %s is somebody else's and being deleted: waiting until it is gone", have.Name)
	}
	return fmt.Sprintf("KeaReservation %s is not controlled by this NetworkConfiguration: delete it, so that it can be made here", have.Name)
}

// prune removes the KeaReservations of devices that are not among macs.
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
