// SPDX-License-Identifier: Apache-2.0

package reservation

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// defaultSpace is the option space that Kea takes where none is given.
const defaultSpace = "dhcp4"

// mergeOptions returns what Kea has with the wanted options in it, and without those that were
// managed before and are no longer wanted. One code may stand in a reservation several times, with
// other data (125 for two vendors) or other client classes: entries that the intent does not name
// stay.
func mergeOptions(have, want []kea.OptionData, before []string) []kea.OptionData {
	paired := pairOptions(have, want, before)
	out := make([]kea.OptionData, 0, len(have)+len(want))
	for i, h := range have {
		switch w := slices.Index(paired, i); {
		case w >= 0:
			out = append(out, mergeOption(h, want[w]))
		case !wasManaged(h, have, before) || twin(h, have, paired):
			out = append(out, h.Clone())
		}
	}
	for i, w := range want {
		if paired[i] < 0 {
			out = append(out, w.Clone())
		}
	}
	if len(out) == 0 {
		return nil
	}
	return out
}

// pairOptions returns for each wanted option the index of the entry that it replaces; -1 for none.
func pairOptions(have, want []kea.OptionData, before []string) []int {
	paired, taken := make([]int, len(want)), make([]bool, len(have))
	for i := range paired {
		paired[i] = -1
	}
	for _, fits := range []func(h, w kea.OptionData) bool{
		satisfies,
		func(h, w kea.OptionData) bool { return sameGuard(h, w) && wasManaged(h, have, before) },
		func(h, w kea.OptionData) bool {
			return sameGuard(h, w) && alone(h, have, sameEntry) && alone(w, want, sameEntry)
		},
	} {
		for i, w := range want {
			for j, h := range have {
				if paired[i] < 0 && !taken[j] && sameOption(h, w) && fits(h, w) {
					paired[i], taken[j] = j, true
				}
			}
		}
	}
	return paired
}

// twin reports whether an entry is as one that is paired, which is the one that the mark names then.
func twin(o kea.OptionData, have []kea.OptionData, paired []int) bool {
	return slices.ContainsFunc(paired, func(i int) bool {
		return i >= 0 && sameOption(have[i], o) && fingerprint(have[i]) == fingerprint(o)
	})
}

// alone reports whether one entry of the list is the same as o, and no more.
func alone(o kea.OptionData, list []kea.OptionData, same func(a, b kea.OptionData) bool) bool {
	n := 0
	for _, other := range list {
		if same(other, o) {
			n++
		}
	}
	return n == 1
}

// mergeOption returns the wanted option in place of the one Kea has. It stays as Kea has it where
// that is what is wanted, in Kea's own spelling; only a user-context survives otherwise.
func mergeOption(have, want kea.OptionData) kea.OptionData {
	if satisfies(have, want) {
		return have.Clone()
	}
	out := want.Clone()
	out.Name, out.Code, out.Extra = have.Name, have.Code, have.Clone().Extra
	return out
}

// satisfies reports whether an option as Kea answers it is the wanted one, in data, flags and
// client classes. What is left out of the wanted one is Kea's default.
func satisfies(have, want kea.OptionData) bool {
	return normalData(have) == normalData(want) && sameGuard(have, want) &&
		isSet(have.AlwaysSend) == isSet(want.AlwaysSend) && isSet(have.NeverSend) == isSet(want.NeverSend) &&
		(want.CSVFormat == nil || have.CSVFormat == nil || *want.CSVFormat == *have.CSVFormat)
}

// sameGuard reports whether two options are for the same client classes.
func sameGuard(a, b kea.OptionData) bool { return slices.Equal(a.ClientClasses, b.ClientClasses) }

func isSet(b *bool) bool { return b != nil && *b }

// sameOption reports whether an option as Kea answers it is the option that is wanted. Entries of a
// vendor option are for the same option only if they are for the same vendor.
func sameOption(have, want kea.OptionData) bool {
	return sameCode(have, want) && enterprise(have) == enterprise(want)
}

// sameEntry reports whether an option as Kea answers it is the wanted one, for the same client
// classes.
func sameEntry(have, want kea.OptionData) bool {
	return sameOption(have, want) && sameGuard(have, want)
}

// sameCode reports whether an option as Kea answers it, with name and code, has the code of the
// option that is wanted, which may have only one of them. An option that has neither, which Kea does
// not answer, is the same as another one.
func sameCode(have, want kea.OptionData) bool {
	if space(have) != space(want) {
		return false
	}
	if want.Code != 0 && have.Code != 0 {
		return have.Code == want.Code
	}
	return have.Name == want.Name && (want.Name != "" || have.Code == want.Code)
}

// Options that stand once for each vendor, whose enterprise number their data starts with (RFC
// 3925).
const (
	codeVendorClass, nameVendorClass = 124, "vivco-suboptions"
	codeVendorInfo, nameVendorInfo   = 125, "vivso-suboptions"
)

// enterprise returns the enterprise number of a vendor option; 0 for other options.
func enterprise(o kea.OptionData) uint64 {
	vendor := o.Code == codeVendorClass || o.Code == codeVendorInfo || o.Name == nameVendorClass || o.Name == nameVendorInfo
	if !vendor || space(o) != defaultSpace {
		return 0
	}
	const fourBytes = 8
	data := normalData(o)
	if o.CSVFormat != nil && !*o.CSVFormat {
		n, _ := strconv.ParseUint(data[:min(len(data), fourBytes)], 16, 32)
		return n
	}
	first, _, _ := strings.Cut(data, ",")
	n, _ := strconv.ParseUint(first, 10, 32)
	return n
}

// wantedOption reports whether an entry is one that the intent sets, in this form.
func wantedOption(o kea.OptionData, want []kea.OptionData) bool {
	return slices.ContainsFunc(want, func(w kea.OptionData) bool { return sameOption(o, w) && satisfies(o, w) })
}

func space(o kea.OptionData) string {
	if o.Space == "" {
		return defaultSpace
	}
	return o.Space
}

// OptionName names an option for people, for example "option 6 (domain-name-servers)".
func OptionName(o kea.OptionData) string {
	text := "option " + o.Name
	if o.Code != 0 {
		text = "option " + strconv.Itoa(int(o.Code))
		if o.Name != "" {
			text += " (" + o.Name + ")"
		}
	}
	if space(o) != defaultSpace {
		text += " of space " + o.Space
	}
	return text
}

// optionMarks returns how a mark names the wanted options. Where the reservation has several
// entries of one code, for two vendors or for other client classes, the name of ours includes a
// fingerprint of its content, so that it can be told from the others later.
func optionMarks(all, want []kea.OptionData) []string {
	var out []string
	for _, w := range want {
		id := w.Name
		if w.Code != 0 {
			id = strconv.Itoa(int(w.Code))
		}
		name := fieldOption + space(w) + "/" + id
		if !alone(w, all, sameCode) {
			name += "#" + fingerprint(w)
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// wasManaged reports whether the mark names an entry.
func wasManaged(o kea.OptionData, all []kea.OptionData, before []string) bool {
	prefix := fieldOption + space(o) + "/"
	for _, id := range []string{o.Name, strconv.Itoa(int(o.Code))} {
		if slices.Contains(before, prefix+id+"#"+fingerprint(o)) || (slices.Contains(before, prefix+id) && alone(o, all, sameCode)) {
			return true
		}
	}
	return false
}

// fingerprint returns eight hexadecimal digits that tell entries of one option from each other. Marks
// in Kea have it: it must stay the same for the same entry.
func fingerprint(o kea.OptionData) string {
	classes := make([]string, len(o.ClientClasses))
	for i, class := range o.ClientClasses {
		if classes[i] = class; class == "" || strings.ContainsAny(class, `,"`) {
			classes[i] = strconv.Quote(class) // One class "a,b" is not two, and one without a name is not none.
		}
	}
	sum := sha256.Sum256([]byte(normalData(o) + "\n" + strings.Join(classes, ",")))
	return hex.EncodeToString(sum[:4])
}

// normalData returns an option's data in one spelling: without the blanks around commas, and
// hexadecimal data in lower case without prefix and separators (Kea ARM, "Standard DHCPv4
// Options").
func normalData(o kea.OptionData) string {
	if o.CSVFormat != nil && !*o.CSVFormat {
		if digits, ok := hexDigits(o.Data); ok {
			return digits
		}
	}
	parts := strings.Split(o.Data, ",")
	for i := range parts {
		parts[i] = strings.TrimSpace(parts[i])
	}
	return strings.Join(parts, ",")
}

func hexDigits(data string) (string, bool) {
	s := strings.NewReplacer(":", "", " ", "").Replace(strings.ToLower(data))
	s = strings.TrimPrefix(s, "0x")
	raw, err := hex.DecodeString(s)
	return hex.EncodeToString(raw), err == nil
}
