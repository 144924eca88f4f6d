// SPDX-License-Identifier: Apache-2.0

package group

import (
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Names of managed fields in a mark: Kea's own (Kea ARM, "Host Reservations in
// DHCPv4").
const (
	fieldHostname       = "hostname"
	fieldNextServer     = "next-server"
	fieldServerHostname = "server-hostname"
	fieldBootFileName   = "boot-file-name"
	fieldClientClasses  = "client-classes"
	fieldOption         = "option-data/"
)

// defaultSpace is the option space that Kea takes where none is given.
const defaultSpace = "dhcp4"

// desired gives the reservation that the intent makes of base, which is the
// zero value where Kea has none: managed fields as wanted, fields that were
// managed and no longer are back at Kea's defaults, all else as it was.
func desired(base kea.Reservation, subnetID uint32, addr netip.Addr, in Intent, cluster string) kea.Reservation {
	r := base.Clone()
	r.SubnetID, r.HWAddress, r.IPAddress = subnetID, in.HWAddress, addr

	var before []string
	if m, ok := markOf(&base); ok {
		before = m.manages
	}
	now := mark{cluster: cluster, resource: in.Resource}

	for _, f := range scalarFields(&r, in) {
		now.manages = append(now.manages, f.set(before)...)
	}
	if in.ClientClasses != nil {
		r.ClientClasses = slices.Clone(in.ClientClasses)
		now.manages = append(now.manages, fieldClientClasses)
	} else if slices.Contains(before, fieldClientClasses) {
		r.ClientClasses = nil
	}
	r.OptionData = mergeOptions(r.OptionData, in.OptionData, before)
	for _, o := range in.OptionData {
		now.manages = append(now.manages, optionField(o))
	}
	r.UserContext = withMark(r.UserContext, now)
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

// set puts the field as wanted, or back at the default if it was managed
// before. It gives the field's name if it is managed now.
func (f scalarField) set(before []string) []string {
	if f.want != nil {
		*f.at = *f.want
		return []string{f.name}
	}
	if slices.Contains(before, f.name) {
		*f.at = ""
	}
	return nil
}

// mergeOptions gives have with the wanted options in it, and without those that
// were managed before and are no longer wanted.
func mergeOptions(have, want []kea.OptionData, before []string) []kea.OptionData {
	out := make([]kea.OptionData, 0, len(have)+len(want))
	for _, h := range have {
		i := slices.IndexFunc(want, func(w kea.OptionData) bool { return sameOption(h, w) })
		switch {
		case i >= 0:
			out = append(out, mergeOption(h, want[i]))
		case !wasManaged(h, before):
			out = append(out, h)
		}
	}
	for _, w := range want {
		if !slices.ContainsFunc(have, func(h kea.OptionData) bool { return sameOption(h, w) }) {
			out = append(out, w.Clone())
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// mergeOption gives what Kea has of an option with the wanted fields in it.
func mergeOption(have, want kea.OptionData) kea.OptionData {
	out := have.Clone()
	if normalData(have) != normalData(want) {
		out.Data = want.Data
	}
	if want.AlwaysSend != nil {
		out.AlwaysSend = want.AlwaysSend
	}
	if want.CSVFormat != nil {
		out.CSVFormat = want.CSVFormat
	}
	return out
}

// sameOption tells whether an option as Kea answers it, with name and code, is
// the one that is wanted, which may have only one of them.
func sameOption(have, want kea.OptionData) bool {
	if space(have) != space(want) {
		return false
	}
	if want.Code != 0 && have.Code != 0 {
		return have.Code == want.Code
	}
	return want.Name != "" && have.Name == want.Name
}

func space(o kea.OptionData) string {
	if o.Space == "" {
		return defaultSpace
	}
	return o.Space
}

// optionField is the name of an option in a mark.
func optionField(o kea.OptionData) string {
	if o.Code != 0 {
		return fieldOption + space(o) + "/" + strconv.Itoa(int(o.Code))
	}
	return fieldOption + space(o) + "/" + o.Name
}

func wasManaged(o kea.OptionData, before []string) bool {
	prefix := fieldOption + space(o) + "/"
	return slices.Contains(before, prefix+o.Name) || slices.Contains(before, prefix+strconv.Itoa(int(o.Code)))
}

// normalData gives an option's data without the blanks around commas, which Kea
// writes in its own way.
func normalData(o kea.OptionData) string {
	parts := strings.Split(o.Data, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ",")
}

// difference tells in words how want differs from have; "" if it does not.
func difference(have, want kea.Reservation) string {
	var out []string
	add := func(name string, h, w any) {
		if !reflect.DeepEqual(h, w) {
			out = append(out, fmt.Sprintf("%s: %v -> %v", name, h, w))
		}
	}
	add("ip-address", text(have.IPAddress), text(want.IPAddress))
	add(fieldHostname, have.Hostname, want.Hostname)
	add(fieldNextServer, have.NextServer, want.NextServer)
	add(fieldServerHostname, have.ServerHostname, want.ServerHostname)
	add(fieldBootFileName, have.BootFileName, want.BootFileName)
	add(fieldClientClasses, strings.Join(have.ClientClasses, ","), strings.Join(want.ClientClasses, ","))
	add("option-data", optionTexts(have.OptionData), optionTexts(want.OptionData))
	h, _ := markOf(&have)
	w, _ := markOf(&want)
	if !h.sameOwner(w) || !slices.Equal(slices.Sorted(slices.Values(h.manages)), slices.Sorted(slices.Values(w.manages))) {
		out = append(out, "user-context: the mark of ownership")
	}
	return strings.Join(out, "; ")
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

// optionTexts gives options in a form that can be compared and read.
func optionTexts(options []kea.OptionData) string {
	texts := make([]string, 0, len(options))
	for _, o := range options {
		id := o.Name
		if id == "" {
			id = strconv.Itoa(int(o.Code))
		}
		texts = append(texts, fmt.Sprintf("%s/%s=%q always-send=%t csv-format=%s", space(o), id, normalData(o),
			o.AlwaysSend != nil && *o.AlwaysSend, flag(o.CSVFormat)))
	}
	slices.Sort(texts)
	return "[" + strings.Join(texts, " ") + "]"
}

func flag(b *bool) string {
	if b == nil {
		return "default"
	}
	return strconv.FormatBool(*b)
}
