// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"time"
)

// Status is what a server reports about itself. A changed PID, or an Uptime or Reload smaller than
// the time since the last status, means that the configuration was read again, and with it the host
// reservations in memory are lost.
type Status struct {
	PID int
	// Uptime is the time since the start, in whole seconds.
	Uptime time.Duration
	// Reload is the time since the configuration was last read, in whole seconds; 0 right after it.
	Reload time.Duration
	// HA has one entry for each relationship of the high-availability hook, up to 64; empty without
	// it.
	HA []HAStatus
}

// HAStatus is one high-availability relationship, seen from this server.
type HAStatus struct {
	// Mode is hot-standby, load-balancing or passive-backup.
	Mode string
	// ServerName is the name of this server in the relationship.
	ServerName string
	// Role of this server: primary, secondary, standby.
	Role string
	// State of this server: hot-standby, load-balancing, partner-down, waiting, syncing, …
	State string
	// PeerName and PeerState are what this server last heard of the other one; empty in
	// passive-backup.
	PeerName, PeerState string
	// PeerInterrupted is whether this server lost contact with the other one.
	PeerInterrupted bool
}

// ListCommands returns the commands that the server knows, those of loaded hooks included
// (list-commands).
func (c *Client) ListCommands(ctx context.Context) ([]string, error) {
	var out []string
	if err := c.run(ctx, request{Command: "list-commands"}, &out); err != nil {
		return nil, err
	}
	return out, nil
}

// Version returns the server's short version, such as "3.0.3" (version-get).
func (c *Client) Version(ctx context.Context) (string, error) {
	short, _, err := c.version(ctx)
	return short, err
}

// Status returns the server's status (status-get).
func (c *Client) Status(ctx context.Context) (Status, error) {
	var w wireStatus
	if err := c.run(ctx, request{Command: "status-get"}, &w); err != nil {
		return Status{}, err
	}
	return w.status(), nil
}

// WriteConfig makes the server write its configuration, host reservations in memory included, to
// its own file (config-write). It rewrites the whole file, with defaults expanded and secrets in
// clear, and loses the content of opaque options there (see Configuration.OpaqueOptions). A
// *RejectedError if the file cannot be written.
func (c *Client) WriteConfig(ctx context.Context) error {
	return c.run(ctx, request{Command: "config-write", effect: once}, nil)
}

// version returns the short version, which is the text of the answer, and the lines about how the
// server was built and which back ends it has loaded.
func (c *Client) version(ctx context.Context) (short, extended string, err error) {
	var v struct {
		Extended string `json:"extended"`
	}
	err = c.run(ctx, request{Command: "version-get", text: &short}, &v)
	return Printable(short, maxName), v.Extended, err
}

// wireStatus is a status as Kea writes it.
type wireStatus struct {
	PID    int   `json:"pid"`
	Uptime int64 `json:"uptime"`
	Reload int64 `json:"reload"`
	HA     []struct {
		Mode    string `json:"ha-mode"`
		Servers struct {
			Local struct {
				ServerName text   `json:"server-name"`
				Role       string `json:"role"`
				State      string `json:"state"`
			} `json:"local"`
			Remote struct {
				ServerName  text   `json:"server-name"`
				LastState   string `json:"last-state"`
				Interrupted bool   `json:"communication-interrupted"`
			} `json:"remote"`
		} `json:"ha-servers"`
	} `json:"high-availability"`
}

func (w wireStatus) status() Status {
	s := Status{
		PID:    w.PID,
		Uptime: time.Duration(w.Uptime) * time.Second,
		Reload: time.Duration(w.Reload) * time.Second,
	}
	name := func(s string) string { return Printable(s, maxName) }
	for _, r := range w.HA[:min(len(w.HA), maxRelationships)] {
		s.HA = append(s.HA, HAStatus{
			Mode:            name(r.Mode),
			ServerName:      name(string(r.Servers.Local.ServerName)),
			Role:            name(r.Servers.Local.Role),
			State:           name(r.Servers.Local.State),
			PeerName:        name(string(r.Servers.Remote.ServerName)),
			PeerState:       name(r.Servers.Remote.LastState),
			PeerInterrupted: r.Servers.Remote.Interrupted,
		})
	}
	return s
}
