// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// change is what one server needs.
type change struct {
	server serverViews
	// want is the reservation that the primary store should hold.
	want        kea.Reservation
	base        kea.Reservation
	differences []Difference
	steps       []Step
	warnings    []string
}

// changeOf returns what a server needs, regardless of what is in the way.
func (s *situation) changeOf(server serverViews) change {
	c := change{server: server}
	v := server.primary
	switch {
	case v.Host != nil:
		c.base = *v.Host
	case server.copy != nil && server.copy.Host != nil:
		c.base = *server.copy.Host
	default:
		if lost := s.lost(server); lost != nil {
			c.base = withoutOpaque(*lost, s.in)
			c.warnings = lostWarnings(*lost, s.in)
		}
	}
	c.want = desired(c.base, v.Subnet.ID, s.address, s.in, s.owner)
	s.addWrite(&c)
	s.addRemoval(&c)
	return c
}

// addWrite adds the step that writes to the primary store, if one is needed.
func (s *situation) addWrite(c *change) {
	v := c.server.primary
	if v.Shared != nil {
		return // It is written through the other server.
	}
	if v.Host == nil {
		if s.address.IsValid() {
			c.steps = append(c.steps, Step{Store: v.Store, Action: Add, Want: c.want})
		}
		return
	}
	accepted := s.in.Accepted
	if v.Rewrite != nil && len(differences(v.Rewrite.Want, c.want)) == 0 {
		accepted = &v.Rewrite.Got
	}
	c.differences = differences(c.base, settled(c.want, c.base, accepted, s.in))
	if len(c.differences) > 0 {
		old := v.Host.Clone()
		c.steps = append(c.steps, Step{Store: v.Store, Action: Update, Want: c.want, Old: &old})
	}
}

// addRemoval adds the step that removes a copy in memory, which Kea would use instead. It goes once
// the database has the right one.
func (s *situation) addRemoval(c *change) {
	hiding := c.server.hidingCopy()
	if hiding == nil || !s.address.IsValid() {
		return
	}
	c.steps = append(c.steps, Step{Store: c.server.copy.Store, Action: Remove, Want: *hiding})
	if c.server.primary.Host == nil {
		c.differences = append(c.differences, Difference{Text: "it is in memory, and not in the database"})
		return
	}
	c.differences = append(c.differences, Difference{Text: "a copy in memory hides the reservation in the database"})
	other := slices.DeleteFunc(differences(*hiding, c.want), func(d Difference) bool { return d.Field == fieldMark || d.Field == fieldAddress })
	if len(other) > 0 {
		c.warnings = append(c.warnings, "the copy of the reservation in memory, which hid the one in the database, is removed; it had other content: "+describeAll(other))
	}
}

// lost returns what the reservation of a device starts from on a server that has none: what the
// mirror has seen go there; or what another server has, as all are to have the same; or else what the
// intent was last held as. Nil if there was none.
func (s *situation) lost(server serverViews) *kea.Reservation {
	if v := server.primary.Vanished; v != nil {
		return v
	}
	for _, other := range append(slices.Clone(s.servers), s.away...) {
		r := other.inForce()
		if r == nil || other.name() == server.name() {
			continue
		}
		if _, others := ownedByOther(r, s.owner, s.in.Grant); !others || s.takes(r) {
			return r
		}
	}
	return s.in.Accepted
}

// what says what the steps of a change are for.
func (c change) what() string {
	if len(c.differences) == 0 {
		return "not in Kea yet"
	}
	return describeAll(c.differences)
}
