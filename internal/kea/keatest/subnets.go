// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
)

// subnetByID gives nil if there is none.
func (s *Server) subnetByID(id uint32) *kea.SubnetDetail {
	for i := range s.subnets {
		if s.subnets[i].ID == id {
			return &s.subnets[i]
		}
	}
	return nil
}

func (s *Server) subnetList(json.RawMessage) answer {
	list := make([]object, 0, len(s.subnets))
	for _, n := range s.subnets {
		var network any
		if n.SharedNetwork != "" {
			network = n.SharedNetwork
		}
		list = append(list, object{"id": n.ID, "subnet": n.Prefix.String(), "shared-network-name": network})
	}
	if len(list) == 0 {
		return empty("0 IPv4 subnets found", object{"subnets": list})
	}
	return success(fmt.Sprintf("%d IPv4 subnets found", len(list)), object{"subnets": list})
}

func (s *Server) subnetGet(raw json.RawMessage) answer {
	var args struct {
		ID     *uint32 `json:"id"`
		Subnet *string `json:"subnet"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return failure("bad arguments: %v", err)
	}
	if (args.ID == nil) == (args.Subnet == nil) {
		return failure("invalid number of arguments for the 'subnet4-get' command. Expecting 'id' or 'subnet'")
	}
	for _, n := range s.subnets {
		if (args.ID != nil && n.ID == *args.ID) || (args.Subnet != nil && n.Prefix.String() == *args.Subnet) {
			return success(fmt.Sprintf("Info about IPv4 subnet %s (id %d) returned", n.Prefix, n.ID), object{"subnet4": []object{subnetObject(n)}})
		}
	}
	if args.ID != nil {
		return empty(fmt.Sprintf("No subnet with id %d found", *args.ID), nil)
	}
	return empty(fmt.Sprintf("No %s subnet found", *args.Subnet), nil)
}

// subnetObject is a subnet as subnet4-get writes it: without the name of its shared network.
func subnetObject(n kea.SubnetDetail) object {
	options := make([]object, 0, len(n.OptionData))
	for _, o := range n.OptionData {
		options = append(options, optionObject(o))
	}
	pools := make([]object, 0, len(n.Pools))
	for _, p := range n.Pools {
		pools = append(pools, object{"pool": p.First.String() + "-" + p.Last.String(), memberOptionData: []object{}})
	}
	out := object{"id": n.ID, "subnet": n.Prefix.String(), memberOptionData: options, "pools": pools, "relay": object{"ip-addresses": []string{}}}
	for name, v := range map[string]*bool{
		"reservations-global": n.ReservationsGlobal, "reservations-in-subnet": n.ReservationsInSubnet, "reservations-out-of-pool": n.ReservationsOutOfPool,
	} {
		if v != nil {
			out[name] = *v
		}
	}
	return out
}

// subnetOf finds the subnet that an address is in.
func (s *Server) subnetOf(ip netip.Addr) *kea.SubnetDetail {
	for i := range s.subnets {
		if s.subnets[i].Prefix.Contains(ip) {
			return &s.subnets[i]
		}
	}
	return nil
}
