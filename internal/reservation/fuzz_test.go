// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"encoding/json"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// fuzzView is a server that has a host for the device.
func fuzzView(h *kea.Reservation) reservation.View {
	return reservation.View{
		Store: reservation.Store{Server: "kea1", Place: kea.TargetMemory}, Primary: true,
		Subnet: subnet, SubnetFound: true, SubnetsKnown: true, Subnets: []kea.Subnet{subnet}, LeasesKnown: true, Host: h,
	}
}

// FuzzMark: whatever is in a user-context, it is read in the same way each time and is not changed by
// that, and a reservation that is marked as another owner's is left alone.
func FuzzMark(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"crossplane": {"cluster": "c1", "resource": "ns/vm01", "manages": ["hostname", 5]}, "site": [1.50]}`,
		`{"crossplane": null}`, `{"crossplane": "x"}`, `{"crossplane": {"cluster": 1, "resource": {}}}`, `{"crossplane": {"cluster": "c2", "resource": "ns/vm01"}}`, `{"crossplane": {"manages": {}}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, userContext []byte) {
		raw := append(append([]byte(`{"hw-address": "`+string(mac)+`", "subnet-id": 1, "ip-address": "10.123.0.50", "user-context": `), userContext...), '}')
		var h kea.Reservation
		if json.Unmarshal(raw, &h) != nil || h.HWAddress != mac || h.SubnetID != subnet.ID {
			return
		}
		before := h.Clone()
		me := reservation.Owner{Cluster: "c1", Resource: "ns/vm01"}
		in := reservation.Intent{Resource: me.Resource, Subnet: reservation.SubnetRef{Prefix: subnet.Prefix}, HWAddress: mac, Address: netip.MustParseAddr("10.123.0.51"), Hostname: new("vm01")}
		p := reservation.Decide([]reservation.View{fuzzView(&h)}, in, me)
		owner, marked := reservation.OwnerOf(&h)
		if marked && owner != me && len(p.Steps) > 0 {
			t.Errorf("a reservation of %v is changed: %+v", owner, p.Steps)
		}
		if diff := cmp.Diff(before, h, cmpopts.EquateComparable(netip.Addr{})); diff != "" {
			t.Errorf("it was changed: -before +after:\n%s", diff)
		}
		for _, step := range p.Steps {
			if o, _ := reservation.OwnerOf(&step.Want); o != me {
				t.Errorf("it is written with the mark of %v", o)
			}
		}
	})
}

// FuzzOptions: what is made of options that are there and options that are wanted is what is wanted:
// with it, nothing is left to do.
func FuzzOptions(f *testing.F) {
	for _, seed := range [][2]string{
		{`[]`, `[{"name": "routers", "data": "10.0.0.1"}]`},
		{`[{"code": 6, "name": "domain-name-servers", "space": "dhcp4", "csv-format": true, "data": "10.0.0.2"}]`, `[{"code": 6, "data": "10.0.0.3", "always-send": true}]`},
		{`[{"code": 125, "data": "a"}, {"code": 125, "data": "b", "client-classes": ["x"]}]`, `[{"code": 125, "data": "b"}]`},
		{`[{"code": 43, "csv-format": false, "data": ""}]`, `[{"code": 43, "never-send": true}]`},
		{`[{"code": 12, "data": "x", "user-context": {}}]`, `[]`},
		{`[{"code": 125, "data": "a"}, {"code": 125, "data": "a"}]`, `[{"code": 125, "data": "a"}]`},
		{`[{"code": 125, "client-classes": [""]}]`, `[{"code": 125}]`},
		{`[{"code": 125, "client-classes": ["a,b"]}, {"code": 125, "client-classes": ["a", "b"]}]`, `[{"code": 125, "client-classes": ["a", "b"]}]`},
		{`[{}, {"data": "x"}, {"code": 6, "data": "10.0.0.2"}]`, `[{"name": "routers", "data": "10.0.0.1"}]`},
	} {
		f.Add([]byte(seed[0]), []byte(seed[1]))
	}
	f.Fuzz(func(t *testing.T, have, want []byte) {
		var has, wants []kea.OptionData
		if json.Unmarshal(have, &has) != nil || json.Unmarshal(want, &wants) != nil {
			return
		}
		for _, o := range wants {
			if o.Name == "" && o.Code == 0 || len(o.Extra) > 0 {
				return // The API takes no such option.
			}
		}
		me := reservation.Owner{Cluster: "c1", Resource: "ns/vm01"}
		in := reservation.Intent{
			Resource: me.Resource, Subnet: reservation.SubnetRef{Prefix: subnet.Prefix}, HWAddress: mac,
			Address: netip.MustParseAddr("10.123.0.50"), OptionData: wants,
		}
		h := kea.Reservation{SubnetID: subnet.ID, HWAddress: mac, IPAddress: in.Address, OptionData: has}
		p := reservation.Decide([]reservation.View{fuzzView(&h)}, in, me)
		if len(p.Steps) != 1 {
			return // Opaque, or nothing to do.
		}
		after := p.Steps[0].Want
		if again := reservation.Decide([]reservation.View{fuzzView(&after)}, in, me); len(again.Steps) > 0 {
			t.Errorf("something is left to do: %s", cmp.Diff(after.OptionData, again.Steps[0].Want.OptionData))
		}
	})
}
