// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// configGet answers with what package kea reads, as Kea 3.0.3 writes it: what is not set is left
// out below the global level, and at the global level there with its default. Like Kea it has
// credentials.
func (s *Server) configGet(json.RawMessage) answer {
	o := &s.options
	unset := Level{ReservationsGlobal: new(false), ReservationsInSubnet: new(true), ReservationsOutOfPool: new(false), MatchClientID: new(true)}
	dhcp4 := o.levelObject(unset)
	maps.Copy(dhcp4, o.levelObject(o.Global))
	identifiers := o.Identifiers
	if identifiers == nil {
		identifiers = []string{kindHWAddress, kindDUID, kindCircuitID, kindClientID}
	}
	maps.Copy(dhcp4, object{
		"ip-reservations-unique": !o.AddressesNotUnique, "host-reservation-identifiers": identifiers,
		"hooks-libraries": o.hookObjects(), "option-def": o.definitionObjects(), "client-classes": o.classObjects(),
		"shared-networks": s.networkObjects(), "subnet4": s.subnetObjects(""),
	})
	if s.database.of != nil {
		database := object{"type": "postgresql", memberName: "kea", "user": "kea", "password": "secret"}
		if o.DatabaseReadOnly {
			database["readonly"] = true
		}
		dhcp4["hosts-databases"] = []object{database}
	}
	if hosts := s.hostObjects(0); len(hosts) > 0 {
		dhcp4["reservations"] = hosts
	}
	return success("", object{"Dhcp4": dhcp4, "hash": "0"})
}

func (o *Options) hookObjects() []object {
	out := []object{}
	for _, h := range []string{kea.HookHostCmds, kea.HookSubnetCmds, kea.HookLeaseCmds, kea.HookHostCache} {
		if o.loads(h) {
			out = append(out, object{"library": h})
		}
	}
	return out
}

func (o *Options) definitionObjects() []object {
	out := make([]object, 0, len(o.OptionDefs))
	for _, d := range o.OptionDefs {
		space := d.Space
		if space == "" {
			space = defaultSpace
		}
		out = append(out, object{
			memberName: d.Name, "code": d.Code, "space": space, "type": d.Type, "encapsulate": d.Encapsulate, "array": false, "record-types": "",
		})
	}
	return out
}

func (o *Options) classObjects() []object {
	out := make([]object, 0, len(o.ClientClasses))
	for _, name := range slices.Sorted(maps.Keys(o.ClientClasses)) {
		out = append(out, object{memberName: name, memberOptionData: o.optionObjects(o.ClientClasses[name])})
	}
	return out
}

func (s *Server) networkObjects() []object {
	out := []object{}
	for _, n := range s.options.Subnets {
		name := n.SharedNetwork
		if name == "" || slices.ContainsFunc(out, func(o object) bool { return o[memberName] == name }) {
			continue
		}
		network := s.options.levelObject(s.options.SharedNetworks[name])
		network[memberName], network["subnet4"] = name, s.subnetObjects(name)
		out = append(out, network)
	}
	return out
}

// subnetObjects are the subnets of a shared network, or those that are in none.
func (s *Server) subnetObjects(network string) []object {
	out := []object{}
	for _, n := range s.options.Subnets {
		if n.SharedNetwork == network {
			subnet := s.options.subnetObject(n)
			subnet["reservations"] = s.hostObjects(n.ID)
			out = append(out, subnet)
		}
	}
	return out
}

// hostObjects are the hosts in memory of a subnet; they have no subnet-id there.
func (s *Server) hostObjects(subnetID uint32) []object {
	hosts := s.memory.find(func(r kea.Reservation) bool { return r.SubnetID == subnetID })
	out := make([]object, 0, len(hosts))
	for _, h := range hosts {
		host := s.options.hostObject(h)
		delete(host, "subnet-id")
		out = append(out, host)
	}
	return out
}
