// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"errors"
	"net/netip"

	"github.com/go-json-experiment/json/jsontext"
)

const commandConfigGet = "config-get"

// Configuration is what of a server's configuration decides about host reservations.
type Configuration struct {
	// HostDatabases are those of hosts-database and hosts-databases, in the order in which Kea uses
	// them; nil if there is none. They can be lost at the moment; see ProbeDatabase.
	HostDatabases []HostDatabase
	// Identifiers are host-reservation-identifiers: Kea ignores host reservations by any other.
	Identifiers []string
	// AddressesUnique is whether Kea refuses a host reservation with an address that another one of
	// the same place has (ip-reservations-unique); false if it does not say so.
	AddressesUnique bool
	// Subnets are all subnets by subnet-id, with what they inherit.
	Subnets map[uint32]SubnetPolicy
	// OpaqueOptions are all options of the configuration, host reservations in memory included,
	// whose content Kea may have and does not return (see OptionData.Opaque). config-write writes
	// them without their content. The first thousand are listed.
	OpaqueOptions []ConfiguredOption
}

// HostDatabase is one hosts-database.
type HostDatabase struct {
	// Type is postgresql, mysql, or what newer Kea knows.
	Type string
	// ReadOnly is whether Kea refuses all writes to it.
	ReadOnly bool
}

// SubnetPolicy is how Kea treats the host reservations and leases of a subnet, with what the subnet
// inherits from its shared network and from the global level.
type SubnetPolicy struct {
	Prefix netip.Prefix
	// ReservationsGlobal is whether Kea looks for global host reservations (subnet-id 0).
	ReservationsGlobal bool
	// ReservationsInSubnet is whether Kea looks for host reservations of the subnet. If not, it
	// ignores them.
	ReservationsInSubnet bool
	// ReservationsOutOfPool is whether Kea takes host reservations to be outside of the pools. It
	// ignores those with an address in a pool then.
	ReservationsOutOfPool bool
	// MatchClientID is whether a client is known by its client identifier first, and by its
	// hardware address only without one.
	MatchClientID bool
	Pools         []Pool
}

// ConfiguredOption is an option and the place in the configuration where it stands.
type ConfiguredOption struct {
	Option OptionData
	// Where is for people: "global", "class c1", "shared network net", "subnet 10.64.0.0/16, pool
	// 10.64.0.9-10.64.0.99", "subnet 10.64.0.0/16, host 02:00:00:01:00:01".
	Where string
}

// Configuration reads the configuration (config-get). It keeps nothing but what Configuration has,
// and no credentials. Kea serves no DHCP client while it writes the configuration, which has all
// host reservations in memory in it: about 0.3 s with 10,000, 1.4 s with 50,000. An account may not
// be allowed to send the command. A *MalformedError for a configuration of another shape.
func (c *Client) Configuration(ctx context.Context) (Configuration, error) {
	var w wireConfiguration
	found := false
	read := func(d *jsontext.Decoder) error {
		found = true
		return w.read()(d)
	}
	err := c.run(ctx, request{Command: commandConfigGet, limit: configAnswer, read: objectOf(map[string]reader{"Dhcp4": read})}, nil)
	if err != nil {
		return Configuration{}, err
	}
	if !found {
		return Configuration{}, errNoDHCP4
	}
	cfg, err := w.configuration()
	if err != nil {
		return Configuration{}, shapeError(commandConfigGet, err)
	}
	return cfg, nil
}

var errNoDHCP4 = shapeError(commandConfigGet, errors.New("there is no Dhcp4"))
