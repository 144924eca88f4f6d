// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// answers are seeds: one for each shape that Kea answers with, and some that it does not.
var answers = []string{
	goodAnswer, "", "[]", "null", `{"result": 401}`, `[{"result": 3}]`, `[{"result": 0, "arguments": ["list-commands", "reservation-get"]}]`,
	`[{"result": 0, "arguments": {"hosts": [{"hw-address": "00:00:01", "ip-address": "10.0.0.1", "option-data": [{"code": 6}]}], "next": {"from": 1, "source-index": 0}}}]`,
	`[{"result": 0, "arguments": {"hosts": [{"hw-address": "00:00:01"}, 5, null], "next": {"from": 1, "source-index": 0}}}]`,
	`[{"arguments": {"hw-address": "00:00:00:00:00:01", "subnet-id": 1, "user-context": {"a": [1.50, {"b": null}]}}, "result": 0, "text": "Host found."}]`,
	`[{"result": 0, "arguments": {"leases": [{"ip-address": "10.0.0.1", "valid-lft": 4294967295, "cltt": -1}]}}]`,
	`[{"result": 0, "arguments": {"leases": [{"ip-address": "::1"}, {"ip-address": "10.0.0.2", "hw-address": "AA", "state": 1}]}}]`,
	`[{"result": 0, "arguments": {"subnets": [{"id": 1, "subnet": "10.0.0.0/24", "shared-network-name": null}]}}]`,
	`[{"result": 0, "arguments": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.1-10.0.0.9"}, {"pool": "::/0"}]}]}}]`,
	`[{"result": 0, "arguments": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "option-data": [{"name": "routers", "data": "10.0.0.1, 10.0.0.2"}]}]}}]`,
	`[{"result": 1, "text": "\u00c3\u00bc\ud800\\u00e9"}]`,
	`[{"result": 0, "arguments": {"Dhcp4": {"hosts-databases": [{"type": "mysql"}], "shared-networks": [{"name": "n", "subnet4": [{"id": 1, "subnet": "10.0.0.0/24"}]}]}}}]`,
	`[{"result": 0, "arguments": {"Dhcp4": {"match-client-id": false, "subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.0/25"}],
		"reservations": [{"duid": "01", "option-data": [{"code": 43, "csv-format": false, "data": ""}]}]}]}}}]`,
	`[{"result": 0, "arguments": {"pid": 1, "uptime": 5, "reload": 5, "high-availability": [{"ha-mode": "load-balancing", "ha-servers": {"local": {"state": "x"}}}]}}]`,
	`[{"result": 0, "arguments": {"pkt4-nak-received": [[0, "2026-01-01 00:00:00.000000"]]}}]`,
}

// FuzzAnswer: whatever a server answers, no command panics, every error is one that callers know, and
// no text of it is long or more than a line.
func FuzzAnswer(f *testing.F) {
	for _, seed := range answers {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := newClient(t, answering(string(body)))
		runs := reads(t.Context(), c)
		runs["Status"] = func() error { _, err := c.Status(t.Context()); return err }
		runs["ProbeDatabase"] = func() error { _, err := c.ProbeDatabase(t.Context()); return err }
		runs["Instance"] = func() error { _, err := c.Instance(t.Context()); return err }
		runs["AddReservation"] = func() error { return c.AddReservation(t.Context(), kea.TargetMemory, host(hw1, "10.0.0.1")) }
		for name, run := range runs {
			err := run()
			if got := class(err); got == "other" {
				t.Errorf("%s: an error of no known kind: %v", name, err)
			}
			if err != nil && len(err.Error()) > kea.MaxMessage {
				t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
			}
		}
	})
}

// FuzzPage: the hosts and leases of a page are no more than were asked for, and none is lost: each is
// either read or reported.
func FuzzPage(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{},{}`, `null,5,"x",[],{"hw-address":"00:01","subnet-id":7}`,
		`{"ip-address":"10.0.0.1"},{"ip-address":"10.0.0.2","hw-address":"AA:BB","cltt":9223372036854775807,"valid-lft":1}`, `{"ip-address":"10.0.0.256","option-data":[{}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, entries []byte) {
		var list []json.RawMessage
		if json.Unmarshal([]byte("["+string(entries)+"]"), &list) != nil {
			return
		}
		const limit = 5
		c := newClient(t, answering(`[{"result": 0, "arguments": {"hosts": [`+string(entries)+`], "leases": [`+string(entries)+`], "next": {"from": 1, "source-index": 0}}}]`))
		check := func(read, unreadable int, err error) {
			switch {
			case len(list) > limit:
				wantClass(t, "too many", err, "limit")
			case err == nil && read+unreadable != len(list):
				t.Errorf("of %d entries, %d are read and %d reported", len(list), read, unreadable)
			}
		}
		for page, err := range c.MemoryPages(t.Context(), limit) {
			check(len(page.Hosts), len(page.Unreadable), err)
			break
		}
		for page, err := range c.LeasePages(t.Context(), limit) {
			check(len(page.Leases), len(page.Unreadable), err)
			for _, l := range page.Leases {
				if !l.IPAddress.Is4() || l.Infinite() != (l.ValidLifetime == kea.InfiniteLifetime) {
					t.Errorf("got %+v", l)
				}
			}
			break
		}
	})
}

// FuzzSubnets: subnets that are read have an id and a masked prefix, and a configuration is the same
// whether its subnets are in a shared network or not.
func FuzzSubnets(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"subnet":"10.0.0.0/24"}`, `{"id":1,"subnet":"10.0.0.9/24","pools":[{"pool":"10.0.0.0/28"},{"pool":"10.0.0.64 - 10.0.0.99"}]},{"id":2,"subnet":"::/0"}`,
		`{"id":4294967295,"subnet":"10.0.0.0/33"}`, `{"reservations-in-subnet":false,"id":1,"subnet":"10.0.0.0/8","reservations":[{"option-data":[{"csv-format":false}]}]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, subnets []byte) {
		var list []json.RawMessage
		if json.Unmarshal([]byte("["+string(subnets)+"]"), &list) != nil {
			return
		}
		read, err := newClient(t, answering(`[{"result": 0, "arguments": {"subnets": [`+string(subnets)+`]}}]`)).Subnets(t.Context())
		if err == nil && len(read) != len(list) {
			t.Errorf("of %d subnets, %d are read", len(list), len(read))
		}
		for _, s := range read {
			if s.ID == 0 || s.Prefix != s.Prefix.Masked() || !s.Prefix.Contains(kea.LastAddress(s.Prefix)) {
				t.Errorf("got %+v", s)
			}
		}
		configured := func(body string) (kea.Configuration, error) {
			return newClient(t, answering(`[{"result": 0, "arguments": {"Dhcp4": `+body+`}}]`)).Configuration(t.Context())
		}
		alone, err1 := configured(`{"subnet4": [` + string(subnets) + `]}`)
		shared, err2 := configured(`{"shared-networks": [{"name": "n", "subnet4": [` + string(subnets) + `]}]}`)
		if class(err1) != class(err2) {
			t.Errorf("got %v and %v", err1, err2)
		}
		if diff := cmp.Diff(alone, shared, compare); err1 == nil && diff != "" {
			t.Errorf("-alone +shared:\n%s", diff)
		}
	})
}

// FuzzReservation: what can be read can be written, and is the same when read again; and it takes
// about the memory that it says.
func FuzzReservation(f *testing.F) {
	for _, seed := range []string{
		"{}", `{"hw-address": "00:00:00:00:00:01", "subnet-id": 1, "ip-address": "10.0.0.1"}`,
		`{"next-server": "0.0.0.0", "client-classes": ["a"], "user-context": {"a": {"b": [1.50, null]}}, "x": {"y": [ 1 ]}}`,
		`{"option-data": [{"name": "routers", "code": 3, "always-send": true, "csv-format": false, "z": "\u00fc"}]}`,
		`{"hostname": "a\u00e9\u00c3\u00bc\u20ac", "client-classes": ["\u00ff"], "user-context": {"\u00e9": ["\u0080"]}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var first, second kea.Reservation
		if json.Unmarshal(in, &first) != nil {
			return
		}
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false) // It would write unknown members in another way.
		if err := e.Encode(first); err != nil {
			t.Fatalf("cannot write what was read: %v", err)
		}
		if err := json.Unmarshal(out.Bytes(), &second); err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		byValue := cmp.Transformer("byValue", func(raw json.RawMessage) (v any) {
			if err := json.Unmarshal(raw, &v); err != nil {
				t.Fatalf("an unknown member is no JSON: %v", err)
			}
			return v
		})
		if diff := cmp.Diff(first, second, compare, byValue); diff != "" {
			t.Errorf("-first +second:\n%s", diff)
		}
		if diff := cmp.Diff(first, first.Clone(), compare, byValue); diff != "" {
			t.Errorf("-first +clone:\n%s", diff)
		}
		if n := first.Memory(); n < len(first.Hostname)+len(first.HWAddress)+100*len(first.OptionData) || n > 1000+200*len(in) {
			t.Errorf("it takes %d bytes, from %d of JSON", n, len(in))
		}
	})
}

// FuzzPrintable: any bytes become one line of UTF-8 that is not too long, and stay so.
func FuzzPrintable(f *testing.F) {
	f.Add("plain", 20)
	f.Add("\xff\xfe\x80ü\n\u2028", 7)
	f.Add(strings.Repeat("é", 50), 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = 3 + (limit&0x7fff)%1000
		got := kea.Printable(s, limit)
		if len(got) > limit || !utf8.ValidString(got) || strings.ContainsFunc(got, unicode.IsControl) {
			t.Errorf("got %q (%d bytes of %d)", got, len(got), limit)
		}
		if again := kea.Printable(got, limit); again != got {
			t.Errorf("got %q, and again %q", got, again)
		}
	})
}

// FuzzHWAddress: an address that is read is written in one way, and that reads as itself.
func FuzzHWAddress(f *testing.F) {
	for _, seed := range []string{"00:02:12:34:56:78", "00-02-12-34-56-AB", "0002.1234.5678", "000212345678", "0:2:12:34:56:78", "00:02:12:34:56:78:9a", "ü", ":::::", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := kea.ParseHWAddress(s)
		if err != nil {
			return
		}
		if len(a) != 17 || strings.ToLower(string(a)) != string(a) {
			t.Errorf("%q reads as %q", s, a)
		}
		for _, form := range []string{string(a), strings.ToUpper(string(a)), strings.ReplaceAll(string(a), ":", "-")} {
			if again, err := kea.ParseHWAddress(form); again != a || err != nil {
				t.Errorf("%q reads as %q, and that as %q, %v", s, form, again, err)
			}
		}
	})
}
