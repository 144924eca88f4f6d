// SPDX-License-Identifier: Apache-2.0

package mirror

import (
	"net/netip"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Changes says which resources a change in Kea concerns. The zero value is none.
type Changes struct {
	// Everything is set where every reservation is concerned: where there is another set of
	// servers, where the subnets of one cannot be listed, or too many have changed.
	Everything bool
	// HWAddresses are the devices whose reservation or lease changed, and Addresses those whose
	// holder changed. The value is the resource whose own write was the cause, and which need not
	// hear of it; empty if the cause came from elsewhere.
	HWAddresses map[kea.HWAddress]string
	Addresses   map[netip.Addr]string
	// Subnets are those that came or went on a server, or of which settings changed. They concern
	// the resources that name one of them, by prefix or by subnet-id, and those that name a subnet
	// which no server has: their message lists which there are.
	Subnets map[kea.Subnet]struct{}
	// Servers is set where what is reported of a server changed.
	Servers bool
}

// Empty reports whether there is no change.
func (c *Changes) Empty() bool {
	return !c.Everything && !c.Servers && len(c.HWAddresses) == 0 && len(c.Addresses) == 0 && len(c.Subnets) == 0
}

// Merge adds other changes.
func (c *Changes) Merge(o Changes) {
	c.Everything = c.Everything || o.Everything
	c.Servers = c.Servers || o.Servers
	for hw, cause := range o.HWAddresses {
		c.device(hw, cause)
	}
	for a, cause := range o.Addresses {
		c.address(a, cause)
	}
	for sub := range o.Subnets {
		c.subnet(sub)
	}
}

// maxSubnets is how many subnets are listed one by one. More are as good as everything, and a server
// that lists others each time must not make them more and more.
const maxSubnets = 1000

func (c *Changes) subnet(sub kea.Subnet) {
	if len(c.Subnets) >= maxSubnets {
		c.Everything = true
	}
	if c.Everything {
		c.Subnets = nil
		return
	}
	if c.Subnets == nil {
		c.Subnets = map[kea.Subnet]struct{}{}
	}
	c.Subnets[sub] = struct{}{}
}

func (c *Changes) device(hw kea.HWAddress, cause string) {
	if hw == "" {
		return
	}
	if c.HWAddresses == nil {
		c.HWAddresses = map[kea.HWAddress]string{}
	}
	if before, ok := c.HWAddresses[hw]; ok && before != cause {
		cause = ""
	}
	c.HWAddresses[hw] = cause
}

func (c *Changes) address(a netip.Addr, cause string) {
	if !a.IsValid() {
		return
	}
	if c.Addresses == nil {
		c.Addresses = map[netip.Addr]string{}
	}
	if before, ok := c.Addresses[a]; ok && before != cause {
		cause = ""
	}
	c.Addresses[a] = cause
}

// host adds a reservation that was changed from outside.
func (c *Changes) host(h *kea.Host) {
	c.device(h.HWAddress, "")
	c.address(h.IPAddress, "")
}
