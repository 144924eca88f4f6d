// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"fmt"
	"net/netip"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// ready returns whether the address is reserved, and Kea honors that; false before a write that
// will show.
func ready(mg *v1alpha1.KeaReservation, o group.Observation, m moment) (xpv2.Condition, bool) {
	info := reservation.InfoOf(o.State)
	switch {
	case observeOnly(mg) && o.Held != nil && o.Held.IPAddress.IsValid():
		return observed(o), true
	case o.State == reservation.Reserved:
		return reserved(o.Message), true
	case info.Reason != "":
		return unavailable(info.Reason, joinNonEmpty(": ", o.Message, info.Remedy)), true
	case o.Ignored != "":
		return unavailable(string(v1alpha1.ReasonIgnoredByKea), o.Ignored), true
	case o.Held != nil && o.Held.IPAddress.IsValid() && acceptsAddress(mg, o.Held.IPAddress):
		// What differs is not the address: that is pinned.
		return reserved(differs(o)), true
	case m == beforeWrite && mayCreate(mg, o):
		return xpv2.Condition{}, false
	default:
		return xpv2.Unavailable().WithMessage(bounded(differs(o))), true
	}
}

// mayCreate reports whether there is nothing in Kea yet, and the management policies let it be made.
func mayCreate(mg *v1alpha1.KeaReservation, o group.Observation) bool {
	return !o.Exists && allows(mg, xpv2.ManagementActionCreate)
}

// observed is the Ready condition of a reservation that is only observed. It says how Kea differs
// from the spec: what a change of the management policies would do.
func observed(o group.Observation) xpv2.Condition {
	if o.Ignored != "" {
		return unavailable(string(v1alpha1.ReasonIgnoredByKea), o.Ignored)
	}
	if o.FieldDifference() == "" {
		return reserved("")
	}
	return reserved(differs(o))
}

func differs(o group.Observation) string {
	if d := o.Difference(); d != "" {
		return "Kea differs: " + d
	}
	return "Kea does not hold it yet"
}

func reserved(message string) xpv2.Condition {
	c := xpv2.Available()
	c.Reason = v1alpha1.ReasonReserved
	return c.WithMessage(bounded(message))
}

func unavailable(reason, message string) xpv2.Condition {
	c := xpv2.Unavailable()
	c.Reason = xpv2.ConditionReason(reason)
	return c.WithMessage(bounded(message))
}

func joinNonEmpty(separator string, parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, separator)
}

// acceptsAddress reports whether an address is the one asked for, or none is.
func acceptsAddress(mg *v1alpha1.KeaReservation, a netip.Addr) bool {
	return mg.Spec.ForProvider.IPAddress == "" || mg.Spec.ForProvider.IPAddress == a.String()
}

// leaseConfirmed returns whether the device has the address that is reserved.
func leaseConfirmed(o group.Observation) xpv2.Condition {
	condition := func(status corev1.ConditionStatus, reason xpv2.ConditionReason, message string) xpv2.Condition {
		return xpv2.Condition{Type: v1alpha1.TypeLeaseConfirmed, Status: status, Reason: reason, LastTransitionTime: metav1.Now()}.WithMessage(bounded(message))
	}
	other := otherLease(o)
	switch {
	case o.State == reservation.NotAllowed:
		return condition(corev1.ConditionUnknown, v1alpha1.ReasonLeasesUnknown, "")
	case !o.LeasesKnown:
		return condition(corev1.ConditionUnknown, v1alpha1.ReasonLeasesUnknown, "Kea does not load libdhcp_lease_cmds.so, so leases cannot be looked up")
	case o.Lease == nil && o.Occupant != nil:
		return condition(corev1.ConditionUnknown, occupantReason(o), reservation.Occupied(*o.Occupant))
	case o.Lease == nil:
		return condition(corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "the device has no active lease in the subnet")
	case other != nil && other.ClientID != o.Lease.ClientID:
		// In an order that renewals do not change.
		first, second := *o.Lease, *other
		if second.IPAddress.Less(first.IPAddress) {
			first, second = second, first
		}
		return condition(corev1.ConditionFalse, v1alpha1.ReasonTwoLeases, fmt.Sprintf("the device has two active leases: %s and %s: "+
			"its firmware and its operating system send different client-ids; set match-client-id: false for the subnet in Kea", leaseText(first), leaseText(second)))
	case o.Held != nil && o.Lease.IPAddress == o.Held.IPAddress && other == nil:
		return condition(corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, "")
	case o.Occupant != nil:
		return condition(corev1.ConditionFalse, occupantReason(o), fmt.Sprintf("the device has %s; %s", o.Lease.IPAddress, reservation.Occupied(*o.Occupant)))
	default:
		return condition(corev1.ConditionFalse, v1alpha1.ReasonOtherLease, otherAddress(o))
	}
}

// otherAddress says which address the device has instead of the reserved one, and until when.
func otherAddress(o group.Observation) string {
	text := fmt.Sprintf("the device has %s", o.Lease.IPAddress)
	if other := notReserved(o); other != nil {
		text = fmt.Sprintf("the device has %s", other.IPAddress)
		if len(o.Servers) > 1 {
			text += " on server " + other.Server
		}
	}
	switch {
	case o.Ignored != "":
		return text + "; " + o.Ignored
	case o.State == reservation.Reserved:
		return text + "; it gets the reserved address when it next asks for a lease"
	default:
		return text
	}
}

// notReserved returns an active lease of the device that is not the reserved address; nil if there is
// none.
func notReserved(o group.Observation) *reservation.ServerLease {
	for i, l := range o.Leases {
		if o.Held == nil || l.IPAddress != o.Held.IPAddress {
			return &o.Leases[i]
		}
	}
	return nil
}

// otherLease returns an active lease of the device with another address than its newest one; nil if
// there is none.
func otherLease(o group.Observation) *kea.Lease {
	for i, l := range o.Leases {
		if o.Lease != nil && l.IPAddress != o.Lease.IPAddress {
			return &o.Leases[i].Lease
		}
	}
	return nil
}

func occupantReason(o group.Observation) xpv2.ConditionReason {
	if o.Occupant.State == kea.LeaseStateDeclined {
		return v1alpha1.ReasonAddressDeclined
	}
	return v1alpha1.ReasonAddressInUse
}

func leaseText(l kea.Lease) string {
	if l.ClientID == "" {
		return fmt.Sprintf("%s without client-id", l.IPAddress)
	}
	return fmt.Sprintf("%s under client-id %s", l.IPAddress, l.ClientID)
}

// replicated returns whether every server holds the reservation: as wanted, or at all where it is
// only observed.
func replicated(mg *v1alpha1.KeaReservation, o group.Observation) xpv2.Condition {
	c := xpv2.Condition{Type: v1alpha1.TypeReplicated, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(), Reason: v1alpha1.ReasonOnEveryServer}
	if reservation.InfoOf(o.State).Blocked && !observeOnly(mg) {
		c.Status, c.Reason = corev1.ConditionUnknown, v1alpha1.ReasonNotReserved
		return c.WithMessage("there is nothing to replicate before the reservation is made")
	}
	var missing []string
	for _, s := range o.Servers {
		if reservation.InfoOf(s.State).Held || (s.Exists && observeOnly(mg)) || (s.State == reservation.SubnetNotFound && o.Subnet.ID != 0) {
			continue // Servers of a hub-and-spoke setup may lack a subnet that others have.
		}
		missing = append(missing, joinNonEmpty(": ", s.Name, s.Message))
	}
	if len(missing) == 0 {
		return c
	}
	c.Status, c.Reason = corev1.ConditionFalse, v1alpha1.ReasonServersMissing
	return c.WithMessage(bounded("not held as wanted by " + strings.Join(missing, "; ")))
}
