// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestServing runs the controller against a real API server, with the CRDs of
// vitistack/crds and with the fields that their successor added.
func TestServing(t *testing.T) {
	flavours := map[string]struct {
		crds       func(testing.TB) []string
		allocation bool
	}{
		"OldCRDs": {crds: oldCRDs},
		"NewCRDs": {crds: func(testing.TB) []string { return newCRDs() }, allocation: true},
	}
	for name, f := range flavours {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			plane := testenv.StartControlPlane(t, append(f.crds(t), keaReservationCRD())...)
			kube := newClient(t, plane.Config)
			w := startManager(t, plane.Config, Options{})
			t.Run("Scenarios", func(t *testing.T) {
				for name, scenario := range scenarios {
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						s := newSite(t, kube)
						s.writes, s.allocation = w, f.allocation
						scenario(s)
					})
				}
			})
		})
	}
}

func (s *site) same(what string, want, got any) {
	s.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		s.Errorf("%s: -want, +got:\n%s", what, diff)
	}
}
