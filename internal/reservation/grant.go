// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// Takeover is what may be taken over of what is in Kea already. A greater one allows more.
type Takeover int

// What may be taken over.
const (
	// TakeNothing leaves each reservation alone that does not have the resource's own mark.
	TakeNothing Takeover = iota
	// TakeUnmarked adopts reservations without a mark.
	TakeUnmarked
	// TakeAny takes over those that are marked as another's, too, where Intent.Adopt is set.
	TakeAny
)

// Rule allows the subnets inside some prefixes.
type Rule struct {
	// Prefixes that the subnets are inside of; nil for every subnet.
	Prefixes []netip.Prefix
	Takeover Takeover
}

// Grant is what a resource may use of the servers. The zero value allows everything.
type Grant struct {
	// Limited means that what no rule allows may not be used.
	Limited bool
	Rules   []Rule
	// FormerClusters are the UIDs that this cluster had before: what is marked with one of them
	// belongs to the resource of the same name.
	FormerClusters []string
}

// IsOwn reports whether a mark is that of a resource, by the cluster's UID of now or of before.
func (g Grant) IsOwn(marked, me Owner) bool {
	return marked == me || marked.Resource == me.Resource && slices.Contains(g.FormerClusters, marked.Cluster)
}

// Allows returns what may be taken over in a subnet, and whether it may be used at all. Of several
// rules that allow it the one that allows most counts.
func (g Grant) Allows(subnet netip.Prefix) (Takeover, bool) {
	if !g.Limited {
		return TakeAny, true
	}
	best, allowed := TakeNothing, false
	for _, r := range g.Rules {
		if r.covers(subnet) {
			best, allowed = max(best, r.Takeover), true
		}
	}
	return best, allowed
}

// covers reports whether a subnet is inside one of the prefixes. One whose prefix is not known, the
// zero Prefix, is only where the rule allows every subnet.
func (r Rule) covers(subnet netip.Prefix) bool {
	return r.Prefixes == nil || slices.ContainsFunc(r.Prefixes, func(p netip.Prefix) bool {
		return subnet.IsValid() && p.Bits() <= subnet.Bits() && p.Contains(subnet.Addr())
	})
}

// Denied reports whether an intent may not use its subnet, whatever the servers have. It is false,
// too, where that depends on which prefix a subnet-id has: see Allowed.
func (in Intent) Denied() bool {
	if !in.Subnet.Prefix.IsValid() {
		return in.Grant.Limited && len(in.Grant.Rules) == 0
	}
	_, allowed := in.Grant.Allows(in.Subnet.Prefix)
	return !allowed
}

// DependsOnPrefix reports whether it takes the prefix of a subnet-id to tell what an intent may
// use.
func (in Intent) DependsOnPrefix() bool {
	_, allowed := in.Grant.Allows(netip.Prefix{})
	return !in.Subnet.Prefix.IsValid() && !in.Denied() && !allowed
}

// Allowed reports whether an intent may use its subnet, given what is known of every store.
func Allowed(views []View, in Intent) bool {
	_, allowed := takeover(views, in)
	return allowed
}

// takeover returns what an intent may take over in its subnet, and whether it may use that at all.
// A subnet-id may be that of another prefix on each server: all of them must be allowed.
func takeover(views []View, in Intent) (Takeover, bool) {
	if in.Subnet.Prefix.IsValid() || !in.Grant.Limited {
		return in.Grant.Allows(in.Subnet.Prefix)
	}
	least, found := TakeAny, false
	for _, v := range views {
		if !v.SubnetFound {
			continue
		}
		t, allowed := in.Grant.Allows(v.Subnet.Prefix)
		if !allowed {
			return TakeNothing, false
		}
		least, found = min(least, t), true
	}
	if !found {
		// What allows every subnet allows one that is nowhere.
		return in.Grant.Allows(netip.Prefix{})
	}
	return least, true
}

// checkAllowed finds that the resource may not use the subnet. The message must not depend on what
// is in Kea, not even on whether the subnet is.
func checkAllowed(s *situation) *finding {
	if s.allowed {
		return nil
	}
	namespace, _, _ := strings.Cut(s.in.Resource, "/")
	message := fmt.Sprintf("namespace %s may not use %s of this provider configuration", namespace, s.in.Subnet)
	if s.in.DependsOnPrefix() {
		message += ", or the prefix of that subnet-id is not known: name the subnet by prefix"
	}
	return &finding{state: NotAllowed, message: message}
}
