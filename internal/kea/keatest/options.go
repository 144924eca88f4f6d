// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/vitistack/provider-kea/internal/kea"
)

// definitions are the options that a Server knows by name, of the many that Kea does.
func definitions() map[string]uint16 {
	return map[string]uint16{
		"routers": 3, "time-servers": 4, "domain-name-servers": 6, "log-servers": 7, "domain-name": 15, "interface-mtu": 26, "ntp-servers": 42,
		"tftp-server-name": 66, "boot-file-name": 67, "domain-search": 119,
	}
}

// canonicalOption fills in what Kea does: the name for the code and the reverse, the space, the flags.
func canonicalOption(o *kea.OptionData) error {
	if o.Space == "" {
		o.Space = "dhcp4"
	}
	defined := false
	for name, code := range definitions() {
		if o.Space == "dhcp4" && (o.Name == name || (o.Name == "" && o.Code == code)) {
			o.Name, o.Code, defined = name, code, true
		}
	}
	if !defined && o.Code == 0 {
		return fmt.Errorf("definition for the option '%s.%s' does not exist", o.Space, o.Name)
	}
	if o.AlwaysSend == nil {
		o.AlwaysSend = new(bool)
	}
	if o.NeverSend == nil {
		o.NeverSend = new(bool)
	}
	if o.CSVFormat == nil {
		o.CSVFormat = &defined
	}
	if _, err := hex.DecodeString(o.Data); err != nil && !*o.CSVFormat {
		return fmt.Errorf("option data is not a valid string of hexadecimal digits: %s", o.Data)
	}
	return nil
}

// optionObject is an option as Kea answers it.
func optionObject(o kea.OptionData) object {
	out := object{}
	raw, err := json.Marshal(o)
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		panic(fmt.Sprintf("keatest: cannot encode an option: %v", err))
	}
	out["data"] = o.Data
	return out
}
