// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// intentOf returns what a KeaReservation wants of Kea. The API server has validated the same
// before; an error is for an object that it has not.
func intentOf(mg *v1alpha1.KeaReservation) (reservation.Intent, error) {
	p := mg.Spec.ForProvider
	in := reservation.Intent{
		Hostname: p.Hostname, NextServer: p.NextServer, ServerHostname: p.ServerHostname, BootFileName: p.BootFileName,
		ClientClasses: slices.Clone(p.ClientClasses),
		Resource:      intentName(mg),
		Adopt:         adopts(mg),
		Abandon:       abandoned(mg),
		Accepted:      acceptedOf(mg),
	}
	var err error
	if in.Subnet, err = subnetOf(p); err != nil {
		return reservation.Intent{}, err
	}
	if in.HWAddress, err = kea.ParseHWAddress(p.HWAddress); err != nil {
		return reservation.Intent{}, fmt.Errorf("cannot use spec.forProvider.hwAddress: %w", err)
	}
	if p.IPAddress != "" {
		if in.Address, err = netip.ParseAddr(p.IPAddress); err != nil || !in.Address.Is4() {
			return reservation.Intent{}, fmt.Errorf("cannot use spec.forProvider.ipAddress %q: it must be an IPv4 address", p.IPAddress)
		}
	}
	if p.NextServer != nil && *p.NextServer == noAddress {
		in.NextServer = new("")
	}
	for _, o := range p.OptionData {
		in.OptionData = append(in.OptionData, optionOf(o))
	}
	return in, nil
}

// intentName returns how a mark of ownership names a KeaReservation.
func intentName(mg *v1alpha1.KeaReservation) string { return mg.GetNamespace() + "/" + mg.GetName() }

// abandoned returns the servers that a deletion does not wait for.
func abandoned(mg *v1alpha1.KeaReservation) []string {
	var out []string
	for name := range strings.SplitSeq(mg.GetAnnotations()[v1alpha1.AnnotationKeyAbandon], ",") {
		if name = strings.TrimSpace(name); name != "" {
			out = append(out, name)
		}
	}
	return out
}

// noAddress is how Kea writes a next-server that is not set.
const noAddress = "0.0.0.0"

func subnetOf(p v1alpha1.KeaReservationParameters) (reservation.SubnetRef, error) {
	switch {
	case p.Subnet != "":
		prefix, err := netip.ParsePrefix(p.Subnet)
		if err != nil || !prefix.Addr().Is4() {
			return reservation.SubnetRef{}, fmt.Errorf("cannot use spec.forProvider.subnet %q: it must be an IPv4 prefix", p.Subnet)
		}
		return reservation.SubnetRef{Prefix: prefix.Masked()}, nil
	case p.SubnetID != nil && *p.SubnetID > 0 && *p.SubnetID < math.MaxUint32:
		return reservation.SubnetRef{ID: uint32(*p.SubnetID)}, nil
	default:
		return reservation.SubnetRef{}, errors.New("cannot tell the subnet: set exactly one of subnet and subnetId in spec.forProvider")
	}
}

func optionOf(o v1alpha1.OptionData) kea.OptionData {
	out := kea.OptionData{
		Name: o.Name, Space: o.Space, Data: o.Data, AlwaysSend: o.AlwaysSend, NeverSend: o.NeverSend, CSVFormat: o.CSVFormat,
		ClientClasses: slices.Clone(o.ClientClasses),
	}
	if o.Code != nil {
		out.Code = uint16(*o.Code) //nolint:gosec // The API bounds it to 1..254.
	}
	return out
}

// allows reports whether the management policies allow an action.
func allows(mg *v1alpha1.KeaReservation, a xpv2.ManagementAction) bool {
	p := mg.GetManagementPolicies()
	// crossplane-runtime takes none at all for pause, and does not come here.
	return slices.Contains(p, xpv2.ManagementActionAll) || slices.Contains(p, a)
}

// observeOnly reports whether the management policies allow no change in Kea.
func observeOnly(mg *v1alpha1.KeaReservation) bool {
	return !allows(mg, xpv2.ManagementActionCreate) && !allows(mg, xpv2.ManagementActionUpdate) && !allows(mg, xpv2.ManagementActionDelete)
}

// checkExternalName returns an error unless the external name is the hardware address, under which
// Kea has the reservation. It reports whether the name is to be set.
func checkExternalName(mg *v1alpha1.KeaReservation, hw kea.HWAddress) (missing bool, err error) {
	name := meta.GetExternalName(mg)
	if name == "" || name == string(hw) {
		return name == "", nil
	}
	if parsed, err := kea.ParseHWAddress(name); err == nil && parsed == hw {
		// Written in another way: corrected, not refused.
		return true, nil
	}
	return false, fmt.Errorf("cannot use the external name %q: it must be the hardware address %s; correct the annotation %s or leave it out",
		name, hw, meta.AnnotationKeyExternalName)
}
