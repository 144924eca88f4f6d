// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// observe lets the provider look and nothing else.
var observe = xpv2.ManagementPolicies{xpv2.ManagementActionObserve}

// TestObserve imports what is there, then takes it over: "an unmarked
// reservation is adopted and marked", but not as long as it is only observed.
func TestObserve(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(byHand("10.123.0.60"))
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Spec.ManagementPolicies = observe
	s.created(r)
	at := r.Status.AtProvider
	equal(t, "atProvider.ipAddress", at.IPAddress, "10.123.0.60")
	equal(t, "atProvider.hostname", at.Hostname, "by-hand")
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "")
	s.checkQuiet(r)
	equal(t, "the owner", owner(s.held(mac)), "")
	equal(t, "what was written", s.writes(), 0)

	edit(s, r, func(r *v1alpha1.KeaReservation) {
		r.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionAll}
	})
	s.awaitMarked(mac, "vm01")
	s.await(r, isReady, isSynced)
	checkByHand(t, s.held(mac), "10.123.0.60")
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}

// TestObserveNothing: what is only observed and not there is an error, until it
// is made. Deleted, it leaves what it has observed.
func TestObserveNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Spec.ManagementPolicies = observe
	s.create(r)
	s.await(r, notSynced("does not exist"))
	s.checkQuiet(r)
	s.put(byHand("10.123.0.60"))
	s.await(r, isReady, isSynced)
	equal(t, "atProvider.ipAddress", r.Status.AtProvider.IPAddress, "10.123.0.60")
	// It tells of what goes, too.
	s.remove(mac)
	s.await(r, notSynced("does not exist"))
	s.put(byHand("10.123.0.61"))
	s.await(r, isReady, isSynced)
	s.delete(r)
	s.awaitGone(r)
	checkByHand(t, s.held(mac), "10.123.0.61")
}

// TestOrphan: a resource that may not delete leaves the reservation in Kea, and
// the next one of that name finds it.
func TestOrphan(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.static("vm01", "10.123.0.50")
	r.Spec.ManagementPolicies = xpv2.ManagementPolicies{
		xpv2.ManagementActionObserve, xpv2.ManagementActionCreate, xpv2.ManagementActionUpdate, xpv2.ManagementActionLateInitialize,
	}
	s.created(r)
	s.delete(r)
	s.awaitGone(r)
	s.awaitSnapshots(2)
	s.awaitHeld(mac, "10.123.0.50")
	again := s.created(s.reservation("vm01", params{HWAddress: mac}))
	equal(t, "spec.forProvider.ipAddress", again.Spec.ForProvider.IPAddress, "10.123.0.50")
}

// TestWithoutCreate: a resource that may not create takes what is there, and
// makes nothing.
func TestWithoutCreate(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.static("vm01", "10.123.0.50")
	r.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionObserve, xpv2.ManagementActionUpdate}
	s.create(r)
	s.await(r, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse})
	s.awaitSnapshots(3)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea holds %+v", got)
	}
	s.put(byHand("10.123.0.60"))
	s.await(r, notReady(v1alpha1.ReasonAddressDiffers, "10.123.0.60")...)
	edit(s, r, func(r *v1alpha1.KeaReservation) {
		r.SetAnnotations(map[string]string{v1alpha1.AnnotationKeyAdopt: "true"})
	})
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.50")
	s.awaitMarked(mac, "vm01")
}

// TestPaused: the annotation crossplane.io/paused keeps the provider's hands off,
// and what happened meanwhile is put right when it goes.
func TestPaused(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	pause := func(v string) {
		edit(s, r, func(r *v1alpha1.KeaReservation) {
			a := r.GetAnnotations()
			a["crossplane.io/paused"] = v
			r.SetAnnotations(a)
		})
	}
	pause("true")
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Reason: xpv2.ReasonReconcilePaused})
	s.remove(mac)
	s.awaitSnapshots(3)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea holds %+v", got)
	}
	pause("false")
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.50")
}

// TestExternalName: "external name: the hardware address, lower case with
// colons", whatever the user has written; one that means another device is
// refused, and keeps nobody from deleting the resource.
func TestExternalName(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	const annotation = "crossplane.io/external-name"
	r := s.reservation("vm01", params{HWAddress: "00-02-12-AB-CD-EF", IPAddress: "10.123.0.50"})
	r.Annotations = map[string]string{annotation: "00:02:12:AB:cd:EF"}
	s.created(r)
	equal(t, "external name", r.Annotations[annotation], "00:02:12:ab:cd:ef")

	for i, name := range []string{other, "vm02"} {
		wrong := s.static("wrong", "10.123.0.51")
		wrong.Annotations = map[string]string{annotation: name}
		s.create(wrong)
		s.await(wrong, notSynced("cannot use the external name \""+name+"\": it must be the hardware address "+mac))
		if got := s.held(mac); got != nil {
			t.Errorf("Kea holds %+v", got)
		}
		if i == 0 {
			s.delete(wrong)
			s.awaitGone(wrong)
			continue
		}
		edit(s, wrong, func(r *v1alpha1.KeaReservation) { r.SetAnnotations(map[string]string{annotation: mac}) })
		s.await(wrong, isReady, isSynced)
		// Broken afterwards, it can still be deleted, and so can the reservation.
		edit(s, wrong, func(r *v1alpha1.KeaReservation) { r.SetAnnotations(map[string]string{annotation: "vm02"}) })
		s.await(wrong, notSynced("cannot use the external name"))
		s.delete(wrong)
		s.awaitGone(wrong)
		s.awaitNotHeld(mac)
	}
}
