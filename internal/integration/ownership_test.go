// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestOwnedByAnother: "marked as somebody else's: untouched, also on delete:
// Ready=False reason OwnedByAnother", without the UID or the names of another cluster.
func TestOwnedByAnother(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(kea.Reservation{HWAddress: mac, IPAddress: addr("10.123.0.60"), UserContext: marked("prod/web")})
	before := fmt.Sprintf("%+v", *s.held(mac))
	// With an address of its own, and with none.
	for _, ip := range []string{"10.123.0.50", ""} {
		r := s.static("vm01", ip)
		s.create(r)
		s.await(r, notReady(v1alpha1.ReasonOwnedByAnother, "belongs to a KeaReservation of another cluster:")...)
		if m := r.GetCondition(xpv2.TypeReady).Message; strings.Contains(m, "c0ffee00") || strings.Contains(m, "prod") {
			t.Errorf("the message names the other cluster or its resource: %q", m)
		}
		s.checkQuiet(r)
		equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, ip)
		equal(t, "atProvider.ipAddress", r.Status.AtProvider.IPAddress, "")
		s.delete(r)
		s.awaitGone(r)
		equal(t, "what Kea holds", fmt.Sprintf("%+v", *s.held(mac)), before)
	}
}

// TestUnreadableMark: the same for a mark that this provider cannot read.
func TestUnreadableMark(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(kea.Reservation{HWAddress: mac, IPAddress: addr("10.123.0.60"), UserContext: map[string]any{"crossplane": "mine"}})
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonOwnedByAnother, "an owner this provider does not know")...)
	s.delete(r)
	s.awaitGone(r)
	equal(t, "ip-address", s.held(mac).IPAddress, addr("10.123.0.60"))
}

// TestAdoptAnnotation: "annotation kea.crossplane.io/adopt takes it over".
func TestAdoptAnnotation(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	theirs := byHand("10.123.0.60")
	theirs.UserContext["crossplane"] = marked("prod/web")["crossplane"]
	s.put(theirs)
	r := s.reservation("vm01", params{HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonOwnedByAnother, "another cluster")...)
	edit(s, r, func(r *v1alpha1.KeaReservation) {
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
	})
	s.await(r, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
	s.awaitMarked(mac, "vm01")
	checkByHand(t, s.held(mac), "10.123.0.60")
	s.delete(r)
	s.awaitGone(r)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea still holds %+v", got)
	}
}

// TestFormerCluster: a cluster that was rebuilt takes back what is marked with the UID it had before
// once that is listed, each resource its own, and removes it with the resource.
func TestFormerCluster(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	const otherMAC = "00:02:12:34:56:79"
	theirs := byHand("10.123.0.60")
	theirs.UserContext["crossplane"] = marked(s.namespace + "/vm01")["crossplane"]
	s.put(theirs)
	s.put(kea.Reservation{HWAddress: otherMAC, IPAddress: addr("10.123.0.61"), UserContext: marked(s.namespace + "/vm02")})
	mine := s.reservation("vm01", params{HWAddress: mac})
	another := s.reservation("another", params{HWAddress: otherMAC})
	for _, r := range []*v1alpha1.KeaReservation{mine, another} {
		s.create(r)
		s.await(r, notReady(v1alpha1.ReasonOwnedByAnother, "another cluster")...)
	}
	edit(s, s.clusterConfig(), func(pc *v1alpha1.ClusterProviderConfig) {
		pc.Spec.FormerClusterUIDs = []string{"c0ffee00-0000-0000-0000-000000000000"}
	})
	s.await(mine, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", mine.Spec.ForProvider.IPAddress, "10.123.0.60")
	s.awaitMarked(mac, "vm01")
	checkByHand(t, s.held(mac), "10.123.0.60")
	s.await(another, notReady(v1alpha1.ReasonOwnedByAnother, "another cluster")...)
	s.delete(another)
	s.awaitGone(another)
	s.awaitHeld(otherMAC, "10.123.0.61")
	s.delete(mine)
	s.awaitGone(mine)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea still holds %+v", got)
	}
}

// TestTwoAdopters: two resources that both take the device's reservation over do
// not take it from each other: the older one has it.
func TestTwoAdopters(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	adopting := func(name, ip string) *v1alpha1.KeaReservation {
		r := s.static(name, ip)
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
		return r
	}
	first := s.created(adopting("first", "10.123.0.50"))
	second := adopting("second", "10.123.0.51")
	s.create(second)
	s.await(second, notReady(v1alpha1.ReasonOwnedByAnother, "KeaReservation "+s.key("first").String())...)
	s.checkQuiet(first, second)
	s.awaitHeld(mac, "10.123.0.50")
	edit(s, first, func(r *v1alpha1.KeaReservation) { r.SetAnnotations(nil) })
	s.await(second, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.51")
	s.await(first, notReady(v1alpha1.ReasonOwnedByAnother, "KeaReservation "+s.key("second").String())...)
}

// TestSameDeviceTwice: "marked as somebody else's", where that is another
// KeaReservation of this cluster: it waits, and takes over when the first goes,
// with its event and not the next snapshot.
func TestSameDeviceTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	first := s.created(s.static("first", "10.123.0.50"))
	second := s.static("second", "10.123.0.51")
	s.create(second)
	s.await(second, notReady(v1alpha1.ReasonOwnedByAnother, "KeaReservation "+s.key("first").String())...)
	s.awaitHeld(mac, "10.123.0.50")
	s.delete(first)
	s.awaitGone(first)
	s.await(second, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.51")
	s.awaitMarked(mac, "second")
}

// TestSecondDeleted: "untouched, also on delete", of the one that waits.
func TestSecondDeleted(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	first := s.created(s.static("first", "10.123.0.50"))
	second := s.reservation("second", params{HWAddress: mac})
	s.create(second)
	s.await(second, notReady(v1alpha1.ReasonOwnedByAnother, s.key("first").String())...)
	s.delete(second)
	s.awaitGone(second)
	s.awaitHeld(mac, "10.123.0.50")
	s.await(first, isReady, isSynced)
}

// TestUnmarkedUntouched: a reservation that is not marked, and has another address than is wanted,
// is not moved, and not removed with the resource, which has never held it: neither where the
// wanted address is another host's, nor where it is free.
func TestUnmarkedUntouched(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(byHand("10.123.0.60"))
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.50")})
	s.awaitSeen()
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAddressDiffers, "with the address 10.123.0.60, not 10.123.0.50")...)
	edit(s, r, withAddress("10.123.0.51"))
	s.await(r, notReady(v1alpha1.ReasonAddressDiffers, "with the address 10.123.0.60, not 10.123.0.51")...)
	s.checkQuiet(r)
	s.delete(r)
	s.awaitGone(r)
	checkByHand(t, s.held(mac), "10.123.0.60")
	equal(t, "what was written", s.writes(), 0)

	// The annotation has it moved, and then it goes with the resource.
	r = s.static("vm01", "10.123.0.51")
	r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
	s.created(r)
	checkByHand(t, s.held(mac), "10.123.0.51")
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}
