// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"encoding/json"
	"net/netip"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

func TestParseHWAddress(t *testing.T) {
	const good = "00:02:12:34:ab:cd"
	cases := map[string]struct{ reason, in, want string }{
		"Canonical":  {"Stays.", good, good},
		"UpperCase":  {"Lower case it is.", "00:02:12:34:AB:CD", good},
		"Dashes":     {"As Windows writes it.", "00-02-12-34-AB-CD", good},
		"Cisco":      {"As switches write it.", "0002.1234.ABCD", good},
		"Colonless":  {"Could be another identifier.", "00021234abcd", ""},
		"Empty":      {"Nothing.", "", ""},
		"FiveBytes":  {"Too short.", "00:02:12:34:ab", ""},
		"SevenBytes": {"Too long.", "00:02:12:34:ab:cd:ef", ""},
		"CiscoShort": {"Too short.", "0002.1234", ""},
		"NoHex":      {"Not a digit.", "00:02:12:34:ab:cg", ""},
		"OneDigit":   {"Each part has two.", "0:2:12:34:ab:cd", ""},
		"Mixed":      {"One kind of separator.", "00:02-12:34-ab:cd", ""},
		"Space":      {"Not trimmed: a field with a space is a mistake.", " " + good, ""},
		"Multicast":  {"Not ours to judge.", "01:00:5e:00:00:01", "01:00:5e:00:00:01"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := kea.ParseHWAddress(tc.in)
			if string(got) != tc.want || (err == nil) != (tc.want != "") {
				t.Errorf("%s ParseHWAddress(%q): got %q, %v, want %q", tc.reason, tc.in, got, err, tc.want)
			}
		})
	}
}

func TestLeaseActive(t *testing.T) {
	start := time.Unix(1700000000, 0).UTC()
	cases := map[string]struct {
		reason string
		lease  kea.Lease
		at     time.Duration
		want   bool
	}{
		"Running":        {"Before its end.", kea.Lease{CLTT: start, ValidLifetime: time.Hour}, time.Hour - time.Second, true},
		"JustOver":       {"At its end it is over.", kea.Lease{CLTT: start, ValidLifetime: time.Hour}, time.Hour, false},
		"Infinite":       {"It never ends.", kea.Lease{CLTT: start, ValidLifetime: kea.InfiniteLifetime}, 200 * 365 * 24 * time.Hour, true},
		"AlmostInfinite": {"One second less is a time.", kea.Lease{CLTT: start, ValidLifetime: kea.InfiniteLifetime - time.Second}, time.Hour, true},
		"Declined":       {"Nobody has it.", kea.Lease{CLTT: start, ValidLifetime: time.Hour, State: kea.LeaseStateDeclined}, 0, false},
		"Reclaimed":      {"Kept for a while.", kea.Lease{CLTT: start, ValidLifetime: time.Hour, State: kea.LeaseStateExpiredReclaimed}, 0, false},
		"Released":       {"Given back.", kea.Lease{CLTT: start, ValidLifetime: kea.InfiniteLifetime, State: kea.LeaseStateReleased}, 0, false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := tc.lease.Active(start.Add(tc.at)); got != tc.want {
				t.Errorf("%s got %t", tc.reason, got)
			}
		})
	}
	if end, ends := cases["Running"].lease.Expires(); !ends || !end.Equal(start.Add(time.Hour)) {
		t.Errorf("Expires: got %s, %t", end, ends)
	}
	if _, ends := cases["Infinite"].lease.Expires(); ends {
		t.Error("an infinite lease ends")
	}
}

func TestReservationClone(t *testing.T) {
	r := full()
	r.Extra = extra("new", "1")
	c := r.Clone()
	if diff := cmp.Diff(r, c, compare); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
	c.ClientClasses[0] = "changed"
	c.OptionData[0].Data = "changed"
	*c.OptionData[0].AlwaysSend = true
	*c.OptionData[0].NeverSend = true
	c.OptionData[1].Extra["user-context"][0] = 'X'
	c.UserContext["crossplane"].(map[string]any)["cluster"] = "changed"
	c.UserContext["list"].([]any)[3].(map[string]any)["deep"] = "changed"
	c.Extra["new"][0] = '2'
	want := full()
	want.Extra = extra("new", "1")
	if diff := cmp.Diff(want, r, compare); diff != "" {
		t.Errorf("a change of the copy changed the original: -want +got:\n%s", diff)
	}
}

// What this client does not know survives, also on the way through a program that only reads and
// writes.
func TestReservationJSON(t *testing.T) {
	const in = `{"boot-file-name": "", "client-classes": [ ], "hostname": "", "hw-address": "00:00:00:00:00:AB", "next-server": "0.0.0.0", "new": {"a": [ 1 ]},
		"option-data": [ {"code": 6, "newer": 1.50} ], "server-hostname": "", "subnet-id": 3, "user-context": {"n": 12345678901234567890}}`
	var r kea.Reservation
	if err := json.Unmarshal([]byte(in), &r); err != nil {
		t.Fatal(err)
	}
	want := kea.Reservation{
		SubnetID: 3, HWAddress: "00:00:00:00:00:ab", Extra: extra("new", `{"a":[1]}`),
		OptionData:  []kea.OptionData{{Code: 6, Extra: extra("newer", "1.50")}},
		UserContext: map[string]any{"n": json.Number("12345678901234567890")},
	}
	if diff := cmp.Diff(want, r, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	out, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const wantOut = `{"hw-address":"00:00:00:00:00:ab","new":{"a":[1]},"option-data":[{"code":6,"newer":1.50}],"subnet-id":3,"user-context":{"n":12345678901234567890}}`
	if diff := cmp.Diff(wantOut, string(out)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestPoolContains(t *testing.T) {
	p := kea.Pool{First: netip.MustParseAddr("10.0.0.64"), Last: netip.MustParseAddr("10.0.0.79")}
	for ip, want := range map[string]bool{"10.0.0.63": false, "10.0.0.64": true, "10.0.0.79": true, "10.0.0.80": false} {
		if got := p.Contains(netip.MustParseAddr(ip)); got != want {
			t.Errorf("%s: got %t", ip, got)
		}
	}
}
