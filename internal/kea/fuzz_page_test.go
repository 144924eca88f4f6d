// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

// FuzzHost: a host of a page reads as it does by itself, whatever it looks like, and is the same as
// one that is made of what was read.
func FuzzHost(f *testing.F) {
	for _, seed := range []string{
		hostJSON(7), "{}", "null", "5", `{ "hw-address" : "AA:bb" , "subnet-id" : 4294967295 }`, `{"hw-address":"\u0061","subnet-id":1}`,
		`{"subnet-id":1,"hw-address":"00:01"}`, `{"subnet-id":1,"subnet-id":2}`, `{"ip-address":"10.0.0.01"}`, `{"ip-address":"::1"}`, `{"ip-address":"0.0.0.0"}`,
		`{"client-classes":["a",null],"option-data":[{"always-send":false,"code":6,"csv-format":true,"data":"10.0.0.2","name":"domain-name-servers","never-send":false,"space":"dhcp4"}]}`,
		`{"option-data":[{"code":65536}]}`, `{"option-data":[null]}`, `{"option-data":{}}`, `{"user-context":{"crossplane":{"cluster":"\u00e9"}},"x":[ 1 , {"y":" a b "}]}`,
		`{"user-context":[]}`, `{"user-context":null}`, `{"hostname":5}`, `{"hostname":"\ud800ü"}`, `{"next-server":"0.0.0.0","subnet-id":-1}`, `{"duid":null,"flex-id":"0A"}`,
		`{"not-known":{"x":"\u1000"}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) {
			return
		}
		c := newClient(t, answering(`[{"result": 0, "arguments": {"hosts": [`+string(in)+`], "next": {"from": 1, "source-index": 0}}}]`))
		page := first(t, c.MemoryPages(t.Context(), 1))
		if len(page.Hosts)+len(page.Unreadable) != 1 {
			t.Fatalf("got %d hosts, and %v", len(page.Hosts), page.Unreadable)
		}
		var want kea.Reservation
		err := json.Unmarshal(in, &want)
		if err != nil || len(page.Unreadable) > 0 {
			// More is not readable only where it is too large or nested too deeply.
			if err != nil && len(page.Hosts) > 0 || err == nil && len(in) < 100 {
				t.Fatalf("by itself: %v, in a page: %v", err, page.Unreadable)
			}
			return
		}
		h := page.Hosts[0]
		if h.SubnetID != want.SubnetID || h.HWAddress != want.HWAddress || h.IPAddress != want.IPAddress {
			t.Errorf("it is found by %+v, want %+v", h, want)
		}
		// What this client does not know may be written in another way, such as without escapes.
		byValue := cmp.Transformer("byValue", func(raw json.RawMessage) (v any) {
			_ = json.Unmarshal(raw, &v)
			return v
		})
		if diff := cmp.Diff(want, h.Reservation(), compare, byValue); diff != "" {
			t.Errorf("-by itself, +in a page:\n%s", diff)
		}
		if diff := cmp.Diff(want.UserContext, h.UserContext()); diff != "" {
			t.Errorf("UserContext: -want +got:\n%s", diff)
		}
		again := kea.HostOf(&want)
		if diff := cmp.Diff(want, again.Reservation(), compare, byValue); diff != "" {
			t.Errorf("-read, +made of what was read:\n%s", diff)
		}
		if n := h.Memory(); n < len(h.HWAddress) || n > 1000+3*len(in) {
			t.Errorf("it takes %d bytes, from %d of JSON", n, len(in))
		}
	})
}

// FuzzLease: a lease reads in one way, whichever of the two that there are is taken.
func FuzzLease(f *testing.F) {
	for _, seed := range []string{
		leaseJSON(7), "{}", "null", `{"cltt":-1,"ip-address":"10.0.0.1"}`, `{"IP-Address":"10.0.0.1"}`, `{"ip-address":"10.0.0.1","valid-lft":4294967296}`,
		`{"cltt":1,"hostname":null,"hw-address":"AA","ip-address":"255.255.255.255"}`, `{"ip-address":"1.2.3"}`, `{"ip-address":"1.2.3.4.5"}`, `{"ip-address":"1.2.3.256"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		if !json.Valid(in) {
			return
		}
		got, ok := kea.PlainLease(json.RawMessage(in))
		if !ok {
			return
		}
		want, err := kea.ParseLease(in)
		if err != nil || got != want {
			t.Errorf("got %+v, want %+v, %v", got, want, err)
		}
	})
}
