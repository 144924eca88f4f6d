// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"net/netip"
	"slices"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
)

// acceptedOf returns the reservation in the status, if Kea held the present spec as wanted when it
// was observed; nil otherwise. It is how a provider that has just started knows what Kea made of
// the spec.
func acceptedOf(mg *v1alpha1.KeaReservation) *kea.Reservation {
	p := mg.Status.AtProvider
	reserved := func(s v1alpha1.ServerObservation) bool { return s.State == v1alpha1.ServerStateReserved }
	differs := func(s v1alpha1.ServerObservation) bool { return !reserved(s) && s.State != v1alpha1.ServerStateUnknown }
	if mg.GetCondition(xpv2.TypeReady).ObservedGeneration != mg.GetGeneration() || !slices.ContainsFunc(p.Servers, reserved) || slices.ContainsFunc(p.Servers, differs) {
		return nil
	}
	r := &kea.Reservation{
		HWAddress: kea.HWAddress(p.HWAddress), Hostname: whole(p.Hostname), ClientClasses: slices.Clone(p.ClientClasses),
		NextServer: whole(p.NextServer), ServerHostname: whole(p.ServerHostname), BootFileName: whole(p.BootFileName),
	}
	r.IPAddress, _ = netip.ParseAddr(p.IPAddress)
	if slices.ContainsFunc(r.ClientClasses, isReplaced) {
		r.ClientClasses = nil
	}
	for _, o := range p.OptionData {
		if isReplaced(o.Data) || slices.ContainsFunc(o.ClientClasses, isReplaced) {
			continue
		}
		option := kea.OptionData{
			Name: o.Name, Space: o.Space, Data: o.Data, AlwaysSend: o.AlwaysSend, NeverSend: o.NeverSend, CSVFormat: o.CSVFormat,
			ClientClasses: slices.Clone(o.ClientClasses),
		}
		if o.Code != nil {
			option.Code = uint16(*o.Code) //nolint:gosec // It was written by this provider, from a uint16.
		}
		r.OptionData = append(r.OptionData, option)
	}
	return r
}

// whole returns text from the status; none if the status does not have it as Kea does.
func whole(s string) string {
	if isReplaced(s) {
		return ""
	}
	return s
}

func isReplaced(s string) bool { return strings.Contains(s, replacement) }
