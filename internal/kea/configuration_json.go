// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"fmt"
	"net/netip"
	"slices"
)

// wireConfiguration is Dhcp4 as config-get writes it.
type wireConfiguration struct {
	wirePolicy

	HostsDatabase  *wireDatabase    `json:"hosts-database"`
	HostsDatabases []wireDatabase   `json:"hosts-databases"`
	Identifiers    []string         `json:"host-reservation-identifiers"`
	OptionData     []OptionData     `json:"option-data"`
	Classes        []wireOptionsOf  `json:"client-classes"`
	SharedNetworks []wireNetwork    `json:"shared-networks"`
	Subnets        []wireConfigured `json:"subnet4"`
	Hosts          []wireHost       `json:"reservations"`
}

type wireDatabase struct {
	Type     string `json:"type"`
	ReadOnly bool   `json:"readonly"`
}

// wirePolicy is what can be set globally, for a shared network and for a subnet. Kea 3.0.3 writes
// each member where it is set, and globally always.
type wirePolicy struct {
	Global        *bool `json:"reservations-global"`
	InSubnet      *bool `json:"reservations-in-subnet"`
	OutOfPool     *bool `json:"reservations-out-of-pool"`
	MatchClientID *bool `json:"match-client-id"`
}

type wireOptionsOf struct {
	Name       text         `json:"name"`
	OptionData []OptionData `json:"option-data"`
}

type wireNetwork struct {
	wireOptionsOf
	wirePolicy

	Subnets []wireConfigured `json:"subnet4"`
}

type wireConfigured struct {
	wireSubnet
	wirePolicy

	OptionData []OptionData `json:"option-data"`
	Pools      []wirePool   `json:"pools"`
	Hosts      []wireHost   `json:"reservations"`
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
var defaultIdentifiers = []string{"hw-address", "duid", "circuit-id", "client-id"}

// configuration returns what this package keeps, with Kea's defaults for what is left out.
func (w *wireConfiguration) configuration() (Configuration, error) {
	out := Configuration{
		Identifiers: w.Identifiers,
		Subnets:     map[uint32]SubnetPolicy{},
	}
	if out.Identifiers == nil {
		out.Identifiers = slices.Clone(defaultIdentifiers)
	}
	if w.HostsDatabase != nil && *w.HostsDatabase != (wireDatabase{}) {
		out.HostDatabases = append(out.HostDatabases, HostDatabase(*w.HostsDatabase))
	}
	for _, d := range w.HostsDatabases {
		out.HostDatabases = append(out.HostDatabases, HostDatabase(d))
	}
	out.opaque("the global level", w.OptionData)
	for _, c := range w.Classes {
		out.opaque("class "+string(c.Name), c.OptionData)
	}
	out.opaqueOfHosts("the global level", w.Hosts)

	global := w.over(SubnetPolicy{ReservationsInSubnet: true, MatchClientID: true})
	for _, n := range w.SharedNetworks {
		out.opaque("shared network "+string(n.Name), n.OptionData)
		if err := out.add(n.over(global), n.Subnets); err != nil {
			return Configuration{}, err
		}
	}
	if err := out.add(global, w.Subnets); err != nil {
		return Configuration{}, err
	}
	return out, nil
}

// add adds subnets that inherit a policy.
func (c *Configuration) add(inherited SubnetPolicy, subnets []wireConfigured) error {
	for _, w := range subnets {
		s, err := w.subnet()
		if err != nil {
			return err
		}
		policy := w.over(inherited)
		policy.Prefix = s.Prefix
		if policy.Pools, err = pools(w.Pools); err != nil {
			return err
		}
		if _, twice := c.Subnets[s.ID]; twice {
			return fmt.Errorf("the subnet-id %d occurs twice", s.ID)
		}
		c.Subnets[s.ID] = policy
		c.opaqueOfSubnet(s.Prefix, w)
	}
	return nil
}

// over returns the policy with what is set here instead of what is inherited.
func (w wirePolicy) over(p SubnetPolicy) SubnetPolicy {
	for to, from := range map[*bool]*bool{
		&p.ReservationsGlobal: w.Global, &p.ReservationsInSubnet: w.InSubnet,
		&p.ReservationsOutOfPool: w.OutOfPool, &p.MatchClientID: w.MatchClientID,
	} {
		if from != nil {
			*to = *from
		}
	}
	return p
}

func (c *Configuration) opaqueOfSubnet(prefix netip.Prefix, w wireConfigured) {
	where := "subnet " + prefix.String()
	c.opaque(where, w.OptionData)
	for _, p := range w.Pools {
		c.opaque(where+", pool "+p.Pool, p.OptionData)
	}
	c.opaqueOfHosts(where, w.Hosts)
}

func (c *Configuration) opaqueOfHosts(where string, hosts []wireHost) {
	for _, h := range hosts {
		c.opaque(where+", host "+h.name(), h.OptionData)
	}
}

// opaque keeps those of the options that may have content that Kea does not return.
func (c *Configuration) opaque(where string, options []OptionData) {
	for _, o := range options {
		if o.Opaque() {
			c.OpaqueOptions = append(c.OpaqueOptions, ConfiguredOption{Option: o, Where: where})
		}
	}
}
