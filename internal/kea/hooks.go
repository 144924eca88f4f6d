// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"slices"
	"strings"
)

// Hook libraries of kea-dhcp4 that this project knows, by file name (ARM, "Hook Libraries").
const (
	// HookHostCmds brings the reservation- commands.
	HookHostCmds = "libdhcp_host_cmds.so"
	// HookSubnetCmds brings the subnet4- commands.
	HookSubnetCmds = "libdhcp_subnet_cmds.so"
	// HookLeaseCmds brings the lease4- commands.
	HookLeaseCmds = "libdhcp_lease_cmds.so"
	// HookHostCache brings the cache- commands. It is not needed; see Capabilities.HostCache.
	HookHostCache = "libdhcp_host_cache.so"
)

// hooks lists the hook libraries, those that the provider needs first.
var hooks = []struct {
	file string
	// prefix is that of its commands.
	prefix string
	// command is there if the hook library is loaded. (kea-dhcp4 itself has commands with the same
	// prefix: subnet4-select-test.)
	command string
	needed  bool
}{
	{HookHostCmds, "reservation-", "reservation-get", true},
	{HookSubnetCmds, "subnet4-", "subnet4-list", true},
	{HookLeaseCmds, "lease4-", "lease4-get-page", true},
	{HookHostCache, "cache-", "cache-size", false},
}

// hookOf returns the hook library that brings a command; empty for a command of Kea itself.
func hookOf(command string) string {
	for _, h := range hooks {
		if strings.HasPrefix(command, h.prefix) {
			return h.file
		}
	}
	return ""
}

// loadedHooks returns those of the hook libraries whose commands are in the list, and those of the
// needed ones whose are not.
func loadedHooks(commands []string) (loaded, missing []string) {
	for _, h := range hooks {
		switch {
		case slices.Contains(commands, h.command):
			loaded = append(loaded, h.file)
		case h.needed:
			missing = append(missing, h.file)
		}
	}
	return loaded, missing
}
