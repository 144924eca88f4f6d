// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestWrites counts what a machine costs the API server, by what the API server says itself. It does
// not run beside other tests: what completes within seconds is written once, and must not take longer
// because of them.
//
//nolint:paralleltest // As above.
func TestWrites(t *testing.T) {
	const n = 20
	c := newTenants(t)
	s := &site{t: t, world: c.world, kea: testenv.StartKea(t, testenv.KeaOptions{PersistLeases: true, Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.123.0.0/16"}}}), namespace: "machines"}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	s.create(s.config())
	s.awaitUsable()
	s.networkNamespace("10.123.0.0/16")

	leases := func(fleet int) {
		for i := range n {
			s.lease(fleetMAC(fleet, i), fleetAddress(fleet, i))
		}
	}
	byHand := func(i int) *v1alpha1.KeaReservation {
		return s.reservation(fmt.Sprintf("hand%03d", i), params{Subnet: "10.123.0.0/16", HWAddress: fleetMAC(3, i)})
	}
	for _, tc := range []struct {
		name, reason string
		before, do   func()
		want         map[string]int
	}{
		{
			name:   "leased",
			reason: "a machine that has a lease costs four writes: a KeaReservation, its address, and the two states",
			before: func() { leases(1) },
			do: func() {
				s.createFleet("leased", 1, n)
				s.awaitFleet("leased", vitistack.PhaseReady, n)
			},
			want: map[string]int{
				"POST networkconfigurations": n, // the test's
				"POST keareservations":       n, "PUT keareservations": n, "PUT keareservations/status": n, "PATCH networkconfigurations/status": n,
			},
		},
		{
			name:   "waiting",
			reason: "one that waits for its lease costs two more: both states say that it waits",
			do: func() {
				s.createFleet("waiting", 2, n)
				s.awaitFleet("waiting", vitistack.PhaseReconciling, n)
				leases(2)
				s.awaitFleet("waiting", vitistack.PhaseReady, n)
			},
			want: map[string]int{
				"POST networkconfigurations": n,
				"POST keareservations":       n, "PUT keareservations": n, "PUT keareservations/status": 2 * n, "PATCH networkconfigurations/status": 2 * n,
			},
		},
		{
			name:   "by hand",
			reason: "a KeaReservation that a user makes costs three: its finalizer and external name, its address, and its state",
			before: func() { leases(3) },
			do: func() {
				for i := range n {
					s.create(byHand(i))
				}
				for i := range n {
					s.await(byHand(i), isReady, isSynced)
				}
			},
			want: map[string]int{
				"POST keareservations": n, // the test's
				"PUT keareservations":  2 * n, "PUT keareservations/status": n,
			},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if tc.before != nil {
				tc.before()
			}
			ready := c.firstReady(t)
			got := s.writesDuring(c, tc.do)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s: writes for %d, -want, +got:\n%s", tc.reason, n, diff)
			}
			// What follows the creation writes nothing, and may come late.
			testenv.Eventually(t, within, "crossplane-runtime's metric to count each as Ready for the first time", func(context.Context) error {
				if got := c.firstReady(t) - ready; got != n {
					return fmt.Errorf("there are %d, want %d", got, n)
				}
				return nil
			})
		})
	}
	t.Run("put back", func(t *testing.T) {
		got := s.writesDuring(c, func() {
			s.kea.Restart(t)
			for i := range n {
				s.awaitHeld(fleetMAC(1, i), fleetAddress(1, i))
			}
		})
		// Events about a few of them are for people to notice it.
		if got["POST events"] < 1 || got["POST events"] > 3*n/2 {
			t.Errorf("events: got %d", got["POST events"])
		}
		delete(got, "POST events")
		if diff := cmp.Diff(map[string]int{}, got); diff != "" {
			t.Errorf("what Kea has lost is put back without a change of its status: writes, -want, +got:\n%s", diff)
		}
	})
}

func fleetMAC(fleet, i int) string {
	return fmt.Sprintf("00:02:12:%02x:%02x:%02x", fleet, i/256, i%256)
}
func fleetAddress(fleet, i int) string { return fmt.Sprintf("10.123.%d.%d", fleet*16+i/200, 1+i%200) }

// createFleet makes NetworkConfigurations with one device each.
func (s *site) createFleet(name string, fleet, n int) {
	s.t.Helper()
	for i := range n {
		s.create(s.networkConfiguration(fmt.Sprintf("%s%03d", name, i), fleetMAC(fleet, i)))
	}
}

// awaitFleet waits until all of them are in a phase.
func (s *site) awaitFleet(name, phase string, n int) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "all to be "+phase, func(ctx context.Context) error {
		l := &vitistack.NetworkConfigurationList{}
		if err := s.client.List(ctx, l, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		is := 0
		for i := range l.Items {
			if strings.HasPrefix(l.Items[i].Name, name) && l.Items[i].Status.Phase == phase {
				is++
			}
		}
		if is < n {
			return fmt.Errorf("%d of %d are", is, n)
		}
		return nil
	})
}

// writesDuring returns how many such requests there are while something is done, and until nothing more
// follows. Refused ones have their code in the name.
func (s *site) writesDuring(c *cluster, do func()) map[string]int {
	s.t.Helper()
	before := c.writes(s.t)
	do()
	last := c.writes(s.t)
	testenv.Eventually(s.t, within, "the writes to end", func(context.Context) error {
		s.awaitSnapshots(3)
		now := c.writes(s.t)
		if !maps.Equal(now, last) {
			last = now
			return errors.New("there are more")
		}
		return nil
	})
	for k, v := range before {
		last[k] -= v
	}
	maps.DeleteFunc(last, func(_ string, n int) bool { return n == 0 })
	return last
}

var firstReadyMetric = regexp.MustCompile(`(?m)^crossplane_managed_resource_first_time_to_readiness_seconds_count\{.*\} (\d+)$`)

// firstReady returns how many resources the provider's metrics have seen Ready for the first time.
func (c *cluster) firstReady(tb testing.TB) int {
	tb.Helper()
	text, err := get(tb.Context(), "http://"+c.provider.metrics+"/metrics")
	if err != nil {
		tb.Fatal(err)
	}
	m := firstReadyMetric.FindStringSubmatch(text)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

var writeMetric = regexp.MustCompile(`(?m)^apiserver_request_total\{code="(\d+)",.*resource="([^"]+)",.*subresource="([^"]*)",verb="(POST|PUT|PATCH|APPLY|DELETE)",.*\} (\d+)$`)

// writes returns how many requests have changed KeaReservations, NetworkConfigurations and events so far.
// What else is written, such as the status of a provider configuration, does not grow with the machines.
func (c *cluster) writes(tb testing.TB) map[string]int {
	tb.Helper()
	k, err := kubernetes.NewForConfig(c.plane.Config)
	if err != nil {
		tb.Fatal(err)
	}
	text, err := k.RESTClient().Get().AbsPath("/metrics").DoRaw(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	out := map[string]int{}
	for _, m := range writeMetric.FindAllStringSubmatch(string(text), -1) {
		code, resource, subresource, verb := m[1], m[2], m[3], m[4]
		if resource != "keareservations" && resource != "networkconfigurations" && resource != "events" {
			continue
		}
		key := verb + " " + resource
		if subresource != "" {
			key += "/" + subresource
		}
		if !strings.HasPrefix(code, "2") {
			key += " " + code
		}
		n, _ := strconv.Atoi(m[5])
		out[key] += n
	}
	return out
}
