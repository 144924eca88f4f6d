// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestSwap: two reservations of ours that swap their addresses: either they are swapped, or both
// say which two steps do it, and taking these steps does it. Nothing is lost meanwhile.
func TestSwap(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o(t))
			a := s.created(s.static("vm01", "10.123.0.30"))
			b := s.created(s.reservation("vm02", params{HWAddress: other, IPAddress: "10.123.0.31"}))
			edit(s, a, withAddress("10.123.0.31"))
			edit(s, b, withAddress("10.123.0.30"))
			if !s.awaitSwap(a, b) {
				s.checkQuiet(a, b)
				for hw, ip := range map[string]string{mac: "10.123.0.30", other: "10.123.0.31"} {
					equal(t, "meanwhile, the address of "+hw, fmt.Sprint(s.host(name, hw)["ip-address"]), ip)
				}
				edit(s, a, withAddress("10.123.0.40")) // a free one first
				s.await(a, isReady, isSynced)
				s.await(b, isReady, isSynced)
				edit(s, a, withAddress("10.123.0.31"))
			}
			s.await(a, isReady, isSynced)
			s.await(b, isReady, isSynced)
			for hw, ip := range map[string]string{mac: "10.123.0.31", other: "10.123.0.30"} {
				equal(t, "the address of "+hw, fmt.Sprint(s.host(name, hw)["ip-address"]), ip)
			}
			s.checkQuiet(a, b)
		})
	}
}

// awaitSwap waits until two reservations are swapped (true), or both say how to do it.
func (s *site) awaitSwap(a, b *v1alpha1.KeaReservation) bool {
	s.t.Helper()
	var swapped bool
	var last error // of the conditions; the one that time ends in says nothing
	testenv.Eventually(s.t, within, "the swap, or a message that says how to", func(ctx context.Context) error {
		var ready, say int
		var texts []string
		for _, r := range []*v1alpha1.KeaReservation{a, b} {
			if err := s.client.Get(ctx, s.key(r.Name), r); err != nil {
				return errors.Join(last, err)
			}
			c := r.GetCondition(xpv2.TypeReady)
			current := c.ObservedGeneration == r.Generation
			if current && c.Status == corev1.ConditionTrue {
				ready++
			}
			if current && c.Reason == v1alpha1.ReasonAddressConflict && strings.Contains(c.Message, "swap") && strings.Contains(c.Message, "free address") {
				say++
			}
			texts = append(texts, fmt.Sprintf("%s is %s %s %q", r.Name, c.Status, c.Reason, c.Message))
		}
		swapped = ready == 2
		last = nil
		if !swapped && say != 2 {
			last = errors.New(strings.Join(texts, "; "))
		}
		return last
	})
	return swapped
}
