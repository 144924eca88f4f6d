// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"strconv"
)

// Hook libraries that tests use.
const (
	HookHostCmds   = "libdhcp_host_cmds.so"
	HookSubnetCmds = "libdhcp_subnet_cmds.so"
	HookLeaseCmds  = "libdhcp_lease_cmds.so"
	HookHA         = "libdhcp_ha.so"
	HookHostCache  = "libdhcp_host_cache.so"
	HookPgSQL      = "libdhcp_pgsql.so"
	HookMySQL      = "libdhcp_mysql.so"
)

// KeaOptions say how a Kea differs from the default: memory hosts, plain HTTP
// without authentication, one subnet, no DHCP traffic.
type KeaOptions struct {
	// Subnets replace the default one, DefaultSubnet.
	Subnets []Subnet

	// Hooks replace the default host_cmds, subnet_cmds and lease_cmds. An
	// empty list that is not nil means none.
	Hooks []string

	// HookParameters are the parameters of hooks, by library.
	HookParameters map[string]any

	// Username and Password turn basic authentication on.
	Username, Password string

	// TLS has the API served by HTTPS.
	TLS *KeaTLS

	// Postgres or MariaDB is the hosts-database. Without one, hosts are in memory.
	Postgres *Postgres
	MariaDB  *MariaDB

	// HostsUnique sets ip-reservations-unique, which Kea takes for true.
	HostsUnique *bool

	// Interfaces to serve DHCP on.
	Interfaces []string

	// DHCPPort and RelayPort replace port 67 for requests and for answers to relays. Zero leaves it.
	DHCPPort, RelayPort int

	// SharedNetworks has what is merged into shared networks, by name.
	SharedNetworks map[string]map[string]any

	// PersistLeases keeps leases in a file, over a restart.
	PersistLeases bool

	// Address of the API, 127.0.0.1 where it is empty.
	Address string

	// Port of the API. Zero picks a free one.
	Port int

	// Extra is merged into Dhcp4 at last: its keys replace the others.
	Extra map[string]any
}

// A Subnet that Kea serves.
type Subnet struct {
	ID            int
	Prefix        string
	Pools         []string
	SharedNetwork string           // the name of the shared network it is in
	Reservations  []map[string]any // static ones, as Kea's configuration has them
	Extra         map[string]any   // merged in at last
}

// KeaTLS names PEM files.
type KeaTLS struct {
	CA, Cert, Key string

	// RequireClientCertificate refuses clients without a certificate of CA.
	RequireClientCertificate bool
}

const hostsDatabase = "hosts-database"

// hostsDatabaseOf returns hosts-database of a Kea's configuration. What extra has is merged in.
func hostsDatabaseOf(kind, host string, port int, name, user string, extra map[string]any) map[string]any {
	out := map[string]any{"type": kind, "host": host, "port": port, "name": name, "user": user}
	maps.Copy(out, extra)
	return out
}

// DefaultSubnet is what a Kea serves that is not told otherwise.
func DefaultSubnet() Subnet {
	return Subnet{ID: 1, Prefix: "10.123.0.0/24", Pools: []string{"10.123.0.100 - 10.123.0.200"}}
}

// writeKeaConfig writes the configuration of a Kea whose API is at port.
func writeKeaConfig(file string, o KeaOptions, port int) error {
	b, err := json.MarshalIndent(map[string]any{"Dhcp4": dhcp4(o, port)}, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot write Kea's configuration as JSON: %w", err)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return fmt.Errorf("cannot write Kea's configuration: %w", err)
	}
	return nil
}

func dhcp4(o KeaOptions, port int) map[string]any {
	subnets, networks := subnets(o.Subnets, o.SharedNetworks)
	out := map[string]any{
		"interfaces-config": map[string]any{"interfaces": append([]string{}, o.Interfaces...)},
		"control-sockets":   []any{controlSocket(o, port)},
		"lease-database":    map[string]any{"type": "memfile", "persist": o.PersistLeases},
		"hooks-libraries":   hooks(o),
		"subnet4":           subnets,
		"shared-networks":   networks,
		"loggers": []any{map[string]any{
			"name": "kea-dhcp4", "severity": "INFO",
			"output-options": []any{map[string]any{"output": "stdout", "flush": true}},
		}},
	}
	if p := o.Postgres; p != nil {
		out[hostsDatabase] = p.HostsDatabase(nil)
	}
	if m := o.MariaDB; m != nil {
		out[hostsDatabase] = m.HostsDatabase(nil)
	}
	if o.HostsUnique != nil {
		out["ip-reservations-unique"] = *o.HostsUnique
	}
	maps.Copy(out, o.Extra)
	return out
}

func controlSocket(o KeaOptions, port int) map[string]any {
	out := map[string]any{"socket-type": "http", "socket-address": o.address(), "socket-port": port}
	if o.Username != "" {
		out["authentication"] = map[string]any{
			"type": "basic", "realm": "kea",
			"clients": []any{map[string]any{"user": o.Username, "password": o.Password}},
		}
	}
	if t := o.TLS; t != nil {
		out["socket-type"] = "https"
		out["trust-anchor"], out["cert-file"], out["key-file"] = t.CA, t.Cert, t.Key
		out["cert-required"] = t.RequireClientCertificate
	}
	return out
}

func (o KeaOptions) address() string {
	if o.Address == "" {
		return "127.0.0.1"
	}
	return o.Address
}

// arguments are those that kea-dhcp4 gets beside its configuration.
func (o KeaOptions) arguments() (out []string) {
	if o.DHCPPort != 0 {
		out = append(out, "-p", strconv.Itoa(o.DHCPPort))
	}
	if o.RelayPort != 0 {
		out = append(out, "-P", strconv.Itoa(o.RelayPort))
	}
	return out
}

func defaultHooks() []string { return []string{HookHostCmds, HookSubnetCmds, HookLeaseCmds} }

// hooks are named without a folder: Kea looks for them in its own.
func hooks(o KeaOptions) []any {
	libraries := o.Hooks
	if libraries == nil {
		libraries = defaultHooks()
	}
	if o.Postgres != nil {
		libraries = append([]string{HookPgSQL}, libraries...)
	}
	if o.MariaDB != nil {
		libraries = append([]string{HookMySQL}, libraries...)
	}
	out := make([]any, 0, len(libraries))
	for _, l := range libraries {
		hook := map[string]any{"library": l}
		if p, ok := o.HookParameters[l]; ok {
			hook["parameters"] = p
		}
		out = append(out, hook)
	}
	return out
}

// subnets returns the subnets that are in no shared network, and the shared
// networks with theirs.
func subnets(in []Subnet, extra map[string]map[string]any) (subnets, networks []any) {
	if in == nil {
		in = []Subnet{DefaultSubnet()}
	}
	subnets, networks = []any{}, []any{}
	members := map[string][]any{}
	for _, s := range in {
		if s.SharedNetwork == "" {
			subnets = append(subnets, s.config())
			continue
		}
		members[s.SharedNetwork] = append(members[s.SharedNetwork], s.config())
	}
	for name, of := range members {
		network := map[string]any{"name": name, "subnet4": of}
		maps.Copy(network, extra[name])
		networks = append(networks, network)
	}
	return subnets, networks
}

func (s Subnet) config() map[string]any {
	pools := []any{}
	for _, p := range s.Pools {
		pools = append(pools, map[string]any{"pool": p})
	}
	out := map[string]any{"id": s.ID, "subnet": s.Prefix, "pools": pools}
	if len(s.Reservations) > 0 {
		out["reservations"] = s.Reservations
	}
	maps.Copy(out, s.Extra)
	return out
}
