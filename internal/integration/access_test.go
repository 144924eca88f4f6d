// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// forTeams limits a provider configuration to namespaces of team web, and to some subnets.
func forTeams(subnets ...string) func(*v1alpha1.ClusterProviderConfig) {
	return func(pc *v1alpha1.ClusterProviderConfig) {
		pc.Spec.Access = []v1alpha1.Access{{
			Namespaces: &v1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "web"}}, Subnets: subnets,
		}}
	}
}

// setTeam labels the site's namespace; "" removes the label.
func (s *site) setTeam(team string) {
	s.t.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	edit(s, ns, func(ns *corev1.Namespace) {
		labels := maps.Clone(ns.Labels)
		if delete(labels, "team"); team != "" {
			labels["team"] = team
		}
		ns.Labels = labels
	})
}

// asked counts the commands about single reservations and leases.
func (s *site) asked() int {
	n := s.writes() + s.sent("reservation-del")
	for _, command := range []string{"reservation-get", "reservation-get-by-address", "lease4-get-by-hw-address"} {
		n += s.sent(command)
	}
	return n
}

func (s *site) clusterConfig() *v1alpha1.ClusterProviderConfig {
	return &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
}

// TestAccess: a namespace that may not use a provider configuration sends nothing to Kea and learns
// nothing of it. Labels and the list count at once; what is in Kea stays when they change, and goes
// with its resource.
func TestAccess(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom, forTeams("10.123.0.0/16"))
	s.awaitUsable()
	s.put(kea.Reservation{HWAddress: "00:02:12:00:00:03", IPAddress: addr("10.123.0.60")})
	s.lease(other, "10.123.0.150")
	asked := s.asked()
	r := s.static("vm01", "10.123.0.50")
	all := map[*v1alpha1.KeaReservation]string{
		r: subnet,
		s.reservation("leased", params{HWAddress: other}):                                                                subnet,
		s.reservation("there", params{HWAddress: "00:02:12:00:00:03"}):                                                   subnet,
		s.reservation("nowhere", params{HWAddress: "00:02:12:00:00:04", Subnet: "10.99.0.0/24"}):                         "10.99.0.0/24",
		s.reservation("by-id", params{HWAddress: "00:02:12:00:00:05", SubnetID: new(int64(1))}):                          "subnet-id 1",
		s.reservation("by-no-id", params{HWAddress: "00:02:12:00:00:06", SubnetID: new(int64(99))}):                      "subnet-id 99",
		s.reservation("only-looks", params{HWAddress: "00:02:12:00:00:03", IPAddress: "10.123.0.60"}):                    subnet,
		s.reservation("taken", params{HWAddress: "00:02:12:00:00:07", IPAddress: "10.123.0.60"}):                         subnet,
		s.reservation("outside", params{HWAddress: "00:02:12:00:00:08", SubnetID: new(int64(1)), IPAddress: "10.9.0.1"}): "subnet-id 1",
	}
	for o, what := range all {
		if o.Name == "only-looks" {
			o.Spec.ManagementPolicies = observe
		}
		s.create(o)
		s.await(o, append(notReady(v1alpha1.ReasonNotAllowed, "namespace "+s.namespace+" may not use "+what+" of this provider configuration: who manages"), isSynced)...)
		equal(t, "atProvider of "+o.Name, fmt.Sprintf("%+v", o.Status.AtProvider), fmt.Sprintf("%+v", v1alpha1.KeaReservationObservation{}))
		equal(t, "finalizers of "+o.Name, len(o.Finalizers), 0)
		if o != r {
			s.delete(o)
			s.awaitGone(o)
		}
	}
	equal(t, "what Kea was asked", s.asked(), asked)

	// The label comes.
	s.setTeam("web")
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.50")
	equal(t, "finalizers", len(r.Finalizers), 1)

	// Another team's label, and the list, take the right away.
	for _, step := range map[string]struct{ take, give func() }{
		"label": {func() { s.setTeam("db") }, func() { s.setTeam("web") }},
		"list":  {func() { edit(s, s.clusterConfig(), forTeams("10.99.0.0/16")) }, func() { edit(s, s.clusterConfig(), forTeams("10.123.0.0/24")) }},
	} {
		asked, before := s.asked(), fmt.Sprintf("%+v", *s.held(mac))
		step.take()
		s.await(r, notReady(v1alpha1.ReasonNotAllowed, "")...)
		edit(s, r, withAddress("10.123.0.51"))
		s.await(r, notReady(v1alpha1.ReasonNotAllowed, "")...)
		equal(t, "atProvider.servers", len(r.Status.AtProvider.Servers), 0)
		equal(t, "what Kea was asked", s.asked(), asked)
		equal(t, "what Kea holds", fmt.Sprintf("%+v", *s.held(mac)), before)
		edit(s, r, withAddress("10.123.0.50"))
		step.give()
		s.await(r, isReady, isSynced)
	}

	// Without the right it can be deleted, with what it has in Kea.
	s.setTeam("")
	s.await(r, notReady(v1alpha1.ReasonNotAllowed, "")...)
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}

// TestAccessKeepsGroup: a change of access alone does not have the servers read again.
func TestAccessKeepsGroup(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	r := s.created(s.static("vm01", "10.123.0.50"))
	read := s.sent("version-get") + s.sent("config-get")
	edit(s, s.clusterConfig(), forTeams())
	s.await(r, notReady(v1alpha1.ReasonNotAllowed, "")...)
	edit(s, s.clusterConfig(), func(pc *v1alpha1.ClusterProviderConfig) { pc.Spec.Access = nil })
	s.await(r, isReady, isSynced)
	equal(t, "how often the server was read in full", s.sent("version-get")+s.sent("config-get"), read)
}

// TestAccessTakeover: what may be taken over is what the entry says, whatever the annotation says.
func TestAccessTakeover(t *testing.T) {
	t.Parallel()
	adopt := func(what v1alpha1.Takeover) func(*v1alpha1.ClusterProviderConfig) {
		return func(pc *v1alpha1.ClusterProviderConfig) { pc.Spec.Access = []v1alpha1.Access{{Adopt: what}} }
	}
	s := newSite(t, testenv.KeaOptions{}, adopt(v1alpha1.TakeoverNever))
	s.put(byHand("10.123.0.60"))
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.61"), UserContext: marked("prod/web")})
	s.awaitSeen()
	unmarked, theirs := s.static("unmarked", "10.123.0.60"), s.reservation("theirs", params{HWAddress: other, IPAddress: "10.123.0.61"})
	for _, r := range []*v1alpha1.KeaReservation{unmarked, theirs} {
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
		s.create(r)
		s.await(r, notReady(v1alpha1.ReasonNotAllowed, "this namespace may take over no reservation that exists already")...)
		equal(t, "atProvider.hostname", r.Status.AtProvider.Hostname, "")
	}
	equal(t, "what was written", s.writes(), 0)
	edit(s, s.clusterConfig(), adopt(v1alpha1.TakeoverUnmarked))
	s.await(unmarked, isReady, isSynced)
	s.await(theirs, notReady(v1alpha1.ReasonOwnedByAnother, "the annotation kea.crossplane.io/adopt is ignored")...)
	equal(t, "the owner", owner(s.held(other)), "prod/web")
	edit(s, s.clusterConfig(), adopt(v1alpha1.TakeoverAny))
	s.await(theirs, isReady, isSynced)
	s.awaitMarked(other, "theirs")
}

// TestTwoConfigurationsOneKea: two resources that take the device's reservation over by two
// provider configurations do not take it from each other: the older one has it, unless it is
// blocked.
func TestTwoConfigurationsOneKea(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	second := s.config()
	second.Name += "-second"
	second.Spec.Servers[0].Name, second.Spec.Servers[0].URL = "same", strings.Replace(s.kea.URL, "127.0.0.1", "localhost", 1)
	s.create(second)
	t.Cleanup(func() { s.abandon(second) })
	s.await(second, isReady)
	s.put(kea.Reservation{HWAddress: mac, IPAddress: addr("10.123.0.60"), UserContext: marked("prod/web")})
	adopting := func(name, ip string) *v1alpha1.KeaReservation {
		r := s.static(name, ip)
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
		return r
	}
	older, younger := adopting("older", "10.123.0.50"), adopting("younger", "10.123.0.51")
	younger.Spec.ProviderConfigReference.Name = second.Name

	// The older one is in conflict, and does not hold up the younger one.
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.50")})
	s.create(older)
	s.await(older, notReady(v1alpha1.ReasonAddressConflict, other)...)
	s.create(younger)
	s.await(younger, isReady, isSynced)
	s.awaitMarked(mac, "younger")

	// When it can, it takes the reservation over, and keeps it.
	s.remove(other)
	s.await(older, isReady, isSynced)
	s.await(younger, notReady(v1alpha1.ReasonOwnedByAnother, "KeaReservation "+s.key("older").String())...)
	s.checkQuiet(older, younger)
	s.awaitMarked(mac, "older")

	// Blocked again, it keeps what has its mark.
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.52")})
	edit(s, older, withAddress("10.123.0.52"))
	s.await(older, notReady(v1alpha1.ReasonAddressConflict, other)...)
	s.checkQuiet(older, younger)
	s.awaitMarked(mac, "older")

	// It goes, and the younger one has it at once.
	s.delete(older)
	s.awaitGone(older)
	s.await(younger, isReady, isSynced)
	s.awaitMarked(mac, "younger")
}
