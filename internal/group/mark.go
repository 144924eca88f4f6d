// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"
	"maps"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// markKey is the member of a reservation's user-context that tells whose it is.
// Kea keeps user-context as it is (contract suite: it round-trips in memory and in the
// database).
const markKey = "crossplane"

// mark says whose a reservation is.
type mark struct {
	// cluster is the UID of the kube-system namespace, resource is "namespace/name".
	cluster, resource string
	// manages names the fields that the owner set, so that a field it lets go of
	// can be told from one that somebody else set. The address always is.
	manages []string
}

// String names the owner for people.
func (m mark) String() string {
	if m.resource == "" {
		return "an owner this provider does not know"
	}
	return fmt.Sprintf("KeaReservation %s of the cluster with UID %s", m.resource, m.cluster)
}

// sameOwner tells whether two marks name the same resource.
func (m mark) sameOwner(o mark) bool {
	return m.cluster == o.cluster && m.resource == o.resource
}

// markOf reads the mark of a reservation; false if it carries none. A mark that
// cannot be read counts as one of an unknown owner: better untouched than stolen.
func markOf(r *kea.Reservation) (mark, bool) {
	v, ok := r.UserContext[markKey]
	if !ok {
		return mark{}, false
	}
	fields, _ := v.(map[string]any)
	m := mark{}
	m.cluster, _ = fields["cluster"].(string)
	m.resource, _ = fields["resource"].(string)
	list, _ := fields["manages"].([]any)
	for _, f := range list {
		if s, ok := f.(string); ok {
			m.manages = append(m.manages, s)
		}
	}
	return m, true
}

// withMark gives a copy of a user-context that carries the mark. What else is
// in the user-context, or in the mark, stays.
func withMark(userContext map[string]any, m mark) map[string]any {
	out := maps.Clone(userContext)
	if out == nil {
		out = map[string]any{}
	}
	fields, _ := out[markKey].(map[string]any)
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]any{}
	}
	fields["cluster"], fields["resource"] = m.cluster, m.resource
	delete(fields, "manages")
	if len(m.manages) > 0 {
		list := make([]any, 0, len(m.manages))
		for _, f := range slices.Sorted(slices.Values(m.manages)) {
			list = append(list, f)
		}
		fields["manages"] = list
	}
	out[markKey] = fields
	return out
}
