// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// shardLabel is what the configurations of a test are divided by.
const shardLabel = "shard"

// shards are two providers that share one API server: one serves the configurations with shard=a, the
// other one all the rest. Each has a site of its own, with a Kea, whose provider is that one.
type shards struct {
	*cluster

	a, rest *site
}

func newShards(t *testing.T) *shards {
	t.Helper()
	c := newTenants(t)
	c.provider.stop()
	start := func(selector, namespace string, labels map[string]string) *site {
		c.start("--debug", "--poll-state-metric=1s", "--provider-config-selector="+selector)
		s := &site{t: t, world: &world{client: c.client, provider: c.provider}, namespace: namespace}
		s.kea = testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}})
		s.look(s.kea, "", "")
		s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
		config := s.config()
		config.Labels = labels
		s.create(config)
		s.awaitUsable()
		return s
	}
	return &shards{
		cluster: c,
		a:       start(shardLabel+"=a", "site-a", map[string]string{shardLabel: "a"}),
		rest:    start(shardLabel+" notin (a)", "site-rest", nil),
	}
}

// serve labels the configuration of a site for a shard.
func (s *site) serve(shard string) {
	s.t.Helper()
	edit(s, s.config(), func(pc *v1alpha1.ClusterProviderConfig) { pc.Labels = map[string]string{shardLabel: shard} })
}

// sentTo counts the commands that a provider has sent to the Kea of a site.
func (p *provider) sentTo(t *testing.T, s *site) int {
	t.Helper()
	all, err := p.commands(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for k, sent := range all {
		if k.config == s.namespace {
			n += sent
		}
	}
	return n
}

var existingMetric = regexp.MustCompile(`(?m)^crossplane_managed_resource_(exists|ready)\{.*\} (\d+)$`)

// awaitCounted waits until a provider's metrics have so many KeaReservations, and so many Ready ones.
func (p *provider) awaitCounted(t *testing.T, want map[string]int) {
	t.Helper()
	testenv.Eventually(t, within, "the metrics of KeaReservations", func(ctx context.Context) error {
		text, err := get(ctx, "http://"+p.metrics+"/metrics")
		if err != nil {
			return err
		}
		got := map[string]int{}
		for _, m := range existingMetric.FindAllStringSubmatch(text, -1) {
			got[m[1]], _ = strconv.Atoi(m[2])
		}
		if diff := cmp.Diff(want, got); diff != "" {
			return errors.New(diff)
		}
		return nil
	})
}

// TestShards: two providers with a selector each serve what theirs selects and nothing else, at no more
// writes than one; a configuration and a machine can move from one to the other, and one goes on
// without the other.
//
//nolint:paralleltest // It counts writes, see TestWrites.
func TestShards(t *testing.T) {
	const n = 10
	s := newShards(t)
	for _, at := range []*site{s.a, s.rest} {
		at.networkNamespace(subnet)
		for i := range n {
			at.lease(fleetMAC(1, i), fmt.Sprintf("10.123.0.%d", 110+i))
		}
	}

	t.Run("Leases", func(t *testing.T) {
		k, err := kubernetes.NewForConfig(s.plane.Config)
		if err != nil {
			t.Fatal(err)
		}
		l, err := k.CoordinationV1().Leases("default").List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		leader := slices.DeleteFunc(l.Items, func(l coordinationv1.Lease) bool {
			return !strings.HasPrefix(l.Name, "crossplane-leader-election-provider-kea-") || *l.Spec.HolderIdentity == ""
		})
		equal(t, "how many Leases of shards have a holder", len(leader), 2)
	})
	t.Run("Writes", func(t *testing.T) {
		got := s.a.writesDuring(s.cluster, func() {
			s.a.createFleet("vm", 1, n)
			s.rest.createFleet("vm", 1, n)
			s.a.awaitFleet("vm", vitistack.PhaseReady, n)
			s.rest.awaitFleet("vm", vitistack.PhaseReady, n)
		})
		// A refused one, by a cache that lags, has written nothing.
		maps.DeleteFunc(got, func(k string, _ int) bool { return strings.HasSuffix(k, " 409") })
		want := map[string]int{
			"POST networkconfigurations": 2 * n, // the test's
			"POST keareservations":       2 * n, "PUT keareservations": 2 * n, "PUT keareservations/status": 2 * n, "PATCH networkconfigurations/status": 2 * n,
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("writes for %d machines, -want, +got:\n%s", 2*n, diff)
		}
		equal(t, "commands to the Kea of a by the rest", s.rest.provider.sentTo(t, s.a), 0)
		equal(t, "commands to the Kea of the rest by a", s.a.provider.sentTo(t, s.rest), 0)
		for _, at := range []*site{s.a, s.rest} {
			at.provider.awaitCounted(t, map[string]int{"exists": n, "ready": n})
		}
	})
	t.Run("Missing", func(t *testing.T) {
		r := s.a.numbered(30)
		r.Spec.ProviderConfigReference.Name = "missing"
		got := s.rest.writesDuring(s.cluster, func() {
			s.a.create(r)
			s.a.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: "cannot find"})
		})
		// The test's, and what is reported once: the finalizer is not added to what cannot be in Kea.
		if got["PUT keareservations/status"] != 1 {
			t.Errorf("%v: want one status", got)
		}
		s.a.delete(r)
		s.a.awaitGone(r)
	})
	t.Run("Machine", func(t *testing.T) { s.moveMachine(t) })
	t.Run("Configuration", func(t *testing.T) { s.moveConfiguration(t) })
	t.Run("OneStopped", func(t *testing.T) { s.stopOne(t) })
}

// moveMachine moves a machine from the shard a to the rest. At no time both Keas are without it.
func (s *shards) moveMachine(t *testing.T) {
	t.Helper()
	const hw, ip = "00:02:12:00:0a:01", "10.123.0.150"
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "moves"}}
	s.a.create(ns)
	from := *s.a
	from.namespace = ns.Name
	nn := from.networkNamespace(subnet)
	from.useConfig(nn, s.a.namespace)
	s.a.lease(hw, ip)
	s.rest.lease(hw, ip)
	nc := from.networkConfiguration("vm01", hw)
	from.create(nc)
	from.awaitPhase(nc, vitistack.PhaseReady)
	s.a.awaitHeld(hw, ip)
	from.useConfig(nn, s.rest.namespace)
	testenv.Eventually(t, within, "the move", func(ctx context.Context) error {
		old, err := s.a.reservedAt(ctx, 1, hw)
		if err != nil {
			return err
		}
		now, err := s.rest.reservedAt(ctx, 1, hw)
		if err != nil {
			return err
		}
		if old == "" && now == "" {
			t.Error("neither Kea has a reservation of the machine")
		}
		if old != "" || now != ip {
			return fmt.Errorf("the old Kea has %q and the new one %q", old, now)
		}
		return nil
	})
	from.awaitPhase(nc, vitistack.PhaseReady)
	from.delete(nc)
	s.rest.awaitNotHeld(hw)
}

// moveConfiguration moves the configuration of a to the rest and back.
func (s *shards) moveConfiguration(t *testing.T) {
	t.Helper()
	s.a.serve("b")
	served := *s.a
	served.world = s.rest.world
	served.awaitSnapshots(2)
	before := s.a.provider.sentTo(t, s.a)
	r := s.a.static("by-the-rest", "10.123.0.60")
	s.a.create(r)
	s.a.await(r, isReady, isSynced)
	s.a.awaitHeld(mac, "10.123.0.60")
	s.a.lease(other, "10.123.0.160")
	nc := s.a.networkConfiguration("by-the-rest", other)
	s.a.create(nc)
	s.a.awaitPhase(nc, vitistack.PhaseReady)
	s.a.awaitHeld(other, "10.123.0.160")
	served.awaitSnapshots(2)
	equal(t, "commands of a provider that does not serve the configuration any more", s.a.provider.sentTo(t, s.a)-before, 0)
	s.a.provider.awaitCounted(t, map[string]int{"exists": 0, "ready": 0})

	s.a.serve("a")
	s.a.awaitSnapshots(2)
	s.a.delete(r)
	s.a.awaitGone(r)
	s.a.awaitNotHeld(mac)
	s.a.delete(nc)
	s.a.awaitNotHeld(other)
	for _, at := range []*site{s.a, s.rest} {
		for i := range 10 {
			at.awaitHeld(fleetMAC(1, i), fmt.Sprintf("10.123.0.%d", 110+i))
		}
	}
}

// stopOne stops the provider of a: the rest goes on and leaves alone what is a's, until a is back.
func (s *shards) stopOne(t *testing.T) {
	t.Helper()
	s.a.provider.stop()
	waits, goes := s.a.static("vm30", "10.123.0.70"), s.rest.static("vm30", "10.123.0.70")
	s.a.create(waits)
	s.rest.create(goes)
	s.rest.await(goes, isReady, isSynced)
	s.rest.awaitSnapshots(3)
	if err := s.client.Get(t.Context(), s.a.key(waits.Name), waits); err != nil || len(waits.Status.Conditions) > 0 || len(waits.Finalizers) > 0 {
		t.Errorf("%v: the rest has touched a's: %+v %v", err, waits.Status.Conditions, waits.Finalizers)
	}
	if s.a.held(mac) != nil {
		t.Error("the rest has written to the Kea of a")
	}
	gone := s.a.networkConfiguration("vm000", fleetMAC(1, 0))
	s.a.delete(gone)
	s.start("--poll-state-metric=1s", "--provider-config-selector="+shardLabel+" in (a)") // the same, by another spelling
	s.a.provider = s.provider
	s.a.await(waits, isReady, isSynced)
	s.a.awaitNotHeld(fleetMAC(1, 0))
	equal(t, "commands to the Kea of a by the rest, since it gave the configuration back", s.rest.provider.sentTo(t, s.a), 0)
}
