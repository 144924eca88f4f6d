// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"maps"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// markKey is the member of a reservation's user-context that records its owner. Kea keeps
// user-context as it is, in memory and in a database (contract suite, RoundTrip).
const markKey = "crossplane"

// Owner is the resource that a reservation belongs to.
type Owner struct {
	// Cluster is the UID of the kube-system namespace, Resource is "namespace/name".
	Cluster, Resource string
}

// nameFor names the owner for a resource of a cluster. Another cluster and its resources are not
// named: only who may read Kea itself is to know them.
func (o Owner) nameFor(me Owner) string {
	switch {
	case o.Resource == "":
		return "an owner this provider does not know"
	case o.Cluster != me.Cluster:
		return "a KeaReservation of another cluster"
	default:
		return "KeaReservation " + o.Resource
	}
}

// OwnerOf returns the owner that a reservation is marked with; false if r is nil or has no mark. A
// mark that cannot be read counts as one of an unknown owner: better left alone than stolen.
func OwnerOf(r *kea.Reservation) (Owner, bool) {
	if r == nil {
		return Owner{}, false
	}
	v, ok := r.UserContext[markKey]
	if !ok {
		return Owner{}, false
	}
	fields, _ := v.(map[string]any)
	var o Owner
	o.Cluster, _ = fields["cluster"].(string)
	o.Resource, _ = fields["resource"].(string)
	return o, true
}

// ownedByOther returns the owner of a reservation that is marked as owned by another resource.
func ownedByOther(r *kea.Reservation, me Owner, g Grant) (Owner, bool) {
	owner, marked := OwnerOf(r)
	return owner, marked && !g.IsOwn(owner, me)
}

// managedFields returns the names of the fields that the owner of a reservation set: when one is
// removed from the spec, it is reset to Kea's default, while a field set by anyone else survives.
func managedFields(r *kea.Reservation) []string {
	fields, _ := r.UserContext[markKey].(map[string]any)
	list, _ := fields["manages"].([]any)
	var out []string
	for _, f := range list {
		if s, ok := f.(string); ok {
			out = append(out, s)
		}
	}
	return out
}

// withMark returns a copy of a user-context with the mark of an owner that manages the named
// fields. What else is in the user-context, or in the mark, stays.
func withMark(userContext map[string]any, o Owner, manages []string) map[string]any {
	out := maps.Clone(userContext)
	if out == nil {
		out = map[string]any{}
	}
	fields, _ := out[markKey].(map[string]any)
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["cluster"], fields["resource"] = o.Cluster, o.Resource
	delete(fields, "manages")
	if len(manages) > 0 {
		list := make([]any, 0, len(manages))
		for _, f := range slices.Sorted(slices.Values(manages)) {
			list = append(list, f)
		}
		fields["manages"] = list
	}
	out[markKey] = fields
	return out
}

// sameMark reports whether two reservations have the same mark: owner and managed fields.
func sameMark(a, b *kea.Reservation) bool {
	x, _ := OwnerOf(a)
	y, _ := OwnerOf(b)
	return x == y && slices.Equal(slices.Sorted(slices.Values(managedFields(a))), slices.Sorted(slices.Values(managedFields(b))))
}
