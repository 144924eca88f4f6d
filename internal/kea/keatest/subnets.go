// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
)

// subnetByID returns nil if there is none.
func (s *Server) subnetByID(id uint32) *kea.SubnetDetail {
	for i := range s.options.Subnets {
		if s.options.Subnets[i].ID == id {
			return &s.options.Subnets[i]
		}
	}
	return nil
}

func (s *Server) subnetList(json.RawMessage) answer {
	list := make([]object, 0, len(s.options.Subnets))
	for _, n := range s.options.Subnets {
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
	for _, n := range s.options.Subnets {
		if (args.ID != nil && n.ID == *args.ID) || (args.Subnet != nil && n.Prefix.String() == *args.Subnet) {
			return success(fmt.Sprintf("Info about IPv4 subnet %s (id %d) returned", n.Prefix, n.ID), object{"subnet4": []object{s.options.subnetObject(n)}})
		}
	}
	if args.ID != nil {
		return empty(fmt.Sprintf("No subnet with id %d found", *args.ID), nil)
	}
	return empty(fmt.Sprintf("No %s subnet found", *args.Subnet), nil)
}

// subnetObject is a subnet as subnet4-get writes it: without the name of its shared network, and
// without what it inherits.
func (o *Options) subnetObject(n kea.SubnetDetail) object {
	pools := make([]object, 0, len(n.Pools))
	for _, p := range n.Pools {
		pools = append(pools, object{"pool": poolText(p), memberOptionData: o.optionObjects(o.PoolOptions[p])})
	}
	level := Level{
		ReservationsGlobal: n.ReservationsGlobal, ReservationsInSubnet: n.ReservationsInSubnet, ReservationsOutOfPool: n.ReservationsOutOfPool,
		OptionData: n.OptionData,
	}
	if match, ok := o.MatchClientID[n.ID]; ok {
		level.MatchClientID = &match
	}
	out := o.levelObject(level)
	maps.Copy(out, object{"id": n.ID, "subnet": n.Prefix.String(), "pools": pools, "relay": object{"ip-addresses": []string{}}})
	return out
}

// poolText writes a pool as Kea does: as a prefix if it is one.
func poolText(p kea.Pool) string {
	for bits := range p.First.BitLen() + 1 {
		prefix := netip.PrefixFrom(p.First, bits)
		if prefix.Masked().Addr() == p.First && prefix.Contains(p.Last) && !prefix.Contains(p.Last.Next()) {
			return prefix.String()
		}
	}
	return p.First.String() + "-" + p.Last.String()
}

// levelObject has what is set at a level.
func (o *Options) levelObject(l Level) object {
	out := object{memberOptionData: o.optionObjects(l.OptionData)}
	for name, v := range map[string]*bool{
		"reservations-global": l.ReservationsGlobal, "reservations-in-subnet": l.ReservationsInSubnet,
		"reservations-out-of-pool": l.ReservationsOutOfPool, "match-client-id": l.MatchClientID,
	} {
		if v != nil {
			out[name] = *v
		}
	}
	return out
}

// subnetOf finds the subnet that an address is in.
func (s *Server) subnetOf(ip netip.Addr) *kea.SubnetDetail {
	for i := range s.options.Subnets {
		if s.options.Subnets[i].Prefix.Contains(ip) {
			return &s.options.Subnets[i]
		}
	}
	return nil
}
