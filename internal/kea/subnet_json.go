// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// wireSubnet is a subnet as Kea writes it.
type wireSubnet struct {
	ID            uint32 `json:"id"`
	Prefix        string `json:"subnet"`
	SharedNetwork *text  `json:"shared-network-name"`
}

func (w wireSubnet) subnet() (Subnet, error) {
	prefix, err := netip.ParsePrefix(w.Prefix)
	if err != nil {
		return Subnet{}, fmt.Errorf("cannot read the prefix of a subnet: %w", err)
	}
	if w.ID == 0 {
		return Subnet{}, errors.New("cannot find the id of a subnet")
	}
	s := Subnet{ID: w.ID, Prefix: prefix.Masked()}
	if w.SharedNetwork != nil {
		s.SharedNetwork = Printable(string(*w.SharedNetwork), maxName)
	}
	return s, nil
}

// wireSubnetDetail is a subnet as subnet4-get writes it.
type wireSubnetDetail struct {
	wireSubnet
	Pools                 []wirePool   `json:"pools"`
	OptionData            []OptionData `json:"option-data"`
	ReservationsGlobal    *bool        `json:"reservations-global"`
	ReservationsInSubnet  *bool        `json:"reservations-in-subnet"`
	ReservationsOutOfPool *bool        `json:"reservations-out-of-pool"`
}

// subnet runs subnet4-get, which answers with a list of one.
func (c *Client) subnet(ctx context.Context, args map[string]any) (SubnetDetail, error) {
	const command = "subnet4-get"
	var out struct {
		Subnets []wireSubnetDetail `json:"subnet4"`
	}
	if err := c.run(ctx, request{Command: command, Arguments: args, limit: subnetAnswer}, &out); err != nil {
		return SubnetDetail{}, err
	}
	if len(out.Subnets) != 1 {
		return SubnetDetail{}, shapeError(command, errors.New("there is not one subnet"))
	}
	d, err := out.Subnets[0].detail()
	if err != nil {
		return SubnetDetail{}, shapeError(command, err)
	}
	return d, nil
}

func (w wireSubnetDetail) detail() (SubnetDetail, error) {
	s, err := w.subnet()
	if err != nil {
		return SubnetDetail{}, err
	}
	d := SubnetDetail{
		Subnet:                s,
		OptionData:            w.OptionData,
		Routers:               addresses(w.OptionData, "routers"),
		DNSServers:            addresses(w.OptionData, "domain-name-servers"),
		ReservationsGlobal:    w.ReservationsGlobal,
		ReservationsInSubnet:  w.ReservationsInSubnet,
		ReservationsOutOfPool: w.ReservationsOutOfPool,
	}
	if len(d.OptionData) == 0 {
		d.OptionData = nil
	}
	d.Pools, err = pools(w.Pools)
	return d, err
}

// wirePool is a pool as Kea writes it.
type wirePool struct {
	Pool       string       `json:"pool"`
	OptionData []OptionData `json:"option-data"`
}

func pools(in []wirePool) ([]Pool, error) {
	var out []Pool
	for _, p := range in {
		pool, err := parsePool(p.Pool)
		if err != nil {
			return nil, err
		}
		out = append(out, pool)
	}
	return out, nil
}

// maxAddresses is how many addresses fit into an option, which has 255 bytes (RFC 2132, section 2).
const maxAddresses = 63

// addresses reads an option whose data are addresses with commas between them. One that is written
// in another way (csv-format false) has none.
func addresses(options []OptionData, name string) []netip.Addr {
	for _, o := range options {
		if o.Name != name {
			continue
		}
		var out []netip.Addr
		for field := range strings.SplitSeq(o.Data, ",") {
			ip, err := netip.ParseAddr(strings.TrimSpace(field))
			if err != nil || !ip.Is4() || len(out) == maxAddresses {
				return nil
			}
			out = append(out, ip)
		}
		return out
	}
	return nil
}

// parsePool reads a pool: Kea writes it as a prefix where it is one ("10.0.0.64/28"), else as its
// ends ("10.0.0.100-10.0.0.200").
func parsePool(s string) (Pool, error) {
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return Pool{First: prefix.Masked().Addr(), Last: LastAddress(prefix)}, nil
	}
	from, to, _ := strings.Cut(s, "-")
	first, err := netip.ParseAddr(strings.TrimSpace(from))
	if err != nil {
		return Pool{}, fmt.Errorf("cannot read a pool: %w", err)
	}
	last, err := netip.ParseAddr(strings.TrimSpace(to))
	if err != nil {
		return Pool{}, fmt.Errorf("cannot read a pool: %w", err)
	}
	return Pool{First: first, Last: last}, nil
}

// LastAddress returns the highest address of a prefix.
func LastAddress(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 1 << (7 - bit%8)
	}
	last, _ := netip.AddrFromSlice(raw)
	return last
}
