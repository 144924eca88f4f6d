// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestPairReturnsEmpty: a server is killed and returns with nothing in memory: all of it is restored,
// soon, and the other server is not written to. While it is down, nothing is written at all.
func TestPairReturnsEmpty(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"kea1", "kea2"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPair(t, twoMemories)
			rs := p.idle(20)
			killed := p.member(name)
			before, writes := p.versions(), p.writesTo(p.other(killed))
			killed.Kill()
			p.awaitDown(killed)
			p.awaitReads(p.other(killed), 3)
			p.checkVersions("while "+name+" was down", before)
			p.checkStatus(rs[0])

			killed.Start(t)
			start := time.Now()
			killed.awaitAll(rs)
			t.Logf("%d reservations were restored in %s", len(rs), time.Since(start).Round(time.Millisecond))
			p.awaitEach("Replicated", rs, has(replicated...))
			p.awaitConfig(someServe, allServe)
			equal(t, "writes to "+p.other(killed).name, p.writesTo(p.other(killed)), writes)
			for _, r := range rs {
				equal(t, "the owner of "+r.Name, owner(killed.held(r.Spec.ForProvider.HWAddress)), p.key(r.Name).String())
			}
		})
	}
}

// checkStatus makes sure that a KeaReservation that is looked at has the status that it had.
func (p *pair) checkStatus(r *v1alpha1.KeaReservation) {
	p.t.Helper()
	p.await(r)
	before := r.Status.DeepCopy()
	p.awaitFollowUps(r)
	p.await(r)
	before.LastHandledReconcileAt = r.Status.LastHandledReconcileAt
	if diff := cmp.Diff(*before, r.Status); diff != "" {
		p.t.Errorf("the status of %s changed, -before, +now:\n%s", r.Name, diff)
	}
}

// TestPairBothDown: both servers are down, and one returns: that one serves as if it were alone, and
// the other catches up.
func TestPairBothDown(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories)
	rs := p.idle(3)
	before := p.versions(rs[0])
	p.kea1.Kill()
	p.kea2.Kill()
	p.awaitConfig(noneServe, unhealthy("kea1"), unhealthy("kea2"))
	p.checkServing("0/2")
	added, changed, deleted := p.numbered(4), rs[1], rs[2]
	p.create(added)
	p.await(added, notSynced("cannot reach Kea"))
	edit(p.site, changed, withAddress("10.123.0.20"))
	p.delete(deleted)
	p.await(deleted, notSynced("cannot remove the reservation from kea1, kea2"))
	p.checkVersions("while both servers were down", before)

	p.kea1.Start(t)
	p.await(added, readyWithout(p.kea2)...)
	p.await(changed, readyWithout(p.kea2)...)
	p.kea1.awaitHeld(macOf(1), "10.123.0.1")
	p.kea1.awaitHeld(macOf(2), "10.123.0.20")
	p.kea1.awaitHeld(macOf(4), "10.123.0.4")
	p.awaitDown(p.kea2)
	p.awaitNames(deleted, p.kea2)
	p.kea1.awaitNotHeld(macOf(3))

	p.kea2.Start(t)
	p.awaitGone(deleted)
	p.awaitEach("Replicated", []*v1alpha1.KeaReservation{rs[0], added, changed}, has(replicated...))
	p.kea2.awaitHeld(macOf(1), "10.123.0.1")
	p.kea2.awaitHeld(macOf(2), "10.123.0.20")
	p.kea2.awaitHeld(macOf(4), "10.123.0.4")
	p.kea2.awaitNotHeld(macOf(3))
	p.awaitConfig(someServe, allServe)
}

// TestPairFlaps: a server that hangs for five seconds and answers for five, again and again, costs
// KeaReservations and the servers no write, and the configuration one for each change of its state.
func TestPairFlaps(t *testing.T) {
	t.Parallel()
	const flaps, fleet = 4, 20
	p := newPair(t, twoMemories)
	rs := p.idle(fleet)
	before, reconciles := p.versions(), p.reconcilesOf(rs)
	writes := p.writesTo(p.kea1) + p.writesTo(p.kea2)
	written := p.watchConfig()
	for range flaps {
		p.kea2.Hang(t)
		p.awaitReads(p.kea1, 5) // One each second: the server that does not flap is the clock.
		p.kea2.Resume(t)
		p.awaitReads(p.kea1, 5)
	}
	p.awaitConfig(someServe, allServe)
	p.checkVersions("while kea2 flapped", before)
	equal(t, "writes to both servers", p.writesTo(p.kea1)+p.writesTo(p.kea2), writes)
	if got := p.reconcilesOf(rs) - reconciles; got > flaps*fleet {
		t.Errorf("%d KeaReservations were reconciled %d times in %d flaps", fleet, got, flaps)
	}
	p.checkNoWarnings()
	got := written()
	if len(got) == 0 {
		t.Error("the configuration's status was not written")
	}
	if again := slices.Compact(slices.Clone(got)); len(again) != len(got) {
		t.Errorf("the configuration's status was written though nothing had changed:\n%s", strings.Join(got, "\n"))
	}
	if warnings := p.configWarnings(); len(warnings) > 2 {
		t.Errorf("want one or two different warnings about kea2, got %q", warnings)
	}
	// It is used as any other server.
	r := p.numbered(fleet + 1)
	p.onBoth(r)
}

// reconcilesOf counts how often the provider has looked at KeaReservations.
func (s *site) reconcilesOf(rs []*v1alpha1.KeaReservation) int {
	s.t.Helper()
	n := 0
	for _, r := range rs {
		n += s.reconciles(r.Name)
	}
	return n
}

// watchConfig begins to watch the site's configuration, and returns a function that returns what
// each write since said, but for when a server was last read.
func (s *site) watchConfig() func() []string {
	s.t.Helper()
	pc := s.awaitConfig(someServe)
	w, err := s.client.Watch(s.t.Context(), &v1alpha1.ClusterProviderConfigList{},
		client.MatchingFields{"metadata.name": pc.Name}, &client.ListOptions{Raw: &metav1.ListOptions{ResourceVersion: pc.ResourceVersion}})
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(w.Stop)
	var mu sync.Mutex
	var writes []string
	go func() {
		for e := range w.ResultChan() {
			if pc, ok := e.Object.(*v1alpha1.ClusterProviderConfig); ok {
				mu.Lock()
				writes = append(writes, toldBy(pc))
				mu.Unlock()
			}
		}
	}()
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(writes)
	}
}

// toldBy is what the status of a configuration says, but for when a server was last read.
func toldBy(pc *v1alpha1.ClusterProviderConfig) string {
	out := []string{fmt.Sprint(pc.Status.Users, " users")}
	for _, s := range pc.Status.Servers {
		out = append(out, fmt.Sprint(s.Name, " ", s.State, " since ", s.Since, " ", s.HA, " ", s.Message, ", ", ptr.Deref(s.Reservations, 0), " reservations"))
	}
	return strings.Join(out, ", ")
}

// configWarnings returns the texts of the warnings about the site's configuration.
func (s *site) configWarnings() []string {
	s.t.Helper()
	l := &corev1.EventList{}
	if err := s.client.List(s.t.Context(), l); err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, e := range l.Items {
		if e.Type == corev1.EventTypeWarning && e.InvolvedObject.Kind == v1alpha1.ClusterProviderConfigKind && e.InvolvedObject.Name == s.namespace {
			out = append(out, e.Reason+": "+e.Message)
		}
	}
	return out
}

// member returns the server of a name.
func (p *pair) member(name string) *member {
	if name == p.kea2.name {
		return p.kea2
	}
	return p.kea1
}

// large is how many KeaReservations there are while their only server is down. What is expected of
// each of them holds for any number; more take longer to create than all other tests of a pair.
const large = 150

// TestLargeFleetDown: the only server goes down with many KeaReservations, and returns with what it
// had: only those are written to that needed something meanwhile.
func TestLargeFleetDown(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{Postgres: postgres(t), Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.124.0.0/16"}}})
	s.patience = 3 * within // So many take as long as the machine is busy with other tests.
	var idle []*v1alpha1.KeaReservation
	for i := range large {
		idle = append(idle, s.inLarge(i))
	}
	for _, r := range idle {
		s.create(r)
	}
	s.awaitEach("Ready", idle, has(isReady, isSynced))
	s.settle()
	before := s.versions(idle[10:]...)
	s.kea.Kill()
	s.awaitConfig(noneServe)
	// What needs something from Kea: a new one, a changed one and a deleted one.
	added, changed, deleted := s.inLarge(large), idle[0], idle[1]
	s.create(added)
	edit(s, changed, withAddress("10.124.200.1"))
	s.delete(deleted)
	s.await(added, notSynced("cannot reach Kea"))
	s.await(changed, notSynced("cannot reach Kea"))
	s.await(deleted, notSynced("cannot remove the reservation from kea1"))
	s.awaitSent("status-get", 4)
	s.checkVersions("while Kea was down", before)

	s.kea.Start(t)
	s.awaitHosts(large) // one was added, and one deleted
	s.await(added, isReady, isSynced)
	s.await(changed, isReady, isSynced)
	s.awaitGone(deleted)
	s.awaitStill()
	s.checkVersions("while Kea was down and after that", before)
}

// inLarge is a KeaReservation of a fleet.
func (s *site) inLarge(i int) *v1alpha1.KeaReservation {
	return s.reservation(fmt.Sprintf("vm%04d", i), params{
		HWAddress: fmt.Sprintf("00:02:12:01:%02x:%02x", i/256, i%256), IPAddress: fmt.Sprintf("10.124.%d.%d", 1+i/200, 1+i%200), Subnet: "10.124.0.0/16",
	})
}

// awaitHosts waits until Kea has this many reservations.
func (s *site) awaitHosts(want int) {
	s.t.Helper()
	testenv.Eventually(s.t, 2*within, fmt.Sprintf("Kea to have %d reservations", want), func(ctx context.Context) error {
		n := 0
		for page, err := range s.at.ReservationPages(ctx, want) {
			if err != nil {
				return err
			}
			n += len(page.Hosts)
		}
		if n != want {
			return fmt.Errorf("it has %d", n)
		}
		return nil
	})
}
