// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// Reasons of LeaseConfirmed where the device does not get its address by asking again.
const (
	reasonTwoLeases       = "TwoLeases"
	reasonAddressInUse    = "AddressInUse"
	reasonAddressDeclined = "AddressDeclined"
)

// Client-ids of one machine: its firmware's, and its operating system's.
const (
	firmware        = "01:00:02:12:34:56:78"
	operatingSystem = "ff:12:34:56:78:00:01:00:01"
)

// confirmed is LeaseConfirmed with a status, a reason and a part of the message.
func confirmed(status corev1.ConditionStatus, reason xpv2.ConditionReason, message string) is {
	return is{Type: v1alpha1.TypeLeaseConfirmed, Status: status, Reason: reason, Message: message}
}

// awaitConfirmed waits until a Ready reservation has LeaseConfirmed with all these parts.
func (s *site) awaitConfirmed(r *v1alpha1.KeaReservation, status corev1.ConditionStatus, reason xpv2.ConditionReason, parts ...string) {
	s.t.Helper()
	for _, part := range parts {
		s.await(r, isReady, isSynced, confirmed(status, reason, part))
	}
}

// TestLeaseOfTwoClientIDs: with match-client-id true, Kea's default, firmware and operating system
// of one machine are two clients, and only one of them can have the reserved address. Both leases
// are named, and the remedy.
func TestLeaseOfTwoClientIDs(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.leaseOf(mac, "10.123.0.50", object{"client-id": firmware})
	s.awaitConfirmed(r, corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, "")
	s.leaseOf(mac, "10.123.0.150", object{"client-id": operatingSystem})
	s.awaitConfirmed(r, corev1.ConditionFalse, reasonTwoLeases, "10.123.0.50", "10.123.0.150", "match-client-id: false")
	s.checkQuiet(r)
	// The firmware's lease ends: the system still has the other address.
	s.command("lease4-del", object{"ip-address": "10.123.0.50"})
	s.awaitConfirmed(r, corev1.ConditionFalse, v1alpha1.ReasonOtherLease, "10.123.0.150")
	s.command("lease4-del", object{"ip-address": "10.123.0.150"})
	s.leaseOf(mac, "10.123.0.50", object{"client-id": operatingSystem})
	s.awaitConfirmed(r, corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, "")
	s.checkQuiet(r)
}

// TestLeaseOfAnotherDevice: the reserved address is leased to another device: ours cannot get it
// until that one returns it, and the condition does not say that it gets it when it next asks.
func TestLeaseOfAnotherDevice(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.lease(other, "10.123.0.150")
	r := s.created(s.static("vm01", "10.123.0.150"))
	s.awaitConfirmed(r, corev1.ConditionUnknown, reasonAddressInUse, other)
	s.lease(mac, "10.123.0.151")
	s.awaitConfirmed(r, corev1.ConditionFalse, reasonAddressInUse, other, "10.123.0.151")
	if m := r.GetCondition(v1alpha1.TypeLeaseConfirmed).Message; strings.Contains(m, "when it next asks") {
		t.Errorf("LeaseConfirmed says %q", m)
	}
	s.checkQuiet(r)
	s.command("lease4-del", object{"ip-address": "10.123.0.150"})
	s.awaitConfirmed(r, corev1.ConditionFalse, v1alpha1.ReasonOtherLease, "10.123.0.151")
	// One that comes later is seen too.
	s.lease(other, "10.123.0.150")
	s.awaitConfirmed(r, corev1.ConditionFalse, reasonAddressInUse, other)
	s.command("lease4-del", object{"ip-address": "10.123.0.150"})
	s.command("lease4-del", object{"ip-address": "10.123.0.151"})
	s.lease(mac, "10.123.0.150")
	s.awaitConfirmed(r, corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, "")
}

// TestLeaseOfAnotherExpired: a lease of another device that has ended is no obstacle.
func TestLeaseOfAnotherExpired(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{
		Extra: object{"expired-leases-processing": object{"reclaim-timer-wait-time": 0}}, // Kea leaves it alone
	})
	s.leaseOf(other, "10.123.0.150", object{"expire": 1_600_000_000})
	r := s.created(s.static("vm01", "10.123.0.150"))
	s.checkQuiet(r)
	s.awaitConfirmed(r, corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "")
}

// TestLeaseDeclined: a device has found the reserved address in use and declined it: Kea offers it
// to no device for a day.
func TestLeaseDeclined(t *testing.T) {
	t.Parallel()
	for name, hw := range map[string]string{"Kea keeps no hardware address": "", "of the device itself": mac} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			r := s.created(s.static("vm01", "10.123.0.150"))
			s.leaseOf(hw, "10.123.0.150", object{"state": 1})
			s.awaitConfirmed(r, corev1.ConditionUnknown, reasonAddressDeclined, "10.123.0.150")
			s.lease(mac, "10.123.0.151")
			s.awaitConfirmed(r, corev1.ConditionFalse, reasonAddressDeclined, "10.123.0.151")
			s.checkQuiet(r)
			s.command("lease4-del", object{"ip-address": "10.123.0.150"})
			s.awaitConfirmed(r, corev1.ConditionFalse, v1alpha1.ReasonOtherLease, "10.123.0.151")
		})
	}
}

// TestLeaseOutsideItsSubnet: after subnet-ids were given to other prefixes, a lease may lie outside
// the prefix that its subnet-id has now: Kea keeps it and warns. It is no lease in that subnet.
func TestLeaseOutsideItsSubnet(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{PersistLeases: true})
	s.lease(mac, "10.123.0.150")
	s.kea.Stop()
	s.rewrite(func(config string) string { return strings.ReplaceAll(config, "10.123.0.", "10.124.0.") })
	s.kea.Start(t)
	leases := string(s.mustAsk("lease4-get-by-hw-address", object{"hw-address": mac}))
	contains(t, "the lease, without which this test shows nothing,", leases, "10.123.0.150", `"subnet-id": 1`)
	r := s.reservation("vm01", params{Subnet: "10.124.0.0/24", HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	s.checkQuiet(r)
	equal(t, "what was written", s.writes(), 0)
	s.lease(mac, "10.124.0.150")
	s.await(r, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.124.0.150")
}
