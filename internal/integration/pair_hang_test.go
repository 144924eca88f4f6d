// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// arrivals is how many KeaReservations are created while a server hangs.
const arrivals = 100

// fewArrivals is how many come where the layout of stores makes no difference to their number.
const fewArrivals = 20

// TestPairCreatesWhileOneHangs: one server hangs, and 100 reservations are created: the other has
// them within seconds, and they are Ready, without a warning. They alone say that a server lacks
// them: no other KeaReservation is written to.
func TestPairCreatesWhileOneHangs(t *testing.T) {
	onEachLayout(t, func(t *testing.T, l layout) {
		t.Helper()
		p := newPair(t, l)
		p.patience = 2 * within // A hundred take as long as the machine is busy with other tests.
		p.idle(20)
		before, asked := p.versions(), p.asked(p.kea2)
		p.kea2.Hang(t)

		var rs []*v1alpha1.KeaReservation
		count := fewArrivals
		if l == twoMemories {
			count = arrivals
		}
		for i := range count {
			rs = append(rs, p.numbered(31+i))
		}
		start := time.Now()
		for _, r := range rs {
			p.create(r)
		}
		p.awaitEach("Ready", rs, has(isReady, isSynced))
		took := time.Since(start)
		t.Logf("%d reservations were created and Ready in %s", count, took.Round(time.Millisecond))
		p.kea1.awaitAll(rs)
		p.awaitDown(p.kea2)
		if n := p.asked(p.kea2) - asked; n > 10 {
			t.Errorf("%d commands about reservations waited for %s to answer, not a few", n, p.kea2.name)
		}
		p.checkServing("1/2")
		want := readyWithout(p.kea2)
		if l == sharedDatabase {
			want = replicated // The database has it, and so has each of its servers.
		}
		p.awaitEach("Replicated", rs, has(want...))
		p.checkVersions("while "+p.kea2.name+" hung", before)
		p.checkNoWarnings()

		p.kea2.Resume(t)
		p.kea2.awaitAll(rs)
		p.awaitEach("Replicated", rs, has(replicated...))
		p.awaitConfig(someServe, allServe)
		p.checkServing("2/2")
		p.checkVersions("after "+p.kea2.name+" came back", before)
		p.checkNoWarnings()
	})
}

// asked counts the commands about single reservations that a server got and has answered, or not in
// time.
func (p *pair) asked(m *member) int {
	p.t.Helper()
	return p.sentTo(m, "reservation-add", "reservation-update", "reservation-del", "reservation-get", "reservation-get-by-id",
		"reservation-get-by-address", "reservation-get-all", "lease4-get-by-hw-address")
}

// checkNoWarnings makes sure that no KeaReservation of the site has a warning event.
func (p *pair) checkNoWarnings() {
	p.t.Helper()
	for name := range p.versions() {
		for _, w := range p.warnings(name) {
			p.t.Errorf("%s has the warning %s", name, w)
		}
	}
}

// TestPairDeletesWhileOneHangs: a KeaReservation that is deleted while a server hangs is gone from
// the other at once. It stays, and names the server that it waits for, until that server returns, is
// removed from the configuration, or is given up.
func TestPairDeletesWhileOneHangs(t *testing.T) {
	t.Parallel()
	for name, finish := range map[string]func(p *pair, r *v1alpha1.KeaReservation){
		"until it returns": func(p *pair, _ *v1alpha1.KeaReservation) { p.kea2.Resume(p.t) },
		"until it is removed from servers": func(p *pair, _ *v1alpha1.KeaReservation) {
			edit(p.site, p.config(), func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Servers = c.Spec.Servers[:1] })
		},
		"until it is given up": func(p *pair, r *v1alpha1.KeaReservation) {
			p.patch(r, `{"metadata":{"annotations":{"kea.crossplane.io/abandon":"kea2"}}}`)
		},
	} {
		for _, l := range []layout{twoMemories, twoDatabases} {
			t.Run(name+" with "+string(l), func(t *testing.T) {
				t.Parallel()
				p := newPair(t, l)
				rs := p.idle(3)
				before := p.versions(rs[1:]...)
				p.kea2.Hang(t)
				p.delete(rs[0])
				p.kea1.awaitNotHeld(macOf(1))
				p.awaitNames(rs[0], p.kea2)
				if len(rs[0].Finalizers) == 0 {
					t.Fatal("the finalizer is gone")
				}
				p.awaitDown(p.kea2)
				p.checkVersions("while "+p.kea2.name+" hung", before)

				finish(p, rs[0])
				p.awaitGone(rs[0])
				if name == "until it returns" {
					equal(t, "kea2 has nothing", p.kea2.held(macOf(1)) == nil, true)
				}
				equal(t, "what kea1 has of another device", p.kea1.address(macOf(2)), addr("10.123.0.2"))
			})
		}
	}
}

// TestPairDeletesFromSharedDatabase: where the servers share one database, nothing has to wait for a
// server that hangs.
func TestPairDeletesFromSharedDatabase(t *testing.T) {
	t.Parallel()
	p := newPair(t, sharedDatabase)
	for _, m := range p.members() {
		r := p.numbered(1)
		p.onBoth(r)
		m.Hang(t)
		p.delete(r)
		p.awaitGone(r)
		equal(t, "the database has nothing", p.other(m).held(macOf(1)) == nil, true)
		m.Resume(t)
		p.awaitConfig(someServe, allServe)
	}
}

// awaitNames waits until a KeaReservation that is being deleted names a server in a condition.
func (p *pair) awaitNames(r *v1alpha1.KeaReservation, m *member) {
	p.t.Helper()
	p.awaitEach("to name "+m.name, []*v1alpha1.KeaReservation{r}, func(got *v1alpha1.KeaReservation) error {
		*r = *got
		for _, c := range got.Status.Conditions {
			if got.DeletionTimestamp != nil && strings.Contains(c.Message, m.name) {
				return nil
			}
		}
		return differs(got, []is{{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: m.name}})
	})
}

// TestPairReturnsWithOldData: a server that hung has what it had before: what was added, changed and
// deleted meanwhile is caught up within one snapshot interval.
func TestPairReturnsWithOldData(t *testing.T) {
	onEachLayout(t, func(t *testing.T, l layout) {
		t.Helper()
		p := newPair(t, l, func(c *v1alpha1.ClusterProviderConfig) {
			c.Spec.SnapshotInterval = metav1.Duration{Duration: 30 * time.Second}
		})
		rs := []*v1alpha1.KeaReservation{p.numbered(1), p.numbered(2), p.numbered(3)}
		p.onBoth(rs...)
		p.awaitFollowUps(rs...)
		before := p.versions(rs[0])
		p.kea2.Hang(t)
		added, changed, deleted := p.numbered(4), rs[1], rs[2]
		p.create(added)
		edit(p.site, changed, withAddress("10.123.0.20"))
		p.delete(deleted)
		p.await(added, isReady, isSynced)
		p.await(changed, isReady, isSynced)
		p.kea1.awaitHeld(macOf(4), "10.123.0.4")
		p.kea1.awaitHeld(macOf(2), "10.123.0.20")
		p.kea1.awaitNotHeld(macOf(3))

		p.kea2.Resume(t)
		start := time.Now()
		p.kea2.awaitHeld(macOf(4), "10.123.0.4")
		p.kea2.awaitHeld(macOf(2), "10.123.0.20")
		p.kea2.awaitNotHeld(macOf(3))
		p.awaitGone(deleted)
		p.await(added, replicated...)
		p.await(changed, replicated...)
		t.Logf("it was caught up in %s", time.Since(start).Round(time.Millisecond))
		p.awaitConfig(someServe, allServe)
		p.checkVersions("while "+p.kea2.name+" hung and caught up", before)
	})
}

// TestPairHangsInTurn: whichever of the servers hangs, the other one serves.
func TestPairHangsInTurn(t *testing.T) {
	t.Parallel()
	p := newPair(t, twoMemories)
	p.awaitConfig(someServe, allServe)
	for i, m := range p.members() {
		m.Hang(t)
		r := p.numbered(i + 1)
		p.create(r)
		p.await(r, readyWithout(m)...)
		p.awaitDown(m)
		equal(t, "what "+p.other(m).name+" has", p.other(m).address(macOf(i+1)), addr(r.Spec.ForProvider.IPAddress))
		m.Resume(t)
		p.await(r, replicated...)
		m.awaitHeld(macOf(i+1), r.Spec.ForProvider.IPAddress)
		p.awaitConfig(someServe, allServe)
	}
	testenv.Eventually(t, within, "both servers to serve", p.allUp)
}
