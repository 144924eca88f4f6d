// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestServing runs the controller against a real API server, with every release of VitiStack's
// CRDs. CRDs are a cluster's, so the releases take turns; a scenario mostly waits, so that all of
// them run at the same time.
func TestServing(t *testing.T) {
	t.Parallel()
	plane := testenv.StartControlPlane(t, ownCRDs()...)
	for _, r := range releases {
		t.Run(r.name, func(t *testing.T) {
			r.install(t, plane)
			kube := newClient(t, plane.Config, r.networkNamespaces)
			t.Run("Strict", func(t *testing.T) { strict(t, r, plane.Config, kube) })
			if r.allocation {
				t.Run("RemovalsAreHeld", func(t *testing.T) { removalsAreHeld(t, plane.Config, kube) })
			}
			w := startManager(t, plane.Config, Options{})
			t.Run("Scenarios", func(t *testing.T) {
				for name, scenario := range scenarios {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						s := newSite(t, kube)
						s.writes, s.allocation = w, r.allocation
						scenario(s)
					})
				}
			})
			w.stop()
			deleteAll(t, kube)
		})
	}
}

func (s *site) same(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s: -want, +got:\n%s", what, diff)
	}
}
