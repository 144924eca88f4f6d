// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// report puts what was observed into the status of a KeaReservation.
func report(mg *v1alpha1.KeaReservation, o group.Observation, now time.Time) {
	mg.Status.AtProvider = atProvider(mg, o, now)
	conditions := []xpv2.Condition{leaseConfirmed(o), replicated(mg, o)}
	if c, ok := ready(mg, o); ok {
		conditions = append(conditions, c)
	}
	for i := range conditions {
		conditions[i] = conditions[i].WithObservedGeneration(mg.GetGeneration())
	}
	mg.SetConditions(conditions...)
}

// atProvider tells what Kea holds.
func atProvider(mg *v1alpha1.KeaReservation, o group.Observation, now time.Time) v1alpha1.KeaReservationObservation {
	out := v1alpha1.KeaReservationObservation{
		SubnetID: subnetID(o.Subnet.ID),
		Lease:    leaseOf(mg.Status.AtProvider.Lease, o.Lease, now),
	}
	if o.Subnet.Prefix.IsValid() {
		out.Subnet = o.Subnet.Prefix.String()
	}
	if o.State != group.OwnedByAnother || observeOnly(mg) {
		out.Hostname = o.Held.Hostname
		if o.Held.IPAddress.IsValid() {
			out.IPAddress = o.Held.IPAddress.String()
		}
	}
	out.Gateway, out.DNSServers = given(mg.Status.AtProvider, o)
	for _, s := range o.Servers {
		out.Servers = append(out.Servers, v1alpha1.ServerObservation{
			Name: s.Name, SubnetID: subnetID(s.SubnetID), State: serverState(s), Message: s.Message,
		})
	}
	return out
}

// given tells what the subnet gives the device. What cannot be read now is as it
// was.
func given(last v1alpha1.KeaReservationObservation, o group.Observation) (gateway string, dnsServers []string) {
	d := o.Detail
	if d == nil && o.Subnet.ID != 0 {
		return last.Gateway, last.DNSServers
	}
	if d == nil {
		return "", nil
	}
	if len(d.Routers) > 0 {
		gateway = d.Routers[0].String()
	}
	for _, a := range d.DNSServers {
		dnsServers = append(dnsServers, a.String())
	}
	return gateway, dnsServers
}

func subnetID(id uint32) *int64 {
	if id == 0 {
		return nil
	}
	v := int64(id)
	return &v
}

// leaseOf tells the device's lease. A renewal is told only when the time told
// before has passed: a fleet that renews its leases writes no status for it.
func leaseOf(before *v1alpha1.Lease, l *kea.Lease, now time.Time) *v1alpha1.Lease {
	if l == nil {
		return nil
	}
	out := &v1alpha1.Lease{IPAddress: l.IPAddress.String()}
	ends, finite := l.Expires()
	if !finite {
		return out
	}
	if before != nil && before.IPAddress == out.IPAddress && before.Expires != nil && before.Expires.After(now) && !before.Expires.After(ends) {
		out.Expires = before.Expires
		return out
	}
	out.Expires = &metav1.Time{Time: ends}
	return out
}

func serverState(s group.ServerObservation) v1alpha1.ServerState {
	switch s.State {
	case group.Reserved:
		return v1alpha1.ServerStateReserved
	case group.Unknown:
		return v1alpha1.ServerStateUnknown
	case group.Pending, group.AwaitingLease:
		if s.Exists {
			return v1alpha1.ServerStateOutOfDate
		}
		return v1alpha1.ServerStateAbsent
	case group.SubnetNotFound, group.AddressConflict, group.AddressNotInSubnet, group.OwnedByAnother, group.HookMissing:
		return v1alpha1.ServerStateBlocked
	default:
		return v1alpha1.ServerStateUnknown
	}
}

// blocked tells the reason and the remedy of the states that keep a reservation
// from being made.
var blocked = map[group.State]struct {
	reason xpv2.ConditionReason
	remedy string
}{
	group.AwaitingLease: {v1alpha1.ReasonAwaitingLease, "its address is reserved as soon as it has one; set spec.forProvider.ipAddress to reserve an address before"},
	group.HookMissing:   {v1alpha1.ReasonHookMissing, ""},
	group.SubnetNotFound: {v1alpha1.ReasonSubnetNotFound,
		"add the subnet to Kea, or make a KeaReservation in a subnet that is there"},
	group.AddressNotInSubnet: {v1alpha1.ReasonAddressNotInSubnet, "set spec.forProvider.ipAddress to a host address of the subnet"},
	group.AddressConflict:    {v1alpha1.ReasonAddressConflict, "choose another spec.forProvider.ipAddress, or remove that reservation"},
	group.OwnedByAnother: {v1alpha1.ReasonOwnedByAnother,
		"delete that resource first, or take the reservation over with the annotation " + v1alpha1.AnnotationKeyAdopt + `: "true", which it must not have itself`},
}

// ready tells whether the address is reserved; false where a write that is about
// to be made will tell.
func ready(mg *v1alpha1.KeaReservation, o group.Observation) (xpv2.Condition, bool) {
	available := xpv2.Available()
	available.Reason = v1alpha1.ReasonReserved
	if observeOnly(mg) && o.Held.IPAddress.IsValid() {
		return available, true
	}
	if b, ok := blocked[o.State]; ok {
		c := xpv2.Unavailable()
		c.Reason = b.reason
		return c.WithMessage(strings.TrimSuffix(o.Message+": "+b.remedy, ": ")), true
	}
	switch {
	case o.State == group.Reserved:
		return available, true
	case o.Held.IPAddress.IsValid() && wants(mg, o.Held.IPAddress):
		// What differs is not the address: that is pinned.
		return available.WithMessage("Kea differs in: " + o.Diff), true
	case !o.Exists && may(mg, xpv2.ManagementActionCreate):
		return xpv2.Condition{}, false
	default:
		return xpv2.Unavailable().WithMessage("Kea differs in: " + o.Diff), true
	}
}

// wants tells whether an address is the one asked for, or none is.
func wants(mg *v1alpha1.KeaReservation, a netip.Addr) bool {
	return mg.Spec.ForProvider.IPAddress == "" || mg.Spec.ForProvider.IPAddress == a.String()
}

// leaseConfirmed tells whether the device has the address that is reserved.
func leaseConfirmed(o group.Observation) xpv2.Condition {
	c := xpv2.Condition{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionUnknown, LastTransitionTime: metav1.Now()}
	switch {
	case !o.LeasesKnown:
		c.Reason = v1alpha1.ReasonLeasesUnknown
		return c.WithMessage("Kea does not load libdhcp_lease_cmds.so, so leases cannot be looked up")
	case o.Lease == nil:
		c.Reason = v1alpha1.ReasonNoActiveLease
		return c.WithMessage("the device has no active lease in the subnet")
	case o.Lease.IPAddress == o.Held.IPAddress:
		c.Status, c.Reason = corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches
		return c
	default:
		c.Status, c.Reason = corev1.ConditionFalse, v1alpha1.ReasonOtherLease
		return c.WithMessage(fmt.Sprintf("the device has %s; it gets the reserved address when it next asks for a lease", o.Lease.IPAddress))
	}
}

// replicated tells whether every server holds the reservation: as wanted, or at
// all where it is only looked at.
func replicated(mg *v1alpha1.KeaReservation, o group.Observation) xpv2.Condition {
	c := xpv2.Condition{Type: v1alpha1.TypeReplicated, Status: corev1.ConditionTrue, LastTransitionTime: metav1.Now(), Reason: v1alpha1.ReasonOnEveryServer}
	if _, waits := blocked[o.State]; waits && !observeOnly(mg) {
		c.Status, c.Reason = corev1.ConditionUnknown, v1alpha1.ReasonNotReserved
		return c.WithMessage("nothing is to be held before the reservation is made")
	}
	var missing []string
	for _, s := range o.Servers {
		if s.State != group.Reserved && (!s.Exists || !observeOnly(mg)) {
			missing = append(missing, s.Name)
		}
	}
	if len(missing) == 0 {
		return c
	}
	c.Status, c.Reason = corev1.ConditionFalse, v1alpha1.ReasonServersMissing
	return c.WithMessage("not held as wanted by " + strings.Join(missing, ", "))
}
