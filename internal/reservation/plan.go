// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"net/netip"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Action is what a step does.
type Action string

// Actions of a step.
const (
	Add    Action = "add"
	Update Action = "update"
	Remove Action = "remove"
)

// Step is one change of one store.
type Step struct {
	Store  Store
	Action Action
	// Want is the reservation to add, or to update to; for Remove, the one to remove.
	Want kea.Reservation
	// Old is the reservation that an update replaces; nil for other actions.
	Old *kea.Reservation
}

// Plan is what to do about an intent, over all stores.
type Plan struct {
	State State
	// Message says why, where State is not Reserved. With Reserved it is what users should know all
	// the same, or empty.
	Message string
	// Address that is reserved, or is to be; the zero Addr if there is none.
	Address netip.Addr
	// Steps lead to what is wanted, in order for each server. There are none if any store refuses.
	Steps []Step
	// Differences are what Kea has otherwise than wanted, on the first server that does.
	Differences []Difference
	// Servers is how each server that has the subnet, or could not be asked about it, stands.
	Servers []ServerPlan
	// Warnings are what the steps cannot bring back.
	Warnings []string
}

// Difference returns in words how Kea differs from what is wanted, for example "hostname a, wanted
// b"; "" if it does not. The mark of ownership, which says nothing to users, is left out unless it
// is all that differs.
func (p Plan) Difference() string {
	if onlyMark(p.Differences) {
		return describeAll(p.Differences)
	}
	return p.FieldDifference()
}

// FieldDifference is Difference without the mark of ownership.
func (p Plan) FieldDifference() string {
	return describeAll(slices.DeleteFunc(slices.Clone(p.Differences), func(d Difference) bool { return d.Field == fieldMark }))
}

// ServerPlan is how one server stands.
type ServerPlan struct {
	Name     string
	SubnetID uint32
	State    State
	Message  string
	// Exists reports whether the server has a reservation of the device.
	Exists bool
	// Away reports that the server cannot be reached: the rest is what was last seen there.
	Away bool
}

// plan puts a finding and what each server needs together.
func (s *situation) plan(f *finding) Plan {
	if f.state == NotAllowed {
		return Plan{State: f.state, Message: f.message} // Nothing else is the resource's to know.
	}
	p := Plan{State: f.state, Message: f.message, Address: s.address, Steps: f.steps}
	if f.state == Reserved {
		p.Message = s.note()
	}
	for _, c := range s.changes {
		if len(p.Differences) == 0 && len(s.opaqueIn(c)) == 0 {
			p.Differences = c.differences
		}
		if slices.ContainsFunc(f.steps, func(step Step) bool { return step.Store == c.server.primary.Store && step.Action == Add }) {
			p.Warnings = append(p.Warnings, c.warnings...)
		}
		p.Servers = append(p.Servers, s.serverPlan(c, f))
	}
	for _, c := range s.pending {
		p.Servers = append(p.Servers, s.awayPlan(c, f))
	}
	for _, v := range s.views {
		if v.Primary && !v.SubnetFound {
			p.Servers = append(p.Servers, ServerPlan{Name: v.Store.Server, State: stateWithoutSubnet(v), Message: s.withoutSubnet(v)})
		}
	}
	return p
}

func stateWithoutSubnet(v View) State {
	if v.SubnetsKnown {
		return SubnetNotFound
	}
	return HookMissing
}

func (s *situation) withoutSubnet(v View) string {
	return checkSubnet(&situation{views: []View{v}, in: s.in}).message
}

// serverPlan returns how one server stands, given what was found over all of them.
func (s *situation) serverPlan(c change, f *finding) ServerPlan {
	out := ServerPlan{
		Name: c.server.name(), SubnetID: c.server.primary.Subnet.ID, State: Reserved, Exists: len(c.server.hosts()) > 0,
	}
	switch {
	case f.state != Reserved && f.state != Pending && (f.server == "" || f.server == out.Name):
		out.State, out.Message = f.state, f.message
	case len(c.steps) > 0 && len(s.opaqueIn(c)) == 0:
		out.State, out.Message = Pending, c.what()
	case c.server.primary.Shared != nil:
		return s.sharedPlan(c, out)
	}
	return out
}

// sharedPlan returns how a server stands whose database is written through another one: as that one.
func (s *situation) sharedPlan(c change, out ServerPlan) ServerPlan {
	for _, other := range s.changes {
		if other.server.primary.Store == *c.server.primary.Shared && len(other.steps) > 0 && len(s.opaqueIn(other)) == 0 {
			out.State, out.Message = Pending, other.what()
		}
	}
	return out
}

// awayPlan returns how a server stands that cannot be reached, by what was last seen there.
func (s *situation) awayPlan(c change, f *finding) ServerPlan {
	out := s.serverPlan(c, f)
	out.Away = true
	if out.State == Pending {
		out.Message = "it cannot be reached, and is brought up to date when it returns: " + c.what()
	}
	return out
}

func (s serverViews) name() string { return s.primary.Store.Server }

// on returns a prefix for messages about one server, where there are several.
func (s *situation) on(server serverViews) string {
	primaries := 0
	for _, v := range s.views {
		if v.Primary {
			primaries++
		}
	}
	if primaries < 2 {
		return ""
	}
	return "on server " + server.name() + ": "
}
