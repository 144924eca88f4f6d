// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// TestPollInterval: a resource that is as it is to be is looked at again after crossplane.io/poll-interval,
// or the provider's own.
func TestPollInterval(t *testing.T) {
	cases := map[string]struct {
		reason, interval string
		want             time.Duration
	}{
		"None":     {reason: "The provider's own.", want: 10 * time.Minute},
		"Shorter":  {reason: "A resource may ask for a shorter one.", interval: "1m", want: time.Minute},
		"Longer":   {reason: "It may ask for a longer one.", interval: "24h", want: 24 * time.Hour},
		"Shortest": {reason: "What is polled all the time keeps others waiting.", interval: "1s", want: minPoll},
		"Zero":     {reason: "What is no interval asks for nothing.", interval: "0s", want: 10 * time.Minute},
		"Negative": {reason: "Nor is this one.", interval: "-1m", want: 10 * time.Minute},
		"Rubbish":  {reason: "Nor is what cannot be read.", interval: "often", want: 10 * time.Minute},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newAPIWorld(t, 1)
				create(func(mg *v1alpha1.KeaReservation) {
					mg.Spec.ForProvider.IPAddress = "10.123.0.50"
					if tc.interval != "" {
						meta.AddAnnotations(mg, map[string]string{meta.AnnotationKeyPollInterval: tc.interval})
					}
				})(w)
				w.pass(30 * time.Second)
				defer w.provider.end()
				w.provider.woken.Store(true)
				if !w.reconcile() {
					t.Fatal("the resource was not reconciled")
				}
				// Spread, for those that were made together.
				if got := time.Until(w.provider.due); got < tc.want || got > tc.want*11/10 {
					t.Errorf("\n%s\nit is looked at again after %s, want %s and a tenth more at most", tc.reason, got, tc.want)
				}
			})
		})
	}
}
