// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// The host that cannot exist: the highest subnet-id that Kea accepts (4294967295 is "no subnet" to it), and an identifier that nothing on the wire
// makes. Deleting it tells whether there is a database to delete from: result code 3 with one, 1 without.
const (
	nobodysSubnet = 4294967294
	nobodysFlexID = "63726f7373706c616e652d70726f76696465722d6b6561" // crossplane-provider-kea
)

// noDatabase is the text for "there is none" (3.0: "no hosts-database configured", 3.3: "no hosts-databases configured"). A loose match, and one that
// fails to the safe side: an outage, a read-only database or a text of tomorrow is an error, not "there is none".
var noDatabase = regexp.MustCompile(`(?i)no hosts?[- ]databases? configured`)

// HasHostDatabase says whether the server has a hosts-database.
//
// A *RejectedError if that cannot be told: the database is lost, or read-only. Kea with a lost database that was told to go on (on-fail:
// serve-retry-continue) says that none is configured. So that is believed if no back end for hosts is loaded, and else checked in the configuration.
func (c *Client) HasHostDatabase(ctx context.Context) (bool, error) {
	err := c.probeDatabase(ctx)
	var rejected *RejectedError
	switch {
	case err == nil:
		return true, nil
	case !errors.As(err, &rejected) || !noDatabase.MatchString(rejected.Text):
		return false, err
	}
	_, extended, err := c.version(ctx)
	if err != nil {
		return false, err
	}
	if !strings.Contains(extended, "host backends:") {
		return false, nil
	}
	configured, err := c.databaseConfigured(ctx)
	if err != nil {
		return false, err
	}
	if configured {
		return false, &RejectedError{Command: commandDelete, Text: "a hosts-database is configured, but Kea has lost it: check the database server"}
	}
	return false, nil
}

// probeDatabase gives nil if there is a database that Kea can write to.
func (c *Client) probeDatabase(ctx context.Context) error {
	err := c.run(ctx, request{Command: commandDelete, Arguments: map[string]any{
		memberSubnetID:       nobodysSubnet,
		memberIdentifierType: "flex-id",
		memberIdentifier:     nobodysFlexID,
		memberTarget:         TargetDatabase,
	}}, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// confirmMiss gives an error if "not found" in this place may mean that the place is lost.
func (c *Client) confirmMiss(ctx context.Context, target Target) error {
	if target != TargetDatabase {
		return nil
	}
	if err := c.probeDatabase(ctx); err != nil {
		return fmt.Errorf("cannot tell what the hosts-database holds: %w", err)
	}
	return nil
}

// databaseConfigured reads the configuration. It is the last resort: it is large, holds secrets and keeps DHCP waiting (1.4 s with 50,000 memory
// hosts). It is needed only where a database back end is loaded that is, or is not, used for hosts. Nothing of it but the one fact is kept.
func (c *Client) databaseConfigured(ctx context.Context) (bool, error) {
	var out struct {
		DHCP4 *struct {
			One  json.RawMessage   `json:"hosts-database"`
			Many []json.RawMessage `json:"hosts-databases"`
		} `json:"Dhcp4"`
	}
	if err := c.run(ctx, request{Command: "config-get"}, &out); err != nil {
		return false, err
	}
	if out.DHCP4 == nil {
		return false, shapeError("config-get", errors.New("there is no Dhcp4"))
	}
	one := string(out.DHCP4.One)
	return one != "" && one != "null" && one != "{}" || len(out.DHCP4.Many) > 0, nil
}
