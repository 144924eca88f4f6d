// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
)

// ApplyClusterRole tells the user how to give the provider the permissions that
// Crossplane does not.
const ApplyClusterRole = "apply the ClusterRole provider-kea of cluster/rbac, and bind it to the provider's ServiceAccount"

// A teller tells which permissions are missing: once, not each time that they
// are asked for.
type teller struct {
	log      logging.Logger
	announce func(message string)

	// told is what was last told, and seen what was last found.
	told, seen string
}

// found takes what was found to be missing, and tells it if it is to be told: if
// it was the same the last time. At the start the roles that Crossplane makes may
// come after the provider, CRDs may come one by one, and a role that was just
// made is not in force all at once.
func (t *teller) found(lacking []Permission, tell bool) {
	now := sentence(lacking)
	settled := t.seen == now
	t.seen = now
	switch {
	case now == "":
		t.told = ""
	case now != t.told && settled && tell:
		t.told = now
		t.log.Info(now)
		t.announce(now)
	}
}

// sentence says what is missing; "" where nothing is.
func sentence(lacking []Permission) string {
	if len(lacking) == 0 {
		return ""
	}
	byCrossplane := slices.DeleteFunc(slices.Clone(lacking), func(p Permission) bool { return !p.byCrossplane() })
	byUser := slices.DeleteFunc(slices.Clone(lacking), Permission.byCrossplane)
	var says []string
	if len(byUser) > 0 {
		says = append(says, ApplyClusterRole+"; it may not: "+list(byUser))
	}
	if len(byCrossplane) > 0 {
		says = append(says, "Crossplane's RBAC manager, or cluster/standalone, has to grant: "+list(byCrossplane))
	}
	return "The provider lacks permissions: " + strings.Join(says, "; ")
}

// list lists permissions by resource.
func list(ps []Permission) string {
	verbs := map[string][]string{}
	var resources []string
	for _, p := range ps {
		if !slices.Contains(resources, p.on()) {
			resources = append(resources, p.on())
		}
		verbs[p.on()] = append(verbs[p.on()], p.verb)
	}
	for i, r := range resources {
		resources[i] = strings.Join(verbs[r], ", ") + " " + r
	}
	return strings.Join(resources, "; ")
}

// complaints log an error that comes again and again: for people only when it is
// another than the last.
type complaints struct {
	log  logging.Logger
	last string
}

// about logs an error. None has the last one forgotten.
func (c *complaints) about(message string, err error) {
	if err == nil {
		c.last = ""
		return
	}
	say := c.log.Debug
	if text := err.Error(); text != c.last {
		c.last, say = text, c.log.Info
	}
	say(message, "error", err)
}
