// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestAwaitingLease: "left out, no active lease: nothing in Kea; Synced=True,
// Ready=False reason AwaitingLease, no error, no backoff growth; picked up from
// the next snapshot".
func TestAwaitingLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.awaitUsable()
	r := s.reservation("vm01", params{HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, "10.123.0.0/24")...)
	s.checkQuiet(r)
	if got := s.warnings("vm01"); len(got) != 0 {
		t.Errorf("there are warnings: %v", got)
	}
	equal(t, "what was written to Kea", s.writes(), 0)
	// Whoever waits costs a lookup of the lease, and nobody else's.
	s.lease(mac, "10.123.0.150")
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.150")
	if got := s.warnings("vm01"); len(got) != 0 {
		t.Errorf("there are warnings: %v", got)
	}
}

// TestAwaitingLeaseExternalName: the same for a resource that comes with its
// external name, as a NetworkConfiguration's do: the first reconcile must do.
func TestAwaitingLeaseExternalName(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.awaitUsable()
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Annotations = map[string]string{"crossplane.io/external-name": mac}
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
}

// TestLeaseIsThere: "a device that already has its lease is pinned at once": the
// resource asks for a fresher look than there is.
func TestLeaseIsThere(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	s.awaitUsable()
	s.lease(mac, "10.123.0.150") // after the first snapshot
	waits := losses(s, &v1alpha1.KeaReservationList{}, func(r *v1alpha1.KeaReservation) error {
		if r.GetCondition(xpv2.TypeReady).Reason == v1alpha1.ReasonAwaitingLease {
			return errors.New("it waits for a heartbeat")
		}
		return nil
	})
	r := s.created(s.reservation("vm01", params{HWAddress: mac}))
	for _, found := range waits() {
		t.Error(found)
	}
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.150")
	s.awaitHeld(mac, "10.123.0.150")
}

// TestLeaseComes: "picked up", by a heartbeat, well before the next snapshot.
func TestLeaseComes(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, byHeartbeat)
	r := s.reservation("vm01", params{HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	s.lease(mac, "10.123.0.150")
	s.await(r, isReady, isSynced)
}

// TestSubnetNotFound: "the subnet is not in Kea: Ready=False, message names the
// prefix and the subnets that are there". It heals when Kea gets the subnet.
func TestSubnetNotFound(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{Subnets: []testenv.Subnet{
		testenv.DefaultSubnet(), {ID: 3, Prefix: "10.125.0.0/24", SharedNetwork: "campus"},
	}})
	r := s.reservation("vm01", params{Subnet: "10.124.0.0/24", HWAddress: mac, IPAddress: "10.124.0.50"})
	s.create(r)
	for _, part := range []string{"10.124.0.0/24", "10.123.0.0/24", "10.125.0.0/24"} {
		s.await(r, notReady(v1alpha1.ReasonSubnetNotFound, part)...)
	}
	s.checkQuiet(r)
	equal(t, "what was written to Kea", s.writes(), 0)
	s.command("subnet4-add", map[string]any{"subnet4": []any{map[string]any{"id": 1000, "subnet": "10.124.0.0/24"}}})
	s.await(r, isReady, isSynced)
	equal(t, "atProvider.subnetId", *r.Status.AtProvider.SubnetID, 1000)

	// And the other way round: a resource whose subnet has gone can be deleted.
	// It is taken for removed only after a minute: Kea may be about to get its configuration.
	s.command("subnet4-del", map[string]any{"id": 1000})
	s.patience = 3 * time.Minute
	s.await(r, notReady(v1alpha1.ReasonSubnetNotFound, "10.124.0.0/24")...)
	s.delete(r)
	s.awaitGone(r)
}

// TestQuiet: "a quiet fleet reconciles nothing".
func TestQuiet(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.lease("00:02:12:00:00:03", "10.123.0.150")
	s.put(byHand("10.123.0.60"))
	fleet := []*v1alpha1.KeaReservation{
		s.reservation("static", params{HWAddress: other, IPAddress: "10.123.0.51", Hostname: new("vm02")}),
		s.reservation("leased", params{HWAddress: "00:02:12:00:00:03"}),
		s.reservation("adopted", params{HWAddress: mac}),
	}
	for _, r := range fleet {
		s.created(r)
	}
	s.checkQuiet(fleet...)
	// A renewed lease is no news either.
	s.command("lease4-update", map[string]any{"ip-address": "10.123.0.150", "hw-address": "00:02:12:00:00:03", "subnet-id": 1, "valid-lft": 7200})
	s.checkQuiet(fleet...)
}

// TestLeaseConfirmed: "True, False (with the address it has), Unknown (no
// lease)".
func TestLeaseConfirmed(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, isReady, is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionUnknown, Reason: v1alpha1.ReasonNoActiveLease})
	s.lease(mac, "10.123.0.150")
	s.await(r, isReady, is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonOtherLease, Message: "10.123.0.150"})
	equal(t, "atProvider.lease.ipAddress", r.Status.AtProvider.Lease.IPAddress, "10.123.0.150")
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.50")
	s.command("lease4-del", map[string]any{"ip-address": "10.123.0.150"})
	s.lease(mac, "10.123.0.50")
	s.await(r, isReady, is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionTrue, Reason: v1alpha1.ReasonLeaseMatches})
	s.command("lease4-del", map[string]any{"ip-address": "10.123.0.50"})
	s.await(r, isReady, is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionUnknown, Reason: v1alpha1.ReasonNoActiveLease})
}
