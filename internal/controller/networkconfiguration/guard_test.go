// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

func TestLimitOf(t *testing.T) {
	cases := map[string]struct{ all, percent, want int }{
		"Few":      {4, 10, 5},
		"Fifty":    {50, 10, 5},
		"Many":     {1000, 10, 100},
		"Rounded":  {1009, 10, 100},
		"NoShare":  {1000, 0, 5},
		"OneThird": {300, 33, 99},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := limitOf(tc.all, tc.percent); got != tc.want {
				t.Errorf("limitOf(%d, %d): want %d, got %d", tc.all, tc.percent, tc.want, got)
			}
		})
	}
	if got := limitOf(1, 100); got < 1_000_000 {
		t.Errorf("limitOf(1, 100): %d, want no limit", got)
	}
}

// TestGuard has machines with one KeaReservation each, m1, m2, …, of 60 that a
// provider configuration has: six are a tenth.
func TestGuard(t *testing.T) {
	type step struct {
		reason    string
		after     time.Duration
		machines  int // m1 to …
		from      int // the first of them; 0 is 1
		byUser    bool
		confirmed bool
		withdrawn bool
		before    bool // the status says that removals were held
		want      []string
	}
	machines := func(from, to int) []string {
		var out []string
		for i := from; i <= to; i++ {
			out = append(out, fmt.Sprintf("m%d", i))
		}
		return out
	}
	cases := map[string][]step{
		"Few": {
			{reason: "A tenth may go", machines: 6, want: machines(1, 6)},
			{reason: "Those that are still in the cache do not count twice", after: time.Second, machines: 6, want: machines(1, 6)},
			{reason: "A minute later, others may", after: time.Minute, from: 7, machines: 12, want: machines(7, 12)},
		},
		"Many": {
			{reason: "No more than a tenth may", machines: 60, want: machines(1, 6)},
			{reason: "What is held stays so, minute after minute", after: 2 * time.Minute, from: 7, machines: 60},
			{reason: "What comes later may have the same cause", after: 2 * time.Minute, from: 61, machines: 61},
			{reason: "When all of it was withdrawn, it starts over", from: 7, machines: 61, withdrawn: true},
			{reason: "And a tenth may go", after: 2 * time.Minute, from: 7, machines: 60, want: machines(7, 12)},
		},
		"Confirmed": {
			{reason: "No more than a tenth may", machines: 60, want: machines(1, 6)},
			{reason: "What the user has confirmed may go at once", from: 7, machines: 59, confirmed: true, want: machines(7, 59)},
			{reason: "What he has not stays", from: 60, machines: 60},
		},
		"User": {
			{reason: "What a user removes is never held", machines: 60, byUser: true, want: machines(1, 60)},
			{reason: "Nor does it count", from: 61, machines: 66, want: machines(61, 66)},
			{reason: "Nor is it held while something else is", from: 67, machines: 70},
			{reason: "Nor is it held while something else is", from: 71, machines: 80, byUser: true, want: machines(71, 80)},
		},
		"Restart": {
			{reason: "What was held before a restart stays held", from: 1, machines: 3, before: true},
			{reason: "And so does what follows", from: 4, machines: 10},
		},
	}
	for name, steps := range cases {
		t.Run(name, func(t *testing.T) {
			g, now := newGuard(10), epoch
			count := func(connection.Ref) int { return 60 }
			for _, s := range steps {
				now = now.Add(s.after)
				var got []string
				for i := max(1, s.from); i <= s.machines; i++ {
					vm := nc(fmt.Sprintf("m%d", i), []string{mac1})
					all := []removal{{kr(vm, at("10.0.0.0/24"), mac1), !s.byUser}}
					if s.withdrawn {
						all = nil
					}
					admitted, held := g.split(types.NamespacedName{Namespace: "ns", Name: vm.Name}, all, s.before, now, func(connection.Ref) bool { return s.confirmed }, count)
					if len(admitted)+len(held) != len(all) {
						t.Fatalf("split(...): %d admitted, %d held", len(admitted), len(held))
					}
					if len(admitted) > 0 {
						got = append(got, vm.Name)
					}
				}
				if diff := cmp.Diff(s.want, got); diff != "" {
					t.Errorf("\n%s\nsplit(...): -want, +got:\n%s", s.reason, diff)
				}
			}
		})
	}
}

// TestGuardCounts is about which KeaReservations are counted, and when.
func TestGuardCounts(t *testing.T) {
	g := newGuard(10)
	vm := nc("vm", []string{mac1})
	other := at("10.0.0.0/24")
	other.config = connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "own"}
	all := []removal{{kr(vm, at("10.0.0.0/24"), mac1), true}, {kr(vm, other, mac2), true}, {kr(vm, other, mac1), false}}
	var counted []string
	count := func(ref connection.Ref) int {
		counted = append(counted, ref.Key())
		return 0
	}
	name, none := types.NamespacedName{Namespace: "ns", Name: "vm"}, func(connection.Ref) bool { return false }
	for range 2 {
		if admitted, _ := g.split(name, all, false, epoch, none, count); len(admitted) != len(all) {
			t.Errorf("split(...): %d admitted", len(admitted))
		}
	}
	if diff := cmp.Diff([]string{"ClusterProviderConfig//default", "ProviderConfig/ns/own"}, slices.Sorted(slices.Values(counted))); diff != "" {
		t.Errorf("Each configuration is counted once a minute: -want, +got:\n%s", diff)
	}
}
