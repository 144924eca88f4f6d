// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"slices"
	"strings"
)

// Capabilities is what a server can do, found out by reading alone.
type Capabilities struct {
	// Version is the short version, such as "3.0.3".
	Version string
	// MissingHooks are those of HookHostCmds, HookSubnetCmds and HookLeaseCmds that are not loaded;
	// nil if none is missing.
	MissingHooks []string
	// HostCache is whether libdhcp_host_cache is loaded. To Kea it is a database: a host that is
	// added with the target database, where there is no real one, goes into the cache, which is not
	// listed and forgets. With a real database and the cache, updates fail after a restart of Kea
	// ("host ID 0 not found").
	HostCache bool
	// HostBackend is whether a database back end for hosts is loaded (libdhcp_pgsql,
	// libdhcp_mysql). Without one there is no hosts-database; with one, Configuration.HostDatabases
	// has the answer.
	HostBackend bool
}

// Probe finds out what the server can do (list-commands, version-get). It writes nothing.
func (c *Client) Probe(ctx context.Context) (Capabilities, error) {
	commands, err := c.ListCommands(ctx)
	if err != nil {
		return Capabilities{}, err
	}
	short, extended, err := c.version(ctx)
	if err != nil {
		return Capabilities{}, err
	}
	loaded, missing := loadedHooks(commands)
	return Capabilities{
		Version:      short,
		MissingHooks: missing,
		HostCache:    slices.Contains(loaded, HookHostCache),
		HostBackend:  hasHostBackend(extended),
	}, nil
}

// hasHostBackend reports whether the long version lists a back end for hosts.
func hasHostBackend(extended string) bool { return strings.Contains(extended, "host backends:") }
