// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

const (
	typeEmpty    = "empty"
	defaultSpace = "dhcp4"
)

// builtIn are the options that a Server knows by name, of the many that Kea does.
func builtIn() []OptionDef {
	const addresses, str = "ipv4-address", "string"
	return []OptionDef{
		{Name: "routers", Code: 3, Type: addresses},
		{Name: "time-servers", Code: 4, Type: addresses},
		{Name: "domain-name-servers", Code: 6, Type: addresses},
		{Name: "log-servers", Code: 7, Type: addresses},
		{Name: "domain-name", Code: 15, Type: str},
		{Name: "interface-mtu", Code: 26, Type: "uint16"},
		{Name: "ntp-servers", Code: 42, Type: addresses},
		{Name: "vendor-encapsulated-options", Code: 43, Type: typeEmpty, Encapsulate: "vendor-encapsulated-options-space"},
		{Name: "tftp-server-name", Code: 66, Type: str},
		{Name: "boot-file-name", Code: 67, Type: str},
		{Name: "dhcp-agent-options", Code: 82, Type: typeEmpty, Encapsulate: "dhcp-agent-options-space"},
		{Name: "domain-search", Code: 119, Type: "fqdn"},
		{Name: "vivso-suboptions", Code: 125, Type: "uint32"},
	}
}

// definition returns the definition of an option; false if there is none.
func (o *Options) definition(d kea.OptionData) (OptionDef, bool) {
	space := d.Space
	if space == "" {
		space = defaultSpace
	}
	for _, def := range append(builtIn(), o.OptionDefs...) {
		if def.Space == "" {
			def.Space = defaultSpace
		}
		if def.Space == space && (d.Name != "" && def.Name == d.Name || d.Name == "" && def.Code == d.Code) {
			return def, true
		}
	}
	return OptionDef{}, false
}

// canonicalOption gives an option the form in which Kea keeps it: the name for the code and the
// reverse, the space, the flags, hexadecimal data in upper case.
func (o *Options) canonicalOption(d *kea.OptionData) error {
	if d.Space == "" {
		d.Space = defaultSpace
	}
	def, defined := o.definition(*d)
	switch {
	case defined:
		d.Name, d.Code = def.Name, def.Code
	case d.Code == 0:
		return fmt.Errorf("definition for the option '%s.%s' does not exist", d.Space, d.Name)
	case d.CSVFormat != nil && *d.CSVFormat:
		return fmt.Errorf("definition for the option '%s.%s' having code '%d' does not exist", d.Space, d.Name, d.Code)
	}
	for _, flag := range []**bool{&d.AlwaysSend, &d.NeverSend} {
		if *flag == nil {
			*flag = new(bool)
		}
	}
	csv := defined
	if d.CSVFormat != nil {
		csv = *d.CSVFormat
	}
	return canonicalData(d, def, csv)
}

// canonicalData gives the data of an option the form in which Kea keeps them.
func canonicalData(d *kea.OptionData, def OptionDef, csv bool) error {
	if csv && def.Type == typeEmpty {
		csv, d.Data = false, "" // Kea takes no text for it.
	}
	d.CSVFormat = &csv
	if !csv {
		raw, err := optionBytes(d.Data)
		if err != nil {
			return fmt.Errorf("option data is not a valid string of hexadecimal digits: %s", d.Data)
		}
		d.Data = strings.ToUpper(hex.EncodeToString(raw))
	}
	if *d.NeverSend && d.Data == "" {
		d.CSVFormat = nil
	}
	return nil
}

// optionBytes reads hexadecimal data: digits, with 0x before or colons or spaces between them, or
// 'text'.
func optionBytes(s string) ([]byte, error) {
	if len(s) >= 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return []byte(s[1 : len(s)-1]), nil
	}
	raw, err := hex.DecodeString(strings.NewReplacer(":", "", " ", "").Replace(strings.TrimPrefix(s, "0x")))
	if err != nil {
		return nil, errors.New("no hexadecimal digits")
	}
	return raw, nil
}

// optionObject is an option as Kea answers it: without the content of one of type empty.
func (o *Options) optionObject(d kea.OptionData) object {
	out := object{"code": d.Code, "space": d.Space, "always-send": *d.AlwaysSend, "never-send": *d.NeverSend}
	if d.Name != "" {
		out[memberName] = d.Name
	}
	if len(d.ClientClasses) > 0 {
		out["client-classes"] = d.ClientClasses
	}
	if d.CSVFormat != nil {
		out["csv-format"], out["data"] = *d.CSVFormat, d.Data
	}
	if def, _ := o.definition(d); def.Type == typeEmpty && d.CSVFormat != nil {
		out["data"] = ""
	}
	for name, raw := range d.Extra {
		out[name] = raw
	}
	return out
}

// optionObjects are options as Kea answers them in a configuration.
func (o *Options) optionObjects(in []kea.OptionData) []object {
	out := make([]object, 0, len(in))
	for _, d := range in {
		if err := o.canonicalOption(&d); err != nil {
			panic("keatest: " + err.Error())
		}
		out = append(out, o.optionObject(d))
	}
	return out
}
