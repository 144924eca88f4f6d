// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"fmt"
	"net/netip"
	"slices"
)

// wireConfiguration is what this package reads of Dhcp4, as config-get writes it. Options and hosts
// are not kept: opaque has those of the options that matter.
type wireConfiguration struct {
	wirePolicy

	databases   []wireDatabase
	identifiers []string
	unique      bool
	networks    []wireNetwork
	subnets     []*wireConfigured
	opaque      []ConfiguredOption
	// count is how many subnets have been read, with those of shared networks, and poolCount how
	// many pools.
	count, poolCount int
}

type wireDatabase struct {
	Type     string `json:"type"`
	ReadOnly bool   `json:"readonly"`
}

// wirePolicy is what can be set globally, for a shared network and for a subnet. Kea 3.0.3 writes
// each member where it is set, and globally always.
type wirePolicy struct {
	global        *bool
	inSubnet      *bool
	outOfPool     *bool
	matchClientID *bool
}

type wireNetwork struct {
	wirePolicy

	subnets []*wireConfigured
}

type wireConfigured struct {
	wirePolicy

	subnet Subnet
	pools  []Pool
}

// wireHost is a host reservation, as far as its options need a name.
type wireHost struct {
	HWAddress  string       `json:"hw-address"`
	DUID       string       `json:"duid"`
	ClientID   string       `json:"client-id"`
	CircuitID  string       `json:"circuit-id"`
	FlexID     string       `json:"flex-id"`
	OptionData []OptionData `json:"option-data"`
}

// name is the identifier, with its kind unless that is the hardware address.
func (h wireHost) name() string {
	for _, id := range []struct{ kind, value string }{
		{"", h.HWAddress}, {"duid ", h.DUID}, {"client-id ", h.ClientID}, {"circuit-id ", h.CircuitID}, {"flex-id ", h.FlexID},
	} {
		if id.value != "" {
			return id.kind + id.value
		}
	}
	return "without identifier"
}

// defaultIdentifiers are those of Kea (ARM, "Host Reservations in DHCPv4").
var defaultIdentifiers = []string{"hw-address", memberDUID, memberCircuitID, memberClientID}

// configuration returns what this package keeps, with Kea's defaults for what is left out.
func (w *wireConfiguration) configuration() (Configuration, error) {
	out := Configuration{Identifiers: w.identifiers, AddressesUnique: w.unique, Subnets: map[uint32]SubnetPolicy{}, OpaqueOptions: w.opaque}
	if out.Identifiers == nil {
		out.Identifiers = slices.Clone(defaultIdentifiers)
	}
	for _, d := range w.databases {
		out.HostDatabases = append(out.HostDatabases, HostDatabase(d))
	}
	global := w.over(SubnetPolicy{ReservationsInSubnet: true, MatchClientID: true})
	for _, n := range w.networks {
		if err := out.add(n.over(global), n.subnets); err != nil {
			return Configuration{}, err
		}
	}
	if err := out.add(global, w.subnets); err != nil {
		return Configuration{}, err
	}
	return out, nil
}

// add adds subnets that inherit a policy.
func (c *Configuration) add(inherited SubnetPolicy, subnets []*wireConfigured) error {
	for _, w := range subnets {
		policy := w.over(inherited)
		policy.Prefix, policy.Pools = w.subnet.Prefix, w.pools
		if _, twice := c.Subnets[w.subnet.ID]; twice {
			return fmt.Errorf("the subnet-id %d occurs twice", w.subnet.ID)
		}
		c.Subnets[w.subnet.ID] = policy
	}
	return nil
}

// over returns the policy with what is set here instead of what is inherited.
func (w *wirePolicy) over(p SubnetPolicy) SubnetPolicy {
	for to, from := range map[*bool]*bool{
		&p.ReservationsGlobal: w.global, &p.ReservationsInSubnet: w.inSubnet,
		&p.ReservationsOutOfPool: w.outOfPool, &p.MatchClientID: w.matchClientID,
	} {
		if from != nil {
			*to = *from
		}
	}
	return p
}

// found are opaque options, and whose they are: the name of that place may be read after them.
type found struct {
	options []OptionData
	// inside is where they are, seen from the place; empty if they are its own.
	inside string
}

// place collects the opaque options of a part of the configuration.
type place struct{ found []found }

// add keeps those of the options that may have content that Kea does not return.
func (p *place) add(inside string, options []OptionData) {
	var opaque []OptionData
	for _, o := range options {
		if o.Opaque() && len(p.found) < maxOpaque {
			opaque = append(opaque, o)
		}
	}
	if len(opaque) > 0 {
		p.found = append(p.found, found{opaque, inside})
	}
}

// keep lists the opaque options of a place under its name.
func (w *wireConfiguration) keep(name string, p *place) {
	for _, f := range p.found {
		where := name
		if f.inside != "" {
			where += ", " + f.inside
		}
		for _, o := range f.options {
			if len(w.opaque) == maxOpaque {
				return
			}
			w.opaque = append(w.opaque, ConfiguredOption{Option: o, Where: Printable(where, maxReason)})
		}
	}
}

// subnetName is what the place of a subnet is called.
func subnetName(prefix netip.Prefix) string { return "subnet " + prefix.String() }
