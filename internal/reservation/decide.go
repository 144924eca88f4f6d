// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"net/netip"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// situation is what the checks judge.
type situation struct {
	views   []View
	in      Intent
	owner   Owner
	address netip.Addr
	// promised is the address that there would be if none were asked for, leases aside.
	promised netip.Addr
	// takeover is what may be taken over in the subnet, if that may be used at all.
	takeover Takeover
	allowed  bool
	// servers that have the subnet and can be reached, and what each needs.
	servers []serverViews
	changes []change
	// away are the servers that have the subnet, by what was last seen there, and cannot be reached;
	// pending is what each needs when it returns.
	away    []serverViews
	pending []change
}

// finding is what a check found: the reservation is in this state, whatever the checks after it
// would find.
type finding struct {
	state   State
	message string
	// server that the finding is about; empty for all of them.
	server string
	// steps that are taken all the same.
	steps []Step
}

// checks decide in this order of precedence. The first that finds something decides; if none does,
// the reservation is Reserved.
var checks = []func(*situation) *finding{
	checkAllowed,
	checkSubnet,
	checkOwner,
	checkUnmarked,
	checkPromised,
	checkAwaitingLease,
	checkAddressInSubnet,
	checkConflict,
	checkOpaque,
	checkRefusal,
	checkPending,
	checkSharedSubnet,
	checkHonored,
}

// Decide returns what to do about an intent, given what is known of every store. At least one view
// must be of the primary store of a server that can be reached.
func Decide(views []View, in Intent, owner Owner) Plan {
	s := &situation{in: in, owner: owner}
	if s.takeover, s.allowed = takeover(views, in); !s.allowed {
		return s.plan(checkAllowed(s))
	}
	views = s.withoutOthersLosses(views)
	here, away := split(views)
	s.views, s.servers, s.away, s.address = here, byServer(here), byServer(away), Address(views, in)
	s.promised = in.promisedBy(views)
	for _, server := range s.servers {
		s.changes = append(s.changes, s.changeOf(server))
	}
	for _, server := range s.away {
		s.pending = append(s.pending, s.changeOf(server))
	}
	found := &finding{state: Reserved}
	for _, check := range checks {
		if f := check(s); f != nil {
			found = f
			break
		}
	}
	return s.plan(found)
}

// checkSubnet finds that no server has the subnet, or that it cannot be looked up.
func checkSubnet(s *situation) *finding {
	if len(s.servers) > 0 {
		return nil
	}
	for _, v := range s.views {
		if v.Primary && v.SubnetsKnown {
			return &finding{state: SubnetNotFound, message: fmt.Sprintf("server %s has no %s; it has %s", v.Store.Server, s.in.Subnet, prefixes(v.Subnets, s.in.Grant))}
		}
	}
	return &finding{state: HookMissing, message: fmt.Sprintf("server %s does not load %s, so %s cannot be looked up: "+
		"load it in hooks-libraries, or name the subnet by subnetId", firstServer(s.views), kea.HookSubnetCmds, s.in.Subnet)}
}

// checkSharedSubnet finds that servers which share a database have different ids for the subnet: a
// reservation is stored under one of them, and the others do not find it.
func checkSharedSubnet(s *situation) *finding {
	for _, server := range s.servers {
		v := server.primary
		if v.Shared == nil {
			continue
		}
		i := slices.IndexFunc(s.servers, func(o serverViews) bool { return o.primary.Store == *v.Shared })
		if i < 0 || s.servers[i].primary.Subnet.ID == v.Subnet.ID {
			continue
		}
		return &finding{state: IgnoredByKea, server: server.name(), message: s.on(server) + fmt.Sprintf(
			"Kea ignores the reservation: it has %s with subnet-id %d, and the shared hosts-database has it under %d, as server %s does: give the subnet the same id on all servers",
			s.in.Subnet, v.Subnet.ID, s.servers[i].primary.Subnet.ID, v.Shared.Server)}
	}
	return nil
}

func firstServer(views []View) string {
	if len(views) == 0 {
		return ""
	}
	return views[0].Store.Server
}

// checkAwaitingLease finds that there is no address to reserve yet. A reservation without an
// address that is in Kea already is marked, so that it goes with its resource.
func checkAwaitingLease(s *situation) *finding {
	if s.address.IsValid() {
		return nil
	}
	f := &finding{state: AwaitingLease, message: fmt.Sprintf("%s has no active lease in %s", s.in.HWAddress, s.in.Subnet)}
	known := false
	for _, c := range s.changes {
		known = known || c.server.primary.LeasesKnown
		if c.server.primary.Host != nil && len(lostOpaque(c.want, s.in)) == 0 && !c.refused() {
			f.steps = append(f.steps, c.steps...)
		}
	}
	if !known {
		f.state = HookMissing
		f.message = fmt.Sprintf("server %s does not load %s, so the lease of %s cannot be looked up: load it in hooks-libraries, or set ipAddress",
			firstServer(s.views), kea.HookLeaseCmds, s.in.HWAddress)
	}
	return f
}

// checkAddressInSubnet finds that no host can use the address.
func checkAddressInSubnet(s *situation) *finding {
	for _, server := range s.servers {
		if message := unusable(server.primary.Subnet.Prefix, s.address); message != "" {
			return &finding{state: AddressNotInSubnet, server: server.name(), message: message}
		}
	}
	return nil
}

// checkConflict finds another host that has the address.
func checkConflict(s *situation) *finding {
	for _, server := range s.servers {
		holder := server.holder(s.address)
		if holder == nil {
			continue
		}
		return &finding{state: AddressConflict, server: server.name(), steps: s.restoreVanished(),
			message: s.on(server) + fmt.Sprintf("%s is reserved for %s: %s", s.address, describe(holder, s.owner), conflictRemedy(holder, s.owner))}
	}
	return nil
}

// restoreVanished returns steps that bring a vanished reservation back as it was, on every server
// that has lost it. While the wanted one cannot be made, the device is better off with its former
// one than with none.
func (s *situation) restoreVanished() []Step {
	var steps []Step
	for _, server := range s.servers {
		lost := server.primary.Vanished
		if len(server.hosts()) == 0 && lost != nil && lost.IPAddress.IsValid() && server.holder(lost.IPAddress) == nil {
			steps = append(steps, Step{Store: server.primary.Store, Action: Add, Want: withoutOpaque(*lost, s.in)})
		}
	}
	return steps
}

// conflictRemedy says what to do about an address that another host has.
func conflictRemedy(holder *kea.Reservation, me Owner) string {
	if owner, marked := OwnerOf(holder); marked && owner.Cluster == me.Cluster {
		return "choose another spec.forProvider.ipAddress, or give that KeaReservation another one first; " +
			"to swap two addresses, give one of the two a free address, wait until both are Ready, and set it to its new one then"
	}
	return "choose another spec.forProvider.ipAddress, or remove that reservation"
}

// checkOpaque finds an option whose content Kea does not return, and that the change would erase.
func checkOpaque(s *situation) *finding {
	for _, c := range s.changes {
		if lost := s.opaqueIn(c); len(lost) > 0 && (c.server.primary.Host == nil || !onlyMark(c.differences)) {
			return &finding{state: OpaqueOption, server: c.server.name(), message: s.on(c.server) +
				fmt.Sprintf("Kea does not return the content of %s, which writing the reservation would erase (%s): %s",
					OptionName(lost[0]), c.what(), opaqueRemedy)}
		}
	}
	return nil
}

const opaqueRemedy = "set its data in spec.forProvider.optionData, or remove the option in Kea"

// opaqueIn returns the options that the steps of a change would erase.
func (s *situation) opaqueIn(c change) []kea.OptionData {
	if len(c.steps) == 0 {
		return nil
	}
	lost := lostOpaque(c.want, s.in)
	if hiding := c.server.hidingCopy(); len(lost) == 0 && hiding != nil {
		lost = lostOpaque(*hiding, s.in)
	}
	return lost
}

// checkRefusal finds a change that Kea did not accept when it was sent before.
func checkRefusal(s *situation) *finding {
	for _, c := range s.changes {
		if c.refused() {
			return &finding{state: Refused, server: c.server.name(), steps: s.restoreVanished(),
				message: s.on(c.server) + c.server.primary.Refusal.Message}
		}
	}
	return nil
}

// refused reports whether Kea did not accept the change when it was sent before.
func (c change) refused() bool {
	r := c.server.primary.Refusal
	return r != nil && len(c.steps) > 0 && len(differences(r.Want, c.want)) == 0
}

// checkPending finds that there is something to write.
func checkPending(s *situation) *finding {
	f := &finding{state: Pending}
	for _, c := range s.changes {
		if len(s.opaqueIn(c)) > 0 {
			continue // Only the mark: see note.
		}
		f.steps = append(f.steps, c.steps...)
		if f.message == "" && len(c.steps) > 0 {
			f.message = c.what()
		}
	}
	if len(f.steps) == 0 {
		return nil
	}
	return f
}
