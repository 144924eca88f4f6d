// SPDX-License-Identifier: Apache-2.0

package main

import (
	"testing"
	"time"

	"github.com/alecthomas/kong"
)

func TestFlags(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   []string
		check  func(*startCommand) bool
		failed bool
	}{
		"Defaults": {reason: "Without a command the controllers run, and heed management policies.", check: func(c *startCommand) bool { return c.EnableManagementPolicies && c.Poll == 30*time.Minute }},
		"Flags":    {reason: "Flags need no command before them.", args: []string{"--debug", "--poll=1m"}, check: func(c *startCommand) bool { return c.Debug && c.Poll == time.Minute }},
		"Negated":  {reason: "What is on by default can be turned off.", args: []string{"--no-enable-management-policies"}, check: func(c *startCommand) bool { return !c.EnableManagementPolicies }},
		"ChangeLogs": {reason: "Change logs are turned on as in other providers.", args: []string{"--enable-changelogs"}, check: func(c *startCommand) bool {
			return c.EnableChangeLogs && c.ChangeLogsSocketPath == "/var/run/changelogs/changelogs.sock"
		}},
		"Shard":      {reason: "Every configuration is served unless a selector says otherwise.", check: func(c *startCommand) bool { return c.ProviderConfigSelector == "" }},
		"Unknown":    {reason: "A flag that there is not is an error.", args: []string{"--pol=1m"}, failed: true},
		"NoDuration": {reason: "So is a value of another type.", args: []string{"--poll=often"}, failed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := &cli{}
			p, err := kong.New(c)
			if err != nil {
				t.Fatal(err)
			}
			_, err = p.Parse(tc.args)
			if (err != nil) != tc.failed {
				t.Fatalf("%s\nParse(%q): %v", tc.reason, tc.args, err)
			}
			if err == nil && !tc.check(&c.Start) {
				t.Errorf("%s\nParse(%q): %+v", tc.reason, tc.args, c.Start)
			}
		})
	}
}
