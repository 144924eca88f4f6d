// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// checkOwner finds a reservation that is marked as owned by another resource.
func checkOwner(s *situation) *finding {
	for _, server := range s.servers {
		for _, r := range server.hosts() {
			if owner, other := ownedByOther(r, s.owner, s.in.Grant); other && !s.takes(r) {
				return s.ownedBy(server, owner)
			}
		}
	}
	return nil
}

// takes reports whether the resource takes over a reservation that is marked as another's.
func (s *situation) takes(r *kea.Reservation) bool {
	owner, _ := OwnerOf(r)
	spared := owner.Cluster == s.owner.Cluster && slices.Contains(s.in.Spare, owner.Resource)
	return s.in.Adopt && s.takeover == TakeAny && !spared
}

// ownedBy is the finding of a reservation on a server that belongs to another owner.
func (s *situation) ownedBy(server serverViews, owner Owner) *finding {
	f := &finding{state: OwnedByAnother, server: server.name()}
	f.message = s.on(server) + fmt.Sprintf("the reservation of %s in %s belongs to %s", s.in.HWAddress, s.in.Subnet, owner.nameFor(s.owner))
	switch s.takeover {
	case TakeNothing:
		f.state = AdoptionNotAllowed
		f.message += ", and this namespace may take over no reservation that exists already" + s.annotationIgnored("")
	case TakeUnmarked:
		f.state = KeptByAnother
		f.message += s.annotationIgnored(", and this namespace may not take over what belongs to another")
	case TakeAny:
	}
	return f
}

// annotationIgnored says why the adopt annotation is ignored; "" if the resource does not have it.
func (s *situation) annotationIgnored(why string) string {
	if !s.in.Adopt {
		return ""
	}
	return why + ": the annotation kea.crossplane.io/adopt is ignored"
}

// checkUnmarked finds a reservation without a mark that the resource never held, and may not take
// over as it is. What differs of one that it held has drifted, and is restored.
func checkUnmarked(s *situation) *finding {
	if s.in.WasReserved || s.holdsOne() {
		return nil
	}
	for _, server := range s.servers {
		what := s.on(server) + fmt.Sprintf("Kea has a reservation of %s in %s", s.in.HWAddress, s.in.Subnet)
		if s.takeover == TakeNothing && slices.ContainsFunc(server.hosts(), unmarked) {
			return &finding{state: AdoptionNotAllowed, server: server.name(),
				message: what + " already, and this namespace may take over no reservation that exists already" + s.annotationIgnored("")}
		}
		// One that another store hides gives the device no address.
		r := server.inForce()
		if r != nil && unmarked(r) && s.moves(r) {
			return &finding{state: AddressDiffers, server: server.name(),
				message: what + fmt.Sprintf(" that belongs to no resource, with the address %s, not %s", r.IPAddress, s.address)}
		}
	}
	return nil
}

// checkPromised finds that the device has been promised another address than the one that was
// filled in when that was not known: what it was promised counts more.
func checkPromised(s *situation) *finding {
	if !s.in.LateInitialized || !s.promised.IsValid() || s.promised == s.address {
		return nil
	}
	return &finding{state: AddressDiffers, message: fmt.Sprintf(
		"Kea has a reservation of %s in %s with the address %s, which came before %s was reserved", s.in.HWAddress, s.in.Subnet, s.promised, s.address)}
}

// moves reports whether a reservation would get another address, which the adopt annotation does
// not ask for.
func (s *situation) moves(r *kea.Reservation) bool {
	return !s.in.Adopt && r.IPAddress.IsValid() && s.address.IsValid() && r.IPAddress != s.address
}

func unmarked(r *kea.Reservation) bool {
	_, marked := OwnerOf(r)
	return !marked
}

// holdsOne reports whether a reservation has the resource's own mark, on any server.
func (s *situation) holdsOne() bool {
	return slices.ContainsFunc(append(slices.Clone(s.servers), s.away...), func(server serverViews) bool {
		return slices.ContainsFunc(server.hosts(), func(r *kea.Reservation) bool {
			owner, marked := OwnerOf(r)
			return marked && s.in.Grant.IsOwn(owner, s.owner)
		})
	})
}

// withoutOthersLosses returns views without the vanished reservations that the resource could not
// have taken over while they were there: it is not the one to restore them.
func (s *situation) withoutOthersLosses(views []View) []View {
	others := func(v View) bool { return v.Vanished != nil && s.othersLoss(v.Vanished) }
	if !slices.ContainsFunc(views, others) {
		return views
	}
	out := slices.Clone(views)
	for i, v := range out {
		if others(v) {
			out[i].Vanished = nil
		}
	}
	return out
}

func (s *situation) othersLoss(r *kea.Reservation) bool {
	_, marked := OwnerOf(r)
	_, other := ownedByOther(r, s.owner, s.in.Grant)
	differs := r.IPAddress.IsValid() && s.in.Address.IsValid() && r.IPAddress != s.in.Address
	switch {
	case other:
		return s.in.Adopt && !s.takes(r)
	case marked || s.in.WasReserved:
		return false
	default:
		return s.takeover == TakeNothing || differs && !s.in.Adopt
	}
}
