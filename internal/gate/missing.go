// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
)

// ApplyClusterRole is the remedy for missing permissions that Crossplane does not
// grant.
const ApplyClusterRole = "apply the ClusterRole provider-kea of cluster/rbac, and bind it to the provider's ServiceAccount"

// A permissionReport reports missing permissions once, not after each review. It
// is for one goroutine.
type permissionReport struct {
	log      logging.Logger
	announce func(message string)

	// reported is what was last reported, and seen the result of the last review.
	reported, seen string
}

// found takes the result of a review. It is reported if the one before was the
// same and nothing but time (onTime) caused this one: at the start the roles that
// Crossplane makes may come after the provider, CRDs may come one by one, and a
// new role takes a moment to be in force.
func (t *permissionReport) found(lacking []Permission, onTime bool) {
	now := missingText(lacking)
	same := t.seen == now
	t.seen = now
	switch {
	case now == "":
		t.reported = ""
	case now != t.reported && same && onTime:
		t.reported = now
		t.log.Info(now)
		t.announce(now)
	}
}

// missingText says which permissions are missing; "" if none is.
func missingText(lacking []Permission) string {
	if len(lacking) == 0 {
		return ""
	}
	byCrossplane := slices.DeleteFunc(slices.Clone(lacking), func(p Permission) bool { return !p.byCrossplane() })
	byUser := slices.DeleteFunc(slices.Clone(lacking), Permission.byCrossplane)
	var says []string
	if len(byUser) > 0 {
		says = append(says, list(byUser)+": "+ApplyClusterRole)
	}
	if len(byCrossplane) > 0 {
		says = append(says, list(byCrossplane)+": Crossplane's RBAC manager grants them, or cluster/standalone without Crossplane")
	}
	return "Missing permissions: " + strings.Join(says, ". ")
}

// list returns permissions as text, by resource.
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

// A repeatLogger logs an error that comes again and again: at level info only when
// it differs from the last. It is for one goroutine.
type repeatLogger struct {
	logger logging.Logger
	last   string
}

// log logs an error; nil means that there is none any more.
func (c *repeatLogger) log(message string, err error) {
	if err == nil {
		c.last = ""
		return
	}
	say := c.logger.Debug
	if text := err.Error(); text != c.last {
		c.last, say = text, c.logger.Info
	}
	say(message, "error", err)
}
