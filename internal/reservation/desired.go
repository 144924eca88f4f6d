// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"net/netip"
	"slices"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Names of fields in a mark, in differences and in messages: Kea's own (Kea ARM, "Host Reservations
// in DHCPv4").
const (
	fieldAddress        = "ip-address"
	fieldHostname       = "hostname"
	fieldNextServer     = "next-server"
	fieldServerHostname = "server-hostname"
	fieldBootFileName   = "boot-file-name"
	fieldClientClasses  = "client-classes"
	fieldOption         = "option-data/"
)

// desired returns the reservation that the intent makes of base, which is the zero value where Kea
// has none: managed fields as wanted, fields that were managed and no longer are back at Kea's
// defaults, all else as it was.
func desired(base kea.Reservation, subnetID uint32, address netip.Addr, in Intent, owner Owner) kea.Reservation {
	r := base.Clone()
	r.SubnetID, r.HWAddress, r.IPAddress = subnetID, in.HWAddress, address

	before := managedFields(&base)
	var manages []string
	for _, f := range scalarFields(&r, in) {
		switch {
		case f.want != nil:
			*f.at = *f.want
			manages = append(manages, f.name)
		case slices.Contains(before, f.name):
			*f.at = ""
		}
	}
	switch {
	case in.ClientClasses != nil:
		r.ClientClasses = slices.Clone(in.ClientClasses)
		if len(r.ClientClasses) == 0 {
			r.ClientClasses = nil
		}
		manages = append(manages, fieldClientClasses)
	case slices.Contains(before, fieldClientClasses):
		r.ClientClasses = nil
	}
	r.OptionData = mergeOptions(base.OptionData, in.OptionData, before)
	manages = append(manages, optionMarks(r.OptionData, in.OptionData)...)
	r.UserContext = withMark(r.UserContext, owner, manages)
	return r
}

// scalarField is a text field of a reservation and what is wanted of it.
type scalarField struct {
	name string
	at   *string
	want *string
}

func scalarFields(r *kea.Reservation, in Intent) []scalarField {
	return []scalarField{
		{fieldHostname, &r.Hostname, in.Hostname},
		{fieldNextServer, &r.NextServer, in.NextServer},
		{fieldServerHostname, &r.ServerHostname, in.ServerHostname},
		{fieldBootFileName, &r.BootFileName, in.BootFileName},
	}
}

// settled returns want with each managed field as Kea has it, where Kea has it as it once answered
// to the same intent (accepted; nil if not known): such a field has not drifted, though it is
// spelled in another way than the spec.
func settled(want, have kea.Reservation, accepted *kea.Reservation, in Intent) kea.Reservation {
	if accepted == nil {
		return want
	}
	out := want.Clone()
	haveFields, acceptedFields := scalarFields(&have, in), scalarFields(accepted, in)
	for i, f := range scalarFields(&out, in) {
		if f.want != nil && *haveFields[i].at == *acceptedFields[i].at {
			*f.at = *haveFields[i].at
		}
	}
	if in.ClientClasses != nil && slices.Equal(have.ClientClasses, accepted.ClientClasses) {
		out.ClientClasses = have.ClientClasses
	}
	for i, o := range out.OptionData {
		if !wantedOption(o, in.OptionData) {
			continue
		}
		if h := acceptedOption(o, have.OptionData, accepted.OptionData); h != nil {
			out.OptionData[i] = *h
		}
	}
	return out
}

// acceptedOption returns Kea's entry for the option o, if it is among those that were accepted.
func acceptedOption(o kea.OptionData, have, accepted []kea.OptionData) *kea.OptionData {
	var found *kea.OptionData
	for i, h := range have {
		if !sameOption(h, o) || !slices.ContainsFunc(accepted, func(a kea.OptionData) bool { return sameOption(h, a) && satisfies(h, a) }) {
			continue
		}
		if satisfies(h, o) {
			return &have[i]
		}
		if found == nil && sameGuard(h, o) {
			found = &have[i]
		}
	}
	return found
}

// lostOpaque returns the options that writing want would erase: entries that Kea answered without
// their content, and whose content the intent does not set.
func lostOpaque(want kea.Reservation, in Intent) []kea.OptionData {
	var out []kea.OptionData
	for _, o := range want.OptionData {
		if o.Opaque() && !wantedOption(o, in.OptionData) {
			out = append(out, o)
		}
	}
	return out
}

// withoutOpaque returns a reservation without the options whose content is not known.
func withoutOpaque(r kea.Reservation, in Intent) kea.Reservation {
	r = r.Clone()
	r.OptionData = slices.DeleteFunc(r.OptionData, func(o kea.OptionData) bool { return o.Opaque() && !wantedOption(o, in.OptionData) })
	if len(r.OptionData) == 0 {
		r.OptionData = nil
	}
	return r
}

// lostWarnings says which options a restored reservation lacks, since Kea had not returned their
// content, and the intent does not set them.
func lostWarnings(r kea.Reservation, in Intent) []string {
	var out []string
	for _, o := range r.OptionData {
		if o.Opaque() && !slices.ContainsFunc(in.OptionData, func(w kea.OptionData) bool { return sameOption(o, w) }) {
			out = append(out, "the lost reservation is restored without "+OptionName(o)+
				", whose content Kea had not returned: set it again in Kea, or in spec.forProvider.optionData")
		}
	}
	return out
}
