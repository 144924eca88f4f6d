// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Difference is a field in which Kea differs from what is wanted.
type Difference struct {
	Field string
	// Have and Want are for people; empty for a field that has no value.
	Have, Want string
	// Text replaces the others where the difference is not one of a field's values.
	Text string
}

// String returns for example "hostname a, wanted b".
func (d Difference) String() string {
	if d.Text != "" {
		return d.Text
	}
	return fmt.Sprintf("%s %s, wanted %s", d.Field, orNone(d.Have), orNone(d.Want))
}

const fieldMark = "user-context"

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

// describeAll joins differences into one text; "" if there are none.
func describeAll(all []Difference) string {
	texts := make([]string, 0, len(all))
	for _, d := range all {
		texts = append(texts, d.String())
	}
	return strings.Join(texts, "; ")
}

// differences lists the fields in which want differs from have.
func differences(have, want kea.Reservation) []Difference {
	var out []Difference
	add := func(field, h, w string) {
		if h != w {
			out = append(out, Difference{Field: field, Have: h, Want: w})
		}
	}
	add(fieldAddress, addressText(have.IPAddress), addressText(want.IPAddress))
	add(fieldHostname, have.Hostname, want.Hostname)
	add(fieldNextServer, have.NextServer, want.NextServer)
	add(fieldServerHostname, have.ServerHostname, want.ServerHostname)
	add(fieldBootFileName, have.BootFileName, want.BootFileName)
	add(fieldClientClasses, strings.Join(have.ClientClasses, ","), strings.Join(want.ClientClasses, ","))
	out = append(out, optionDifferences(except(have.OptionData, want.OptionData), except(want.OptionData, have.OptionData))...)
	if !sameMark(&have, &want) {
		out = append(out, Difference{Field: fieldMark, Text: "the mark of ownership is missing or differs"})
	}
	return out
}

// onlyMark reports whether the mark of ownership is all that differs.
func onlyMark(all []Difference) bool {
	return !slices.ContainsFunc(all, func(d Difference) bool { return d.Field != fieldMark })
}

func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// optionDifferences returns the differences between options that are in one reservation only.
func optionDifferences(have, want []kea.OptionData) []Difference {
	left := slices.Clone(want)
	out := make([]Difference, 0, len(have)+len(want))
	for _, h := range have {
		d := Difference{Field: OptionName(h), Have: optionContent(h)}
		if i := slices.IndexFunc(left, func(w kea.OptionData) bool { return sameEntry(h, w) }); i >= 0 {
			d.Want = optionContent(left[i])
			left = slices.Delete(left, i, i+1)
		}
		out = append(out, d)
	}
	for _, w := range left {
		out = append(out, Difference{Field: OptionName(w), Want: optionContent(w)})
	}
	slices.SortStableFunc(out, func(a, b Difference) int { return strings.Compare(a.Field, b.Field) })
	return out
}

// optionContent returns what an option has beside its name and code, in a form that can be compared
// and read.
func optionContent(o kea.OptionData) string {
	if o.Opaque() {
		return "content that Kea does not return"
	}
	var text strings.Builder
	text.WriteString(normalData(o))
	for _, flag := range []struct {
		name string
		set  bool
	}{
		{"always-send", isSet(o.AlwaysSend)}, {"never-send", isSet(o.NeverSend)},
		{"csv-format false", o.CSVFormat != nil && !*o.CSVFormat},
	} {
		if flag.set {
			text.WriteString(" (" + flag.name + ")")
		}
	}
	if len(o.ClientClasses) > 0 {
		text.WriteString(" for " + strings.Join(o.ClientClasses, ","))
	}
	return text.String()
}

// except returns the options of a that b does not have, each as often as it is missing. An option
// that has only a name or only a code is the same as one that has both.
func except(a, b []kea.OptionData) []kea.OptionData {
	left := slices.Clone(b)
	var out []kea.OptionData
	for _, o := range a {
		i := slices.IndexFunc(left, func(l kea.OptionData) bool { return sameCode(l, o) && optionContent(l) == optionContent(o) })
		if i >= 0 {
			left = slices.Delete(left, i, i+1)
			continue
		}
		out = append(out, o)
	}
	return out
}
