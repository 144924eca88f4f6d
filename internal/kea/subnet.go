// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"net/netip"

	"github.com/go-json-experiment/json/jsontext"
)

// Subnet is one configured IPv4 subnet.
type Subnet struct {
	// ID is Kea's subnet-id, never 0. Ids of one prefix may differ between servers.
	ID uint32
	// Prefix is the subnet, masked.
	Prefix netip.Prefix
	// SharedNetwork is the name of the shared network it is in, if any.
	SharedNetwork string
}

// SubnetDetail is a subnet with what its clients get. Options are those of the subnet level only,
// not what it inherits. Its SharedNetwork is always empty: subnet4-get does not return it,
// Client.Subnets does.
type SubnetDetail struct {
	Subnet
	Pools      []Pool
	OptionData []OptionData
	// Routers and DNSServers are the options of these names, where they are given as addresses.
	Routers    []netip.Addr
	DNSServers []netip.Addr
	// Whether Kea looks for host reservations of these kinds; nil where the subnet does not set it
	// and inherits (see Configuration.Subnets).
	ReservationsGlobal    *bool
	ReservationsInSubnet  *bool
	ReservationsOutOfPool *bool
}

// Pool is a range of addresses, both ends included.
type Pool struct {
	First, Last netip.Addr
}

// Contains reports whether the address is in the pool.
func (p Pool) Contains(ip netip.Addr) bool {
	return p.First.Compare(ip) <= 0 && ip.Compare(p.Last) <= 0
}

// Subnets returns every subnet, those in shared networks included (subnet4-list). A server without
// subnets, or whose configuration has not arrived yet, returns an empty list. A *LimitError if there
// are more than 100,000.
func (c *Client) Subnets(ctx context.Context) ([]Subnet, error) {
	const command = "subnet4-list"
	var (
		found   bool
		subnets = []Subnet{}
	)
	one := func(d *jsontext.Decoder) error {
		var w wireSubnet
		if err := into(&w)(d); err != nil {
			return err
		}
		s, err := w.subnet()
		if err != nil {
			return &shapeMismatchError{err}
		}
		subnets = append(subnets, s)
		return nil
	}
	err := c.run(ctx, request{
		Command: command, limit: subnetsAnswer,
		read: objectOf(map[string]reader{"subnets": listOf(&found, upTo(maxSubnets, command, "subnets", one))}),
	}, nil)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	case !found:
		return nil, shapeError(command, errors.New("there are no subnets"))
	}
	return subnets, nil
}

// Subnet reads the subnet of an id (subnet4-get). ErrNotFound if there is none.
func (c *Client) Subnet(ctx context.Context, id uint32) (SubnetDetail, error) {
	return c.subnet(ctx, map[string]any{"id": id})
}
