// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"crypto/tls"
	"slices"
	"strings"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Options are how a Server differs from the default: host reservations in memory, plain HTTP
// without authentication, the subnet 10.123.0.0/24 with id 1, and Kea's defaults for the rest.
type Options struct {
	// Subnets replace the default one; empty and not nil means none, as with a Kea whose
	// configuration has not arrived.
	Subnets []kea.SubnetDetail
	// MatchClientID is match-client-id of subnets, by subnet-id.
	MatchClientID map[uint32]bool
	// SharedNetworks and Global are what is set above the subnets, by name of the shared network.
	SharedNetworks map[string]Level
	Global         Level
	// ClientClasses are the options of client classes, by name.
	ClientClasses map[string][]kea.OptionData
	// PoolOptions are the options of pools.
	PoolOptions map[kea.Pool][]kea.OptionData
	// OptionDefs are option definitions besides those in options_data.go.
	OptionDefs []OptionDef
	// Identifiers are host-reservation-identifiers; nil is Kea's default.
	Identifiers []string
	// AddressesNotUnique sets ip-reservations-unique to false.
	AddressesNotUnique bool

	// Database is the hosts-database. Without one, host reservations are in memory. Servers can
	// share one.
	Database *Database
	// DatabaseReadOnly is readonly of the database.
	DatabaseReadOnly bool
	// HostBackend loads a database back end for hosts also without a Database.
	HostBackend bool
	// HostCache loads libdhcp_host_cache.
	HostCache bool
	// MissingHooks are the hook libraries that are not loaded.
	MissingHooks []string

	// Username and Password turn basic authentication on.
	Username, Password string
	// ReadOnly is an account that may only read: every command that writes is answered with 403.
	ReadOnly bool
	// Forbidden are commands that are answered with 403.
	Forbidden []string
	// TLS is for an API by HTTPS; set in it whether client certificates are required.
	TLS *tls.Config

	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Level is what a shared network or the global level sets for the subnets below it; nil means not
// set.
type Level struct {
	ReservationsGlobal    *bool
	ReservationsInSubnet  *bool
	ReservationsOutOfPool *bool
	MatchClientID         *bool
	OptionData            []kea.OptionData
}

// OptionDef is an option definition. Kea does not return the content of an option of type empty.
type OptionDef struct {
	Name string
	Code uint16
	// Space is the option space; "" is dhcp4.
	Space string
	// Type is Kea's name of it, such as string, uint8, empty.
	Type        string
	Encapsulate string
}

// forbids reports whether the account may not send a command.
func (o *Options) forbids(command string) bool {
	return slices.Contains(o.Forbidden, command) || o.ReadOnly && writes(command)
}

// writes reports whether a command changes something.
func writes(command string) bool {
	for _, suffix := range []string{"-add", "-del", "-update", "config-write", "config-reload"} {
		if strings.HasSuffix(command, suffix) {
			return true
		}
	}
	return false
}
