// SPDX-License-Identifier: Apache-2.0

package kea

import (
	"context"
	"encoding/json"
	"errors"
	"regexp"

	"github.com/go-json-experiment/json/jsontext"
)

// The host that cannot exist: the highest subnet-id that Kea accepts (4294967295 is "no subnet" to
// it), and an identifier that no client sends. Deleting it shows whether there is a database to
// delete from: result code 3 with one, 1 without.
const (
	probeSubnetID = 4294967294
	probeFlexID   = "63726f7373706c616e652d70726f76696465722d6b6561" // crossplane-provider-kea
)

// noDatabase is the text for "there is none" (3.0: "no hosts-database configured", 3.3: "no
// hosts-databases configured"). A loose match, and one that fails to the safe side: an outage, a
// read-only database or a text of tomorrow is an error, not "there is none".
var noDatabase = regexp.MustCompile(`(?i)no hosts?[- ]databases? configured`)

// ProbeDatabase reports whether the server has a hosts-database that it can write to.
//
// It sends a write command (reservation-del of a host that cannot exist), which an account may be
// refused and which leaves an ERROR line in Kea's log if there is no database. So it is only for
// when reading does not answer the question: Capabilities has no HostBackend where there can be no
// database, and Configuration.HostDatabases lists what is configured. What reading does not show is
// a database that Kea lost: with on-fail: serve-retry-continue it answers reads as if the database
// were empty, and this probe with "none is configured". So that is believed if no back end for
// hosts is loaded, and else checked in the configuration.
//
// A *RejectedError if the database is lost or read-only. With libdhcp_host_cache
// (Capabilities.HostCache) the answer can be true although there is no database: the cache takes
// the delete.
func (c *Client) ProbeDatabase(ctx context.Context) (bool, error) {
	err := c.deleteProbe(ctx)
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
	if !hasHostBackend(extended) {
		return false, nil
	}
	configured, err := c.databaseConfigured(ctx)
	if err != nil {
		return false, err
	}
	if configured {
		return false, &RejectedError{
			Command: commandDelete,
			Text:    "a hosts-database is configured, but Kea has lost it: check the database server",
		}
	}
	return false, nil
}

// deleteProbe returns nil if there is a database that Kea can write to.
func (c *Client) deleteProbe(ctx context.Context) error {
	err := c.run(ctx, request{Command: commandDelete, Arguments: map[string]any{
		memberSubnetID:       probeSubnetID,
		memberIdentifierType: memberFlexID,
		memberIdentifier:     probeFlexID,
		memberTarget:         TargetDatabase,
	}}, nil)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

// databaseConfigured reads the configuration for the one fact, as Configuration does for more.
func (c *Client) databaseConfigured(ctx context.Context) (bool, error) {
	var (
		found bool
		one   json.RawMessage
		many  bool
	)
	read := objectOf(map[string]reader{
		"hosts-database": into(&one),
		"hosts-databases": listOf(nil, func(d *jsontext.Decoder) error {
			many = true
			return skip(d)
		}),
	})
	dhcp4 := func(d *jsontext.Decoder) error {
		found = true
		return read(d)
	}
	err := c.run(ctx, request{Command: commandConfigGet, limit: configAnswer, read: objectOf(map[string]reader{"Dhcp4": dhcp4})}, nil)
	if err != nil {
		return false, err
	}
	if !found {
		return false, errNoDHCP4
	}
	return isSet(one) || many, nil
}

// isSet reports whether a member has content.
func isSet(raw json.RawMessage) bool {
	s := string(raw)
	return s != "" && s != null && s != "{}"
}

// readOnly is the text for a database with readonly: true (3.0: "… configured to operate in read only
// mode"; pinned by the contract suite).
var readOnly = regexp.MustCompile(`(?i)read[- ]?only`)

// IsReadOnly reports whether Kea refused a command because its hosts-database is not to be written.
func IsReadOnly(err error) bool {
	var rejected *RejectedError
	return errors.As(err, &rejected) && readOnly.MatchString(rejected.Text)
}
