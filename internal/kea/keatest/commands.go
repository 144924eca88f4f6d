// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// request is a command as a client sends it.
type request struct {
	Command   string          `json:"command"`
	Service   []string        `json:"service"`
	Arguments json.RawMessage `json:"arguments"`
}

// command runs a command, with the server's lock held.
type command struct {
	hook string
	run  func(*Server, json.RawMessage) answer
}

func commands() map[string]command {
	return map[string]command{
		"list-commands":              {"", (*Server).listCommands},
		"version-get":                {"", (*Server).versionGet},
		"status-get":                 {"", (*Server).statusGet},
		"statistic-get":              {"", (*Server).statisticGet},
		"config-get":                 {"", (*Server).configGet},
		"config-reload":              {"", (*Server).configReload},
		"config-write":               {"", (*Server).configWrite},
		"subnet4-list":               {kea.HookSubnetCmds, (*Server).subnetList},
		"subnet4-get":                {kea.HookSubnetCmds, (*Server).subnetGet},
		"lease4-add":                 {kea.HookLeaseCmds, (*Server).leaseAdd},
		"lease4-get-by-hw-address":   {kea.HookLeaseCmds, (*Server).leaseGetByHWAddress},
		"lease4-get-page":            {kea.HookLeaseCmds, (*Server).leaseGetPage},
		"reservation-add":            {kea.HookHostCmds, (*Server).reservationAdd},
		"reservation-update":         {kea.HookHostCmds, (*Server).reservationUpdate},
		"reservation-del":            {kea.HookHostCmds, (*Server).reservationDel},
		"reservation-get":            {kea.HookHostCmds, (*Server).reservationGet},
		"reservation-get-by-address": {kea.HookHostCmds, (*Server).reservationGetByAddress},
		"reservation-get-by-id":      {kea.HookHostCmds, (*Server).reservationGetByID},
		"reservation-get-page":       {kea.HookHostCmds, (*Server).reservationGetPage},
		"cache-size":                 {kea.HookHostCache, (*Server).cacheSize},
	}
}

// execute runs a command.
func (s *Server) execute(req request) answer {
	c, known := commands()[req.Command]
	if !known || !s.options.loads(c.hook) {
		return answer{Result: resultUnsupported, Text: fmt.Sprintf("'%s' command not supported.", req.Command)}
	}
	return c.run(s, req.Arguments)
}

// loads reports whether a hook library is loaded.
func (o *Options) loads(hook string) bool {
	if hook == kea.HookHostCache {
		return o.HostCache
	}
	return !slices.Contains(o.MissingHooks, hook)
}
