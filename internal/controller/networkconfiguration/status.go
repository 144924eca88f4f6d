// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// maxProblems is how many problems a message lists.
const maxProblems = 8

// statusOf returns the status that a NetworkConfiguration should have. It is pure,
// and changes what is there: the conditions of other controllers stay, and so
// does the time of creation. held says which removals are held, if any.
func statusOf(s *situation, p plan, failed map[kea.HWAddress]error, held string, now time.Time) vitistack.NetworkConfigurationStatus {
	out := *s.nc.Status.DeepCopy()
	if out.Created.IsZero() {
		out.Created = metav1.NewTime(now).Rfc3339Copy()
	}

	reports := deviceReports(s, p, failed)
	out.NetworkInterfaces = interfaceStatuses(s, p.claim, reports)

	total := summarize(s.nc, p.claim, reports)
	condition := metav1.Condition{
		Type:               vitistack.ConditionReady,
		Status:             metav1.ConditionFalse,
		ObservedGeneration: s.nc.Generation,
		LastTransitionTime: metav1.NewTime(now).Rfc3339Copy(),
	}
	switch {
	// Readers give up on a machine in phase Error, so it is for what does not pass
	// unless a user corrects it, and leaves nothing to be done.
	case len(total.wrong) > 0:
		out.Phase, out.Status = vitistack.PhaseError, vitistack.StatusFailed
		condition.Reason = vitistack.ReasonError
	case len(total.waiting) > 0:
		out.Phase, out.Status = vitistack.PhaseReconciling, vitistack.StatusInProgress
		condition.Reason = vitistack.ReasonReconciling
	default:
		out.Phase, out.Status = vitistack.PhaseReady, vitistack.StatusSuccess
		condition.Status, condition.Reason = metav1.ConditionTrue, vitistack.ReasonConfigured
	}
	problems := slices.Concat(total.wrong, total.waiting, total.ignored)
	if held != "" {
		problems = append(problems, held)
	}
	out.Message = messageOf(problems, total.reserved, len(reports))
	condition.Message = out.Message
	meta.SetStatusCondition(&out.Conditions, condition)
	return withRemovalsHeld(out, s.nc.Generation, held, now)
}

// withRemovalsHeld returns a status that says which removals are held, if any. It
// changes nothing else.
func withRemovalsHeld(out vitistack.NetworkConfigurationStatus, generation int64, held string, now time.Time) vitistack.NetworkConfigurationStatus {
	out.Conditions = slices.Clone(out.Conditions)
	if held == "" {
		meta.RemoveStatusCondition(&out.Conditions, conditionRemovalsHeld)
		return out
	}
	meta.SetStatusCondition(&out.Conditions, metav1.Condition{
		Type: conditionRemovalsHeld, Status: metav1.ConditionTrue, Reason: reasonTooMany, Message: held,
		ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(now).Rfc3339Copy(),
	})
	return out
}

// A summary is what the interfaces of a NetworkConfiguration come to.
type summary struct {
	// wrong is what a user has to correct before anything can be done.
	wrong []string
	// waiting is what passes, or does not concern all interfaces.
	waiting []string
	// ignored names the interfaces that have no valid hardware address, if others
	// have one: they decide the phase.
	ignored []string
	// reserved is how many interfaces have their address reserved.
	reserved int
}

// summarize returns the summary of the reports, which are in the order of the interfaces.
func summarize(nc *vitistack.NetworkConfiguration, c claim, reports []deviceReport) summary {
	out := summary{}
	if c.wrong != "" {
		out.wrong = append(out.wrong, c.wrong)
	}
	if c.waiting != "" {
		out.waiting = append(out.waiting, c.waiting)
	}
	invalid := &out.wrong
	if len(macsOf(nc)) > 0 {
		invalid = &out.ignored
	}
	for i, r := range reports {
		name := nc.Spec.NetworkInterfaces[i].Name
		if name == "" {
			name = fmt.Sprintf("networkInterfaces[%d]", i)
		}
		if r.address != "" {
			out.reserved++
		}
		switch {
		case r.invalid != "":
			*invalid = append(*invalid, name+": "+r.invalid)
		// Without a place, the one reason for all is enough.
		case r.waiting != "" && c.place != nil:
			out.waiting = append(out.waiting, name+": "+r.waiting)
		}
	}
	return out
}

func messageOf(problems []string, reserved, all int) string {
	if len(problems) == 0 {
		if all == 0 {
			return "no network interfaces, nothing to reserve"
		}
		return fmt.Sprintf("reserved in Kea: %d of %d", reserved, all)
	}
	if more := len(problems) - maxProblems; more > 0 {
		problems = append(slices.Clone(problems[:maxProblems]), fmt.Sprintf("and %d more", more))
	}
	message := strings.Join(problems, "; ")
	if reserved > 0 {
		message = fmt.Sprintf("reserved in Kea: %d of %d; %s", reserved, all, message)
	}
	return message
}

// interfaceStatuses returns the status of each interface, in their order.
func interfaceStatuses(s *situation, c claim, reports []deviceReport) []vitistack.NetworkConfigurationInterface {
	if len(reports) == 0 {
		return nil
	}
	before := lastReported(s.nc)
	out := make([]vitistack.NetworkConfigurationInterface, len(reports))
	for i, d := range devicesOf(s.nc) {
		prefix := prefixOf(s, c, d, before[d.mac])
		if reports[i].subnet != "" {
			prefix = oldPrefix(reports[i].subnet, before[d.mac])
		}
		out[i] = interfaceStatus(&s.nc.Spec.NetworkInterfaces[i], reports[i], prefix, before[d.mac])
	}
	return out
}

// lastReported returns the interfaces of a NetworkConfiguration's current status,
// by device.
func lastReported(nc *vitistack.NetworkConfiguration) map[kea.HWAddress]*vitistack.NetworkConfigurationInterface {
	out := map[kea.HWAddress]*vitistack.NetworkConfigurationInterface{}
	for i := range nc.Status.NetworkInterfaces {
		in := &nc.Status.NetworkInterfaces[i]
		if mac, err := kea.ParseHWAddress(strings.TrimSpace(in.MacAddress)); err == nil {
			out[mac] = in
		}
	}
	return out
}

// prefixOf returns the prefix that an interface is in. While the network is not
// known, it is the last reported one, or that of its reservation.
func prefixOf(s *situation, c claim, d device, before *vitistack.NetworkConfigurationInterface) string {
	if c.place != nil {
		return c.place.prefix
	}
	if before != nil && before.IPv4Subnet != "" {
		return before.IPv4Subnet
	}
	if d.mac == "" {
		return ""
	}
	if r, _ := ownReservations(s, nil, d.mac); r != nil {
		return r.Spec.ForProvider.Subnet
	}
	return ""
}

// oldPrefix returns the prefix of a subnet that a device is still in: as it was
// reported before, which may be with host bits.
func oldPrefix(subnet string, before *vitistack.NetworkConfigurationInterface) string {
	if before != nil {
		if p, err := netip.ParsePrefix(before.IPv4Subnet); err == nil && p.Masked().String() == subnet {
			return before.IPv4Subnet
		}
	}
	return subnet
}
