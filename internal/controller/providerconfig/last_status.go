// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"slices"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
)

// asReported returns facts with what the last status has of when a server began to serve, or ceased
// to, where that has not changed since the provider was started. One that did not serve, and has not
// answered yet, still does not.
func asReported(facts []group.ServerFacts, reported []v1alpha1.ServerStatus) []group.ServerFacts {
	out := slices.Clone(facts)
	for i := range out {
		f := &out[i]
		r := statusNamed(reported, f.Name)
		if !f.Initial || r == nil || r.State == "" || r.Since == nil {
			continue
		}
		served := r.State == v1alpha1.ServerUp
		switch {
		case f.State == "" && !served:
			f.State, f.Since = group.Down, r.Since.Time
		case f.State != "" && served == (f.State == group.Up) && r.Since.Time.Before(f.Since):
			f.Since = r.Since.Time
		}
	}
	return out
}

// keepLastKnown keeps what the last status has of servers, besides their state, that have not answered
// since the provider was started. The facts are those of the servers.
func keepLastKnown(servers []v1alpha1.ServerStatus, facts []group.ServerFacts, reported []v1alpha1.ServerStatus) {
	for i := range servers {
		s := &servers[i]
		r := statusNamed(reported, s.Name)
		if r == nil || !facts[i].Initial || facts[i].Version != "" {
			continue
		}
		s.Version, s.Storage, s.HAState, s.HA = r.Version, r.Storage, r.HAState, r.HA
		s.Reservations, s.LastRead = r.Reservations, r.LastRead
	}
}

// statusNamed returns the status of the server of this name; nil if there is none.
func statusNamed(all []v1alpha1.ServerStatus, name string) *v1alpha1.ServerStatus {
	i := slices.IndexFunc(all, func(s v1alpha1.ServerStatus) bool { return s.Name == name })
	if i < 0 {
		return nil
	}
	return &all[i]
}

// lastKnown returns the last status of the servers that are still configured,
// without what was wrong with them then.
func lastKnown(spec *v1alpha1.ProviderConfigSpec, servers []v1alpha1.ServerStatus) []v1alpha1.ServerStatus {
	var out []v1alpha1.ServerStatus
	for _, s := range servers {
		if slices.ContainsFunc(spec.Servers, func(c v1alpha1.Server) bool { return c.Name == s.Name }) {
			s.Message, s.State, s.Since = "", "", nil
			out = append(out, s)
		}
	}
	return out
}
