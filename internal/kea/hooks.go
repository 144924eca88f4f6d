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

// hooks lists the hook libraries with the prefix that their commands have in common, those that
// the provider needs first.
var hooks = []struct {
	file, prefix string
	needed       bool
}{
	{HookHostCmds, "reservation-", true},
	{HookSubnetCmds, "subnet4-", true},
	{HookLeaseCmds, "lease4-", true},
	{HookHostCache, "cache-", false},
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

// missingHooks returns the needed hook libraries of which no command is in the list.
func missingHooks(commands []string) []string {
	var out []string
	for _, h := range hooks {
		if h.needed && !brings(commands, h.file) {
			out = append(out, h.file)
		}
	}
	return out
}

// brings reports whether a command of the hook library is in the list.
func brings(commands []string, hook string) bool {
	return slices.ContainsFunc(commands, func(c string) bool { return hookOf(c) == hook })
}
