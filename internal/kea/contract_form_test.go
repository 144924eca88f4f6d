// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"encoding/json"
	"fmt"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
)

// Hosts and leases are written in the one form that is read quickly: members in order, numbers as
// digits. A host is the same, byte by byte once its layout is gone, read in a page or by itself, and as
// this client would write it: two snapshots can be compared without parsing.
func contractPageForm(t *testing.T, st stand) {
	s := st.start(t, setup{})
	full := host(hw2, "10.123.0.52")
	full.Hostname, full.ServerHostname, full.BootFileName, full.NextServer = "vm02", "tftp", "boot.img", "10.0.0.9"
	full.ClientClasses = []string{"a", "b"}
	full.OptionData = []kea.OptionData{option("domain-name-servers", 6, true, "10.0.0.2"), option("", 230, false, "E9")}
	full.UserContext = map[string]any{"crossplane": map[string]any{"cluster": "c1", "resource": "ns/a", "manages": []any{"hostname"}}, "note": []any{"x", json.Number("1")}}
	s.mustAdd(t, s.target, host(hw1, "10.123.0.51"), full, host("00:00:00:00:00:0a", ""))
	_, _, raw := s.answer(t, "reservation-get-page", `{"limit": 10}`)
	var page struct {
		Hosts []json.RawMessage `json:"hosts"`
	}
	if err := json.Unmarshal(raw, &page); err != nil || len(page.Hosts) != 3 {
		t.Fatalf("got %s, %v", raw, err)
	}
	for _, raw := range page.Hosts {
		listed, ok := kea.CompactHost(raw)
		if !ok {
			t.Errorf("it is written in another form: %s", raw)
			continue
		}
		_, _, single := s.answer(t, "reservation-get", fmt.Sprintf(`{"subnet-id": 1, "identifier-type": "hw-address", "identifier": %q, "operation-target": %q}`, listed.HWAddress, s.target))
		if alone, ok := kea.CompactHost(single); !ok || alone != listed {
			t.Errorf("by itself it is %s, in a page %s", single, raw)
		}
		r := listed.Reservation()
		if made := kea.HostOf(&r); made != listed {
			t.Errorf("in a page it is %s, made of what was read %+v", raw, made)
		}
	}
	addLeases(t, s)
	_, _, raw = s.answer(t, "lease4-get-page", `{"from": "start", "limit": 10}`)
	var leases struct {
		Leases []json.RawMessage `json:"leases"`
	}
	if err := json.Unmarshal(raw, &leases); err != nil || len(leases.Leases) == 0 {
		t.Fatalf("got %s, %v", raw, err)
	}
	for _, raw := range leases.Leases {
		if _, ok := kea.PlainLease(raw); !ok {
			t.Errorf("it is written in another form: %s", raw)
		}
	}
}
