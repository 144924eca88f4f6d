// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// pair is a site with two Kea servers in high availability, both in the site's configuration.
type pair struct {
	*site

	kea1, kea2 *member
}

// member is one server of a pair.
type member struct {
	*testenv.Kea

	t    testing.TB
	name string
	// at talks to the server outside the provider.
	at *kea.Client
	// subnetID is what the server calls the site's subnet.
	subnetID uint32
	// target is where the server keeps reservations.
	target kea.Target
}

// layout is where the servers of a pair keep reservations.
type layout string

// Layouts. In the first two, the servers have different subnet-ids for the site's subnet.
const (
	twoMemories    layout = "two memories"
	twoDatabases   layout = "two databases"
	sharedDatabase layout = "one shared database"
)

var layouts = []layout{twoMemories, twoDatabases, sharedDatabase}

// onEachLayout runs a test on each of them.
func onEachLayout(t *testing.T, test func(t *testing.T, l layout)) {
	t.Parallel()
	for _, l := range layouts {
		t.Run(string(l), func(t *testing.T) {
			t.Parallel()
			test(t, l)
		})
	}
}

// options returns the options of the servers of a pair.
func (l layout) options(t *testing.T) (first, second testenv.KeaOptions) {
	t.Helper()
	other := testenv.DefaultSubnet()
	switch l {
	case twoMemories:
		other.ID = 7
	case twoDatabases:
		other.ID = 7
		first.Postgres, second.Postgres = postgres(t), postgres(t)
	case sharedDatabase:
		first.Postgres = postgres(t)
		second.Postgres = first.Postgres
	}
	first.Subnets, second.Subnets = []testenv.Subnet{testenv.DefaultSubnet()}, []testenv.Subnet{other}
	return first, second
}

// newPair makes a hot-standby pair and a configuration that is changed as wanted. A server that
// hangs costs a command two seconds.
func newPair(t *testing.T, l layout, change ...func(*v1alpha1.ClusterProviderConfig)) *pair {
	t.Helper()
	first, second := l.options(t)
	if l == sharedDatabase {
		change = append(change, func(c *v1alpha1.ClusterProviderConfig) { c.Spec.Hosts.Shared = true })
	}
	return newPairOf(t, first, second, change...)
}

// newPairOf makes a pair of servers with options of their own.
func newPairOf(t *testing.T, first, second testenv.KeaOptions, change ...func(*v1alpha1.ClusterProviderConfig)) *pair {
	t.Helper()
	p := barePair(t, first, second)
	c := p.config()
	for _, f := range change {
		f(c)
	}
	p.create(c)
	t.Cleanup(func() { p.abandon(c) })
	return p
}

// barePair makes a pair in a namespace without a configuration.
func barePair(t *testing.T, first, second testenv.KeaOptions) *pair {
	t.Helper()
	p := pairIn(t, &shared.world, first, second)
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "pair-"}}
	p.create(ns)
	p.namespace = ns.Name
	return p
}

// pairIn makes a pair without a namespace.
func pairIn(t *testing.T, w *world, first, second testenv.KeaOptions) *pair {
	t.Helper()
	for _, o := range []*testenv.KeaOptions{&first, &second} {
		if len(o.Subnets) == 0 {
			o.Subnets = []testenv.Subnet{testenv.DefaultSubnet()}
		}
	}
	keas := testenv.StartKeaPair(t, testenv.HotStandby, first, second)
	p := &pair{site: &site{world: w, t: t, kea: keas[0]}}
	p.kea1 = newMember(t, "kea1", keas[0], first)
	p.kea2 = newMember(t, "kea2", keas[1], second)
	p.at = p.kea1.at
	return p
}

func newMember(t *testing.T, name string, k *testenv.Kea, o testenv.KeaOptions) *member {
	t.Helper()
	at, err := kea.NewClient(kea.Config{URL: k.URL, Username: o.Username, Password: o.Password})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(at.Close)
	m := &member{Kea: k, t: t, name: name, at: at, subnetID: uint32(o.Subnets[0].ID), target: kea.TargetMemory}
	if o.Postgres != nil {
		m.target = kea.TargetDatabase
	}
	return m
}

// config is the pair's ClusterProviderConfig as it is made.
func (p *pair) config() *v1alpha1.ClusterProviderConfig {
	c := p.site.config()
	c.Spec.Servers = []v1alpha1.Server{{Name: p.kea1.name, URL: p.kea1.URL}, {Name: p.kea2.name, URL: p.kea2.URL}}
	c.Spec.Timeout = metav1.Duration{Duration: 2 * time.Second}
	return c
}

func (p *pair) members() []*member { return []*member{p.kea1, p.kea2} }

// other is the partner of a server.
func (p *pair) other(m *member) *member {
	if m == p.kea1 {
		return p.kea2
	}
	return p.kea1
}

// replicated is a KeaReservation that every server has.
var replicated = []is{isReady, isSynced, {Type: v1alpha1.TypeReplicated, Status: corev1.ConditionTrue}}

// readyWithout is a KeaReservation that one server is not known to have.
func readyWithout(m *member) []is {
	return []is{isReady, isSynced, {Type: v1alpha1.TypeReplicated, Status: corev1.ConditionFalse, Message: m.name}}
}

// onBoth creates KeaReservations and waits until both servers have them.
func (p *pair) onBoth(rs ...*v1alpha1.KeaReservation) {
	p.t.Helper()
	for _, r := range rs {
		p.create(r)
	}
	for _, r := range rs {
		p.await(r, replicated...)
		for _, m := range p.members() {
			m.awaitHeld(r.Spec.ForProvider.HWAddress, r.Spec.ForProvider.IPAddress)
		}
	}
}

// idle makes KeaReservations that both servers have and that nothing is done for any more:
// numbered(1) and those that follow.
func (p *pair) idle(n int) []*v1alpha1.KeaReservation {
	p.t.Helper()
	p.awaitConfig(someServe, allServe)
	var out []*v1alpha1.KeaReservation
	for i := range n {
		out = append(out, p.numbered(i+1))
	}
	p.onBoth(out...)
	p.settle()
	return out
}

// The conditions of a provider configuration.
var (
	allServe  = is{Type: "Healthy", Status: corev1.ConditionTrue}
	someServe = is{Type: "Ready", Status: corev1.ConditionTrue}
	noneServe = is{Type: "Ready", Status: corev1.ConditionFalse}
)

// unhealthy is a provider configuration with a server that does not serve, with a part of the
// message.
func unhealthy(message string) is {
	return is{Type: "Healthy", Status: corev1.ConditionFalse, Message: message}
}

// awaitConfig waits until the site's configuration has all these conditions, and returns it.
func (s *site) awaitConfig(want ...is) *v1alpha1.ClusterProviderConfig {
	s.t.Helper()
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	s.await(pc, want...)
	return pc
}

// awaitDown waits until the configuration says that a server, and no other, does not serve.
func (p *pair) awaitDown(m *member) { p.t.Helper(); p.awaitConfig(someServe, unhealthy(m.name)) }
