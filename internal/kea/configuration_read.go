// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"maps"

	"github.com/go-json-experiment/json/jsontext"
)

// The configuration has all hosts in memory in it, and all that a subnet can be set to. It is read
// one entry at a time, and what is not needed is dropped at once.

const globalLevel = "the global level"

// read returns a reader for Dhcp4.
func (w *wireConfiguration) read() reader {
	return func(d *jsontext.Decoder) error {
		var (
			p   place
			one *wireDatabase
		)
		members := w.policy()
		maps.Copy(members, map[string]reader{
			"hosts-database":               into(&one),
			"hosts-databases":              into(&w.databases),
			"host-reservation-identifiers": into(&w.identifiers),
			"ip-reservations-unique":       into(&w.unique),
			memberOptionData:               p.options(),
			"reservations":                 p.hosts(),
			"client-classes":               listOf(nil, w.readClass),
			"shared-networks":              listOf(nil, w.readNetwork),
			"subnet4":                      w.readSubnets(&w.subnets),
		})
		err := objectOf(members)(d)
		if one != nil && *one != (wireDatabase{}) {
			w.databases = append([]wireDatabase{*one}, w.databases...)
		}
		w.keep(globalLevel, &p)
		return err
	}
}

// policy returns readers for what can be set on every level.
func (w *wirePolicy) policy() map[string]reader {
	return map[string]reader{
		"reservations-global":      into(&w.global),
		"reservations-in-subnet":   into(&w.inSubnet),
		"reservations-out-of-pool": into(&w.outOfPool),
		"match-client-id":          into(&w.matchClientID),
	}
}

func (w *wireConfiguration) readClass(d *jsontext.Decoder) error {
	var (
		p    place
		name text
	)
	err := objectOf(map[string]reader{memberName: into(&name), memberOptionData: p.options()})(d)
	w.keep("class "+string(name), &p)
	return err
}

func (w *wireConfiguration) readNetwork(d *jsontext.Decoder) error {
	var (
		p    place
		name text
		n    wireNetwork
	)
	members := n.policy()
	maps.Copy(members, map[string]reader{memberName: into(&name), memberOptionData: p.options(), "subnet4": w.readSubnets(&n.subnets)})
	err := objectOf(members)(d)
	w.keep("shared network "+string(name), &p)
	if len(n.subnets) > 0 {
		w.networks = append(w.networks, n)
	}
	return err
}

// readSubnets returns a reader for a list of subnets.
func (w *wireConfiguration) readSubnets(to *[]*wireConfigured) reader {
	return listOf(nil, func(d *jsontext.Decoder) error {
		if w.count++; w.count > maxSubnets {
			return tooMany(commandConfigGet, "subnets", maxSubnets)
		}
		s, err := w.readSubnet(d)
		if err != nil {
			return err
		}
		*to = append(*to, s)
		return nil
	})
}

func (w *wireConfiguration) readSubnet(d *jsontext.Decoder) (*wireConfigured, error) {
	var (
		p    place
		wire wireSubnet
		s    wireConfigured
	)
	members := s.policy()
	maps.Copy(members, map[string]reader{
		"id":             into(&wire.ID),
		"subnet":         into(&wire.Prefix),
		memberOptionData: p.options(),
		"reservations":   p.hosts(),
		"pools": listOf(nil, func(d *jsontext.Decoder) error {
			if w.poolCount++; w.poolCount > maxPools {
				return tooMany(commandConfigGet, "pools", maxPools)
			}
			pool, err := p.readPool(d)
			if err == nil {
				s.pools = append(s.pools, pool)
			}
			return err
		}),
	})
	if err := objectOf(members)(d); err != nil {
		return nil, err
	}
	var err error
	if s.subnet, err = wire.subnet(); err != nil {
		return nil, &shapeMismatchError{err}
	}
	w.keep(subnetName(s.subnet.Prefix), &p)
	return &s, nil
}

func (p *place) readPool(d *jsontext.Decoder) (Pool, error) {
	var w wirePool
	if err := into(&w)(d); err != nil {
		return Pool{}, err
	}
	p.add("pool "+w.Pool, w.OptionData)
	pool, err := parsePool(w.Pool)
	if err != nil {
		return Pool{}, &shapeMismatchError{err}
	}
	return pool, nil
}

// options returns a reader for a list of options.
func (p *place) options() reader {
	return listOf(nil, func(d *jsontext.Decoder) error {
		var o OptionData
		if err := into(&o)(d); err != nil {
			return err
		}
		p.add("", []OptionData{o})
		return nil
	})
}

// hosts returns a reader for a list of hosts.
func (p *place) hosts() reader {
	return listOf(nil, func(d *jsontext.Decoder) error {
		var h wireHost
		if err := into(&h)(d); err != nil {
			return err
		}
		p.add("host "+h.name(), h.OptionData)
		return nil
	})
}
