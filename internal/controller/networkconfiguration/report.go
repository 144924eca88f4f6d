// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A deviceReport is what the status says about one device.
type deviceReport struct {
	// address that Kea has reserved for it; empty if that is not certain.
	address string

	// keep means that the address that was last reported may still be right: the
	// problem says nothing about it.
	keep bool

	// subnet is that of the KeaReservation that the report is about, if it is not the
	// wanted one: the device has not moved yet.
	subnet string

	// gateway and nameservers of the subnet, if Kea has them.
	gateway     string
	nameservers []string

	// invalid says why the interface's hardware address cannot be used. The other
	// interfaces do not depend on it.
	invalid string

	// waiting says what the device waits for, if anything.
	waiting string
}

// deviceReports returns a report for each interface, in their order. failed has
// what could not be done for a device.
func deviceReports(s *situation, p plan, failed map[kea.HWAddress]error) []deviceReport {
	devices := devicesOf(s.nc)
	out := make([]deviceReport, len(devices))
	for i, d := range devices {
		switch {
		case d.err != nil:
			out[i] = deviceReport{invalid: d.err.Error()}
		case d.mac == "":
			out[i] = deviceReport{waiting: "it has no macAddress yet"}
		default:
			out[i] = macReport(s, p, d.mac, failed[d.mac])
		}
	}
	return out
}

func macReport(s *situation, p plan, mac kea.HWAddress, failed error) deviceReport {
	here, old := ownReservations(s, p.claim.place, mac)
	r := placeReport(p, here, mac, failed)
	if r.address != "" || old == nil {
		return r
	}
	// Until the device has an address in its new place, it has the one of the old
	// place.
	before := reservationReport(old, mac)
	r.address, r.keep, r.subnet = before.address, before.keep, old.Spec.ForProvider.Subnet
	r.gateway, r.nameservers = old.Status.AtProvider.Gateway, old.Status.AtProvider.DNSServers
	return r
}

// placeReport returns a report of a device in its place, where it has a
// KeaReservation or nil.
func placeReport(p plan, here *v1alpha1.KeaReservation, mac kea.HWAddress, failed error) deviceReport {
	if h, ok := p.blocked[mac]; ok {
		return deviceReport{waiting: h.message}
	}
	for _, whys := range []map[kea.HWAddress]string{p.recreating, p.stuck} {
		if why, ok := whys[mac]; ok {
			return deviceReport{waiting: why}
		}
	}
	if here == nil {
		r := deviceReport{keep: true, waiting: beingMade(mac)}
		if failed != nil {
			r.waiting = failed.Error()
		}
		return r
	}
	r := reservationReport(here, mac)
	r.gateway, r.nameservers = here.Status.AtProvider.Gateway, here.Status.AtProvider.DNSServers
	return r
}

// ownReservations returns the KeaReservation that a NetworkConfiguration controls
// for a device in its place, and one in another place that holds the address; nil
// for one that is not there. Each place will do while the wanted one is not known.
func ownReservations(s *situation, at *place, mac kea.HWAddress) (here, old *v1alpha1.KeaReservation) {
	own := slices.DeleteFunc(slices.Clone(s.owned), func(r *v1alpha1.KeaReservation) bool { return hwAddressOf(r) != mac })
	byPrecedence(own)
	for _, r := range own {
		switch {
		case at == nil || inPlace(r, at):
			if here == nil {
				here = r
			}
		case old == nil && holds(r):
			old = r
		}
	}
	return here, old
}

// notReserved are the reasons for which Kea has no address reserved for the
// device here.
var notReserved = []xpv2.ConditionReason{
	v1alpha1.ReasonAwaitingLease,
	v1alpha1.ReasonAddressConflict,
	v1alpha1.ReasonOwnedByAnother,
	v1alpha1.ReasonAddressNotInSubnet,
}

// reservedNotReady are the reasons for which Kea has a reservation that it
// honours, though not all of it is as wanted.
var reservedNotReady = []xpv2.ConditionReason{
	v1alpha1.ReasonOpaqueOption,
	v1alpha1.ReasonRefused,
}

func reservationReport(r *v1alpha1.KeaReservation, mac kea.HWAddress) deviceReport {
	ready, address := r.GetCondition(xpv2.TypeReady), r.Status.AtProvider.IPAddress
	unsynced := r.GetCondition(xpv2.TypeSynced).Status == corev1.ConditionFalse
	switch {
	case ready.Status == corev1.ConditionTrue && address != "":
		return deviceReport{address: address}
	case ready.Reason == v1alpha1.ReasonAwaitingLease:
		return deviceReport{waiting: fmt.Sprintf("%s waits for its DHCP lease", mac)}
	case slices.Contains(notReserved, ready.Reason):
		return deviceReport{waiting: conditionText(r, mac, ready)}
	case ready.Reason == v1alpha1.ReasonSubnetNotFound:
		// A KeaReservation that still has an address has it from before: Kea's
		// subnets may be back in a moment.
		return deviceReport{keep: address != "", waiting: conditionText(r, mac, ready)}
	case slices.Contains(reservedNotReady, ready.Reason) && !unsynced:
		// Empty if Kea has nothing: what was reported before is then wrong.
		return deviceReport{address: address, waiting: conditionText(r, mac, ready)}
	case unsynced:
		// Most often its message is about a server that cannot be reached, and
		// differs each time. Each change of ours would be a write that wakes the
		// status's readers, so it is only referred to.
		return deviceReport{keep: true, waiting: fmt.Sprintf("%s: KeaReservation %s cannot be synced, see its condition Synced", mac, r.Name)}
	}
	return deviceReport{keep: true, waiting: conditionText(r, mac, ready)}
}

// conditionText returns what a condition of a KeaReservation says.
func conditionText(r *v1alpha1.KeaReservation, mac kea.HWAddress, c xpv2.Condition) string {
	switch {
	case c.Message != "":
		return fmt.Sprintf("%s: %s", mac, c.Message)
	case c.Reason != "" && c.Reason != xpv2.ReasonCreating:
		return fmt.Sprintf("%s: KeaReservation %s is not ready: %s", mac, r.Name, c.Reason)
	}
	return beingMade(mac)
}

// beingMade is the message from before a KeaReservation exists until Kea has the
// reservation. Messages for the steps in between would each be a write that wakes
// the status's readers.
func beingMade(mac kea.HWAddress) string { return fmt.Sprintf("%s gets its reservation", mac) }

// How long the first status of a NetworkConfiguration may wait for its reservations: for one that
// the provider has been at, and for one that is in its queue, where nothing can be said of it. A
// whole fleet that is created together may take that long, and to report each of them twice would
// make it longer.
const (
	quietWhileMade   = time.Minute
	quietWhileQueued = 30 * time.Minute
)

// untilWorthReporting returns how long the status of a NetworkConfiguration is not worth a write
// yet: it has none, and all that is missing are reservations that are being made, which most often
// takes a second. 0 if it is worth one.
func untilWorthReporting(s *situation, p plan, now time.Time) time.Duration {
	if s.nc.Status.Phase != "" || p.claim.place == nil {
		return 0
	}
	rest := time.Duration(0)
	devices := devicesOf(s.nc)
	for i, r := range deviceReports(s, p, nil) {
		switch {
		case r.invalid != "" || r.waiting != "" && r.waiting != beingMade(devices[i].mac):
			return 0
		case r.waiting != "":
			here, _ := ownReservations(s, p.claim.place, devices[i].mac)
			rest = max(rest, untilOverdue(here, now))
		}
	}
	return rest
}

// untilOverdue returns how long a KeaReservation that is being made, or nil if it is not seen yet,
// may still take before that is worth a word.
func untilOverdue(r *v1alpha1.KeaReservation, now time.Time) time.Duration {
	if r == nil {
		return quietWhileMade
	}
	quiet := quietWhileMade
	if len(r.Status.Conditions) == 0 {
		quiet = quietWhileQueued
	}
	return min(quiet, quiet-now.Sub(r.CreationTimestamp.Time))
}

// interfaceStatus returns what the status of a NetworkConfiguration says about an
// interface. before is what it last said about the same device.
func interfaceStatus(in *vitistack.NetworkConfigurationInterface, r deviceReport, prefix string, before *vitistack.NetworkConfigurationInterface) vitistack.NetworkConfigurationInterface {
	out := vitistack.NetworkConfigurationInterface{}
	out.Name, out.MacAddress, out.Vlan = in.Name, in.MacAddress, in.Vlan
	out.IPv4Subnet = prefix
	out.IPv4Gateway, out.DNS = r.gateway, r.nameservers

	// What was last reported may still be right if it was about the same network.
	kept := r.keep && before != nil && before.IPv4Subnet == prefix
	switch {
	case r.address != "":
		out.IPv4Addresses = []string{r.address}
		out.DHCPReserved, out.IPAllocated = true, true
		out.AllocationMethod = vitistack.AllocationMethodDHCP
	case kept:
		// The device most likely still has it; that Kea has it reserved is not certain.
		out.IPv4Addresses = before.IPv4Addresses
	}
	if kept && out.IPv4Gateway == "" {
		out.IPv4Gateway = before.IPv4Gateway
	}
	if kept && len(out.DNS) == 0 {
		out.DNS = before.DNS
	}
	// If Kea has none, the user may have set it in the spec.
	if out.IPv4Gateway == "" {
		out.IPv4Gateway = in.IPv4Gateway
	}
	if len(out.DNS) == 0 {
		out.DNS = in.DNS
	}
	return out
}
