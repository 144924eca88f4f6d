// SPDX-License-Identifier: Apache-2.0

package keatest

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Kinds of identifiers, and other names of members that occur in several places.
const (
	kindHWAddress = "hw-address"
	kindDUID      = "duid"
	kindClientID  = "client-id"
	kindCircuitID = "circuit-id"
	kindFlexID    = "flex-id"

	memberCount      = "count"
	memberHosts      = "hosts"
	memberName       = "name"
	memberOptionData = "option-data"
)

// identifier is a kind and value.
type identifier struct{ kind, value string }

// identify returns the identifier of a host in canonical form.
func identify(r kea.Reservation) identifier {
	switch {
	case r.HWAddress != "":
		return identifier{kindHWAddress, string(r.HWAddress)}
	case r.DUID != "":
		return identifier{kindDUID, r.DUID}
	case r.ClientID != "":
		return identifier{kindClientID, r.ClientID}
	case r.CircuitID != "":
		return identifier{kindCircuitID, r.CircuitID}
	default:
		return identifier{kindFlexID, r.FlexID}
	}
}

// canonicalIdentifier gives an identifier the form in which Kea answers: hardware address and DUID
// in lower case with colons, the others in upper case without. It reads colons, no colons, and
// 'text', of any length.
func canonicalIdentifier(kind, value string) (string, error) {
	raw, err := identifierBytes(value)
	if err != nil || len(raw) == 0 {
		return "", fmt.Errorf("invalid host identifier value '%s'", value)
	}
	if kind != kindHWAddress && kind != kindDUID {
		return strings.ToUpper(hex.EncodeToString(raw)), nil
	}
	parts := make([]string, len(raw))
	for i, b := range raw {
		parts[i] = hex.EncodeToString([]byte{b})
	}
	return strings.Join(parts, ":"), nil
}

func identifierBytes(s string) ([]byte, error) {
	if len(s) > 2 && s[0] == '\'' && s[len(s)-1] == '\'' {
		return []byte(s[1 : len(s)-1]), nil
	}
	if !strings.Contains(s, ":") {
		return hex.DecodeString(s)
	}
	var out []byte
	for part := range strings.SplitSeq(s, ":") {
		if len(part) == 1 {
			part = "0" + part // Kea reads 0:2:12:34:56:78 too.
		}
		b, err := hex.DecodeString(part)
		if err != nil || len(b) != 1 {
			return nil, fmt.Errorf("invalid part %q", part)
		}
		out = append(out, b...)
	}
	return out, nil
}

// canonical gives a host the form in which Kea keeps it.
func (o *Options) canonical(r *kea.Reservation) error {
	kinds := map[string]*string{kindDUID: &r.DUID, kindClientID: &r.ClientID, kindCircuitID: &r.CircuitID, kindFlexID: &r.FlexID}
	hw := string(r.HWAddress)
	kinds[kindHWAddress] = &hw
	for kind, value := range kinds {
		if *value == "" {
			continue
		}
		v, err := canonicalIdentifier(kind, *value)
		if err != nil {
			return err
		}
		*value = v
	}
	r.HWAddress = kea.HWAddress(hw)
	r.OptionData = slices.Clone(r.OptionData)
	for i := range r.OptionData {
		if err := o.canonicalOption(&r.OptionData[i]); err != nil {
			return err
		}
	}
	return nil
}

// parseHost reads a host as Kea's parser does.
func (o *Options) parseHost(raw json.RawMessage) (r kea.Reservation, hasSubnet bool, err error) {
	var m map[string]json.RawMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return r, false, errors.New("reservation must be a map")
	}
	if err := json.Unmarshal(raw, &r); err != nil {
		return r, false, err
	}
	for name := range r.Extra {
		return r, false, fmt.Errorf("unsupported configuration parameter '%s'", name)
	}
	var kinds []string
	for _, kind := range []string{kindHWAddress, kindDUID, kindClientID, kindCircuitID, kindFlexID} {
		if _, ok := m[kind]; ok {
			kinds = append(kinds, kind)
		}
	}
	switch {
	case len(kinds) == 0:
		return r, false, errors.New("one of the supported identifiers must be specified for host reservation: circuit-id, client-id, duid, flex-id, hw-address")
	case len(kinds) > 1:
		return r, false, fmt.Errorf("the '%s' and '%s' are mutually exclusive", kinds[0], kinds[1])
	case string(m["ip-address"]) == `"0.0.0.0"`:
		return r, false, errors.New("must not make reservation for the '0.0.0.0' address")
	}
	_, hasSubnet = m["subnet-id"]
	return r, hasSubnet, o.canonical(&r)
}

// hostObject is a host as Kea answers it, with all defaults.
func (o *Options) hostObject(h host) object {
	r := h.Reservation
	id := identify(r)
	options := make([]object, 0, len(r.OptionData))
	for _, d := range r.OptionData {
		options = append(options, o.optionObject(d))
	}
	nextServer := r.NextServer
	if nextServer == "" {
		nextServer = "0.0.0.0"
	}
	out := object{
		id.kind: id.value, "boot-file-name": r.BootFileName, "client-classes": append([]string{}, r.ClientClasses...), "hostname": r.Hostname,
		"next-server": nextServer, memberOptionData: options, "server-hostname": r.ServerHostname, "subnet-id": r.SubnetID,
	}
	if r.IPAddress.IsValid() {
		out["ip-address"] = r.IPAddress
	}
	if len(r.UserContext) > 0 {
		out["user-context"] = r.UserContext
	}
	for name, raw := range maps.All(r.Extra) {
		out[name] = raw
	}
	if h.unreadable {
		out["client-classes"] = "not a list"
	}
	return out
}
