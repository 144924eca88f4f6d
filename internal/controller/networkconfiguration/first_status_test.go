// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestUntilWorthReporting: only a first status waits, and only for what is being made.
func TestUntilWorthReporting(t *testing.T) {
	here := at("10.0.0.0/24")
	createdAt := func(seconds int) krOption {
		return func(r *v1alpha1.KeaReservation) {
			r.CreationTimestamp = metav1.NewTime(epoch.Add(time.Duration(seconds) * time.Second))
		}
	}
	begun := func(r *v1alpha1.KeaReservation) { r.SetConditions(xpv2.Creating()) }
	failing := func(r *v1alpha1.KeaReservation) { r.SetConditions(xpv2.ReconcileError(errors.New("no answer"))) }
	const now = 2000 // seconds after the epoch
	cases := map[string]struct {
		reason  string
		macs    []string
		has     func(*vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation
		change  func(*vitistack.NetworkConfiguration)
		unready bool // whether the network is
		want    time.Duration
	}{
		"Created": {reason: "What was created just now is not in the cache yet.", macs: []string{mac1}, want: quietWhileMade},
		"Fresh": {
			reason: "It is most often Ready in a second.", macs: []string{mac1}, want: quietWhileMade - 3*time.Second,
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now-3), begun)}
			},
		},
		"Stuck": {
			reason: "If it is not, that is reported.", macs: []string{mac1},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now-60), begun)}
			},
		},
		"Queued": {
			reason: "Behind thousands of others it has not been looked at.", macs: []string{mac1}, want: quietWhileQueued - time.Minute,
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now-60))}
			},
		},
		"Forgotten": {
			reason: "If that takes too long, it is reported.", macs: []string{mac1},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now-1800))}
			},
		},
		"OtherClock": {
			reason: "An API server whose clock is ahead does not make it longer.", macs: []string{mac1}, want: quietWhileMade,
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now+300), begun)}
			},
		},
		"OneOfTwo": {
			reason: "The second device follows in a moment.", macs: []string{mac1, mac2}, want: quietWhileMade,
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, holding)}
			},
		},
		"Ready": {
			reason: "What is done is reported.", macs: []string{mac1},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, holding)}
			},
		},
		"Waits": {
			reason: "So is what takes longer.", macs: []string{mac1},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now), unready(v1alpha1.ReasonAwaitingLease, ""))}
			},
		},
		"OneWaits": {
			reason: "It does not wait for the other device.", macs: []string{mac1, mac2},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now), unready(v1alpha1.ReasonAwaitingLease, ""))}
			},
		},
		"Fails": {
			reason: "An error is reported.", macs: []string{mac1},
			has: func(nc *vitistack.NetworkConfiguration) []*v1alpha1.KeaReservation {
				return []*v1alpha1.KeaReservation{kr(nc, here, mac1, createdAt(now), failing)}
			},
		},
		"Invalid":   {reason: "So is what a user has to correct.", macs: []string{mac1, "nonsense"}},
		"Nameless":  {reason: "And what another component has to add.", macs: []string{mac1, ""}},
		"NoNetwork": {reason: "And what is missing elsewhere.", macs: []string{mac1}, unready: true},
		"Told": {
			reason: "A status that there is must not say what is no longer so.", macs: []string{mac1},
			change: func(nc *vitistack.NetworkConfiguration) { nc.Status.Phase = vitistack.PhaseReady },
		},
		"NoDevices": {reason: "Nothing is waited for.", macs: nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			vm := nc("vm", tc.macs)
			if tc.change != nil {
				tc.change(vm)
			}
			s := &situation{nc: vm, networks: []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}}
			if tc.unready {
				s.networks = nil
			}
			if tc.has != nil {
				s.owned = tc.has(vm)
			}
			got := untilWorthReporting(s, policy{config: clusterConfig("default")}.decide(s), epoch.Add(now*time.Second))
			if got != tc.want {
				t.Errorf("\n%s\nuntilWorthReporting(...): %s, want %s", tc.reason, got, tc.want)
			}
		})
	}
}

// BenchmarkExpand is what a new NetworkConfiguration costs before anything is sent.
func BenchmarkExpand(b *testing.B) {
	p := policy{config: clusterConfig("default")}
	s := &situation{nc: nc("vm", []string{mac1}), networks: []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}}
	b.ReportAllocs()
	for b.Loop() {
		out := p.decide(s)
		for _, a := range out.apply {
			_ = applyConfiguration(s.nc, out.claim.place, a.mac, a.name)
		}
	}
}
