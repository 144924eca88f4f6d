// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// FuzzAnswer: whatever a server answers, no command panics, and every error is one that callers
// know.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		goodAnswer, "", "[]", "null", `{"result": 401}`, `[{"result": 3}]`,
		`[{"result": 0, "arguments": {"hosts": [{"hw-address": "00:00:01", "ip-address": "10.0.0.1", "option-data": [{"code": 6}]}], "next": {"from": 1, "source-index": 0}}}]`,
		`[{"result": 0, "arguments": {"leases": [{"ip-address": "10.0.0.1", "valid-lft": 4294967295, "cltt": -1}]}}]`,
		`[{"result": 0, "arguments": {"subnets": [{"id": 1, "subnet": "10.0.0.0/24"}]}}]`,
		`[{"result": 0, "arguments": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "pools": [{"pool": "10.0.0.1-10.0.0.9"}, {"pool": "::/0"}]}]}}]`,
		`[{"result": 1, "text": "\u00c3\u00bc\ud800\\u00e9"}]`,
		`[{"result": 0, "arguments": {"Dhcp4": {"hosts-databases": [{"type": "mysql"}], "shared-networks": [{"name": "n", "subnet4": [{"id": 1, "subnet": "10.0.0.0/24"}]}]}}}]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = w.Write(body)
		}))
		defer srv.Close()
		c := newClient(t, kea.Config{URL: srv.URL})
		for name, run := range reads(t.Context(), c) {
			if got := class(run()); got == "other" {
				t.Errorf("%s: an error of no known kind", name)
			}
		}
		_, _ = c.Status(t.Context())
		_, _ = c.ProbeDatabase(t.Context())
	})
}

// FuzzReservation: what can be read can be written, and is the same when read again.
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
		_ = first.Clone()
	})
}
