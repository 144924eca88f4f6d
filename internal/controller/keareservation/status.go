// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"slices"
	"strings"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// moment is when an observation is made.
type moment bool

// An observation is made before a write, if one is needed, and after it.
const (
	beforeWrite moment = false
	afterWrite  moment = true
)

// setStatus puts what was observed into the status of a KeaReservation.
func setStatus(mg *v1alpha1.KeaReservation, o group.Observation, now time.Time, m moment) {
	mg.Status.AtProvider = atProvider(mg, o, now)
	conditions := []xpv2.Condition{leaseConfirmed(o), replicated(mg, o)}
	if c, ok := ready(mg, o, m); ok {
		conditions = append(conditions, c)
	} else if !allowedBefore(mg) {
		// What follows is a create, and the finalizer before it.
		conditions = append(conditions, xpv2.Creating())
	}
	for i := range conditions {
		conditions[i] = conditions[i].WithObservedGeneration(mg.GetGeneration())
	}
	mg.SetConditions(conditions...)
}

// keepTransitions has conditions that are again as they were before the reconcile keep the time of
// their last transition: what Kea has lost and got back is no change of the status.
func keepTransitions(mg *v1alpha1.KeaReservation, before []xpv2.Condition) {
	for i, now := range mg.Status.Conditions {
		for _, was := range before {
			if was.Type == now.Type && was.Equal(now) {
				mg.Status.Conditions[i] = was
			}
		}
	}
}

// allowedBefore reports whether the resource was allowed what it wants when it was last observed.
func allowedBefore(mg *v1alpha1.KeaReservation) bool {
	return mg.GetCondition(xpv2.TypeReady).Reason != v1alpha1.ReasonNotAllowed
}

// atProvider returns what Kea holds, field by field as Kea returns it. Of what is no longer allowed
// that stays which says that something is in Kea.
func atProvider(mg *v1alpha1.KeaReservation, o group.Observation, now time.Time) v1alpha1.KeaReservationObservation {
	if last := mg.Status.AtProvider; o.State == reservation.NotAllowed {
		if last.IPAddress == "" && last.HWAddress == "" {
			return v1alpha1.KeaReservationObservation{}
		}
		return v1alpha1.KeaReservationObservation{SubnetID: last.SubnetID, Subnet: last.Subnet, HWAddress: last.HWAddress, IPAddress: last.IPAddress}
	}
	out := v1alpha1.KeaReservationObservation{
		SubnetID: subnetID(firstSubnetID(o.Servers)),
		Lease:    leaseOf(mg.Status.AtProvider.Lease, o.Lease, now),
	}
	if o.Subnet.Prefix.IsValid() {
		out.Subnet = o.Subnet.Prefix.String()
	}
	switch {
	case o.Held != nil && (!reservation.InfoOf(o.State).Foreign || observeOnly(mg)):
		setHeld(&out, o.Held)
	case o.Held == nil && o.State == reservation.Pending:
		// Kea has lost it, and it is about to be restored.
		keepHeld(&out, mg.Status.AtProvider)
	}
	out.Gateway, out.DNSServers = subnetOptions(mg.Status.AtProvider, o)
	for _, s := range o.Servers {
		out.Servers = append(out.Servers, v1alpha1.ServerObservation{
			Name: s.Name, SubnetID: subnetID(s.SubnetID), State: serverState(s), Message: bounded(s.Message),
		})
	}
	return out
}

// lastSeen returns how the servers stand, with what the status says of those of which nothing is known
// since the provider has started: a server that was down then, and had the reservation as it is wanted
// now, most likely still has. It is read when it returns.
func lastSeen(mg *v1alpha1.KeaReservation, servers []reservation.ServerPlan) []reservation.ServerPlan {
	if mg.GetCondition(xpv2.TypeReady).ObservedGeneration != mg.GetGeneration() {
		return servers
	}
	out := slices.Clone(servers)
	for i, s := range out {
		for _, last := range mg.Status.AtProvider.Servers {
			if s.State == reservation.Unknown && last.Name == s.Name && last.State == v1alpha1.ServerStateReserved && last.SubnetID != nil {
				out[i] = reservation.ServerPlan{
					Name: s.Name, State: reservation.Reserved, Exists: true, Away: true,
					SubnetID: uint32(*last.SubnetID), //nolint:gosec // It was written by this provider, from a uint32.
				}
			}
		}
	}
	return out
}

// setHeld sets the fields of a reservation.
func setHeld(out *v1alpha1.KeaReservationObservation, r *kea.Reservation) {
	out.HWAddress = printable(string(r.HWAddress))
	if r.IPAddress.IsValid() {
		out.IPAddress = r.IPAddress.String()
	}
	out.Hostname, out.NextServer = printable(r.Hostname), printable(r.NextServer)
	out.ServerHostname, out.BootFileName = printable(r.ServerHostname), printable(r.BootFileName)
	out.ClientClasses = allPrintable(r.ClientClasses)
	for _, o := range r.OptionData {
		code := int32(o.Code)
		out.OptionData = append(out.OptionData, v1alpha1.OptionObservation{
			Name: printable(o.Name), Code: &code, Space: printable(o.Space), Data: printable(o.Data),
			AlwaysSend: o.AlwaysSend, NeverSend: o.NeverSend, CSVFormat: o.CSVFormat, ClientClasses: allPrintable(o.ClientClasses),
		})
	}
}

// keepHeld sets the fields of a reservation as they were.
func keepHeld(out *v1alpha1.KeaReservationObservation, last v1alpha1.KeaReservationObservation) {
	out.HWAddress, out.IPAddress, out.Hostname, out.NextServer = last.HWAddress, last.IPAddress, last.Hostname, last.NextServer
	out.ServerHostname, out.BootFileName = last.ServerHostname, last.BootFileName
	out.ClientClasses, out.OptionData = last.ClientClasses, last.OptionData
}

// replacement stands for bytes that are not UTF-8.
const replacement = "\uFFFD"

// printable returns text from Kea, which may be any bytes, as text that the Kubernetes API takes.
func printable(s string) string { return strings.ToValidUTF8(s, replacement) }

// bounded returns a message that may have text from Kea in it as one line of a bounded length.
func bounded(s string) string { return kea.Printable(s, kea.MaxMessage) }

func allPrintable(in []string) []string {
	if len(in) == 0 {
		return nil
	}
	out := make([]string, 0, len(in))
	for _, s := range in {
		out = append(out, printable(s))
	}
	return out
}

// subnetOptions returns what the subnet gives the device. What cannot be read now is as it was.
func subnetOptions(last v1alpha1.KeaReservationObservation, o group.Observation) (gateway string, dnsServers []string) {
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

// firstSubnetID returns the subnet's id on the first server that has it, also where only the status says
// so (see lastSeen); 0 if none has.
func firstSubnetID(servers []reservation.ServerPlan) uint32 {
	for _, s := range servers {
		if s.SubnetID != 0 {
			return s.SubnetID
		}
	}
	return 0
}

func subnetID(id uint32) *int64 {
	if id == 0 {
		return nil
	}
	v := int64(id)
	return &v
}

// leaseOf returns the device's lease. A renewal is reported only when the end reported before has
// passed: a fleet that renews its leases causes no status writes.
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

func serverState(s reservation.ServerPlan) v1alpha1.ServerState {
	if state := reservation.InfoOf(s.State).Server; state != "" {
		return v1alpha1.ServerState(state)
	}
	if s.Exists {
		return v1alpha1.ServerStateOutOfDate
	}
	return v1alpha1.ServerStateAbsent
}
