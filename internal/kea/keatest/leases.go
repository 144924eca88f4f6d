// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// leaseAdd is lease4-add, as far as tests use it.
func (s *Server) leaseAdd(raw json.RawMessage) answer {
	var args struct {
		IPAddress string `json:"ip-address"`
		HWAddress string `json:"hw-address"`
		ClientID  string `json:"client-id"`
		Hostname  string `json:"hostname"`
		State     int    `json:"state"`
		ValidLft  *int64 `json:"valid-lft"`
		Expire    *int64 `json:"expire"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return failure("bad arguments: %v", err)
	}
	ip, err := netip.ParseAddr(args.IPAddress)
	if err != nil {
		return failure("Failed to convert string to address '%s': Invalid argument", args.IPAddress)
	}
	subnet := s.subnetOf(ip)
	if subnet == nil {
		return failure("subnet-id not specified and failed to find a subnet for address %s", ip)
	}
	if _, taken := s.leases[ip]; taken {
		return answer{Result: resultConflict, Text: "IPv4 lease already exists."}
	}
	lifetime, begin := int64(defaultLifetime/time.Second), s.options.Now().Unix()
	if args.ValidLft != nil {
		lifetime = *args.ValidLft
	}
	if args.Expire != nil {
		begin = *args.Expire - lifetime
	}
	s.leases[ip] = lease{Lease: kea.Lease{
		IPAddress: ip, HWAddress: kea.HWAddress(strings.ToLower(args.HWAddress)), ClientID: args.ClientID, SubnetID: subnet.ID, State: args.State,
		CLTT: time.Unix(begin, 0).UTC(), ValidLifetime: time.Duration(lifetime) * time.Second, Hostname: strings.ToLower(args.Hostname),
	}}
	s.leasesChanged(subnet.ID)
	return success(fmt.Sprintf("Lease for address %s, subnet-id %d added.", ip, subnet.ID), nil)
}

// defaultLifetime is Kea's valid-lifetime.
const defaultLifetime = 2 * time.Hour

func (s *Server) leaseGetByHWAddress(raw json.RawMessage) answer {
	var args struct {
		HWAddress string `json:"hw-address"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return failure("bad arguments: %v", err)
	}
	if !strings.Contains(args.HWAddress, ":") {
		return failure("invalid format of the decoded string '%s'", args.HWAddress)
	}
	return leaseList(s.leasesWhere(func(l lease) bool { return strings.EqualFold(string(l.HWAddress), args.HWAddress) }), nil)
}

func (s *Server) leaseGetPage(raw json.RawMessage) answer {
	var args struct {
		From  string `json:"from"`
		Limit *int   `json:"limit"`
	}
	if err := json.Unmarshal(raw, &args); err != nil {
		return failure("bad arguments: %v", err)
	}
	switch {
	case args.Limit == nil:
		return failure("'limit' parameter not specified")
	case *args.Limit <= 0:
		return failure("page size of retrieved leases must not be 0")
	}
	var from netip.Addr // the zero Addr is before all others
	if args.From != "start" {
		ip, err := netip.ParseAddr(args.From)
		if err != nil {
			return failure("'from' parameter value is neither 'start' keyword nor a valid IPv4 address")
		}
		from = ip
	}
	page := s.leasesWhere(func(l lease) bool { return from.Less(l.IPAddress) })
	page = page[:min(len(page), *args.Limit)]
	return leaseList(page, object{memberCount: len(page)})
}

// leasesWhere returns leases by ascending address.
func (s *Server) leasesWhere(keep func(lease) bool) []lease {
	all := slices.SortedFunc(maps.Values(s.leases), func(a, b lease) int { return a.IPAddress.Compare(b.IPAddress) })
	return slices.DeleteFunc(all, func(l lease) bool { return !keep(l) })
}

// leaseList answers with leases and further arguments.
func leaseList(leases []lease, args object) answer {
	list := make([]object, 0, len(leases))
	for _, l := range leases {
		o := object{
			"cltt": l.CLTT.Unix(), "fqdn-fwd": false, "fqdn-rev": false, "hostname": l.Hostname, kindHWAddress: l.HWAddress, "ip-address": l.IPAddress,
			"state": l.State, "subnet-id": l.SubnetID, "valid-lft": int64(l.ValidLifetime / time.Second),
		}
		if l.ClientID != "" {
			o[kindClientID] = l.ClientID
		}
		if l.unreadable {
			o["state"] = "unreadable"
		}
		list = append(list, o)
	}
	out := object{"leases": list}
	maps.Copy(out, args)
	text := fmt.Sprintf("%d IPv4 lease(s) found.", len(list))
	if len(list) == 0 {
		return empty(text, out)
	}
	return success(text, out)
}
