// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// raw43 is an option whose content Kea does not return.
var raw43 = map[string]any{"code": 43, "csv-format": false, "data": "010107"}

// richReal sets everything that Configuration reads, at every level.
func richReal(o *testenv.KeaOptions) {
	options := []any{raw43}
	o.Extra["match-client-id"], o.Extra["reservations-global"] = false, true
	o.Extra["ip-reservations-unique"] = false
	o.Extra["host-reservation-identifiers"] = []string{"hw-address", "flex-id"}
	o.Extra["option-data"] = options
	o.Extra["option-def"] = []any{
		map[string]any{"name": "container", "code": 222, "type": "empty", "encapsulate": "inner"},
		map[string]any{"name": "number", "code": 223, "type": "uint8", "encapsulate": "inner"},
	}
	o.Extra["client-classes"] = []any{map[string]any{"name": "gold", "option-data": []any{map[string]any{"code": 222, "csv-format": false, "data": "010107"}}}}
	o.SharedNetworks = map[string]map[string]any{"shared": {"reservations-out-of-pool": true, "match-client-id": true, "option-data": options}}
	a, b := &o.Subnets[0], &o.Subnets[1]
	a.Extra["pools"] = []any{map[string]any{"pool": a.Pools[0], "option-data": options}, map[string]any{"pool": a.Pools[1]}}
	a.Extra["option-data"] = append([]any{raw43}, a.Extra["option-data"].([]any)...)
	a.Extra["match-client-id"] = true
	b.Extra = map[string]any{"reservations-global": false, "reservations-in-subnet": false}
}

// richFake is richReal for keatest.
func richFake(o *keatest.Options) {
	options := []kea.OptionData{{Code: 43, CSVFormat: new(false), Data: "010107"}}
	o.Global = keatest.Level{MatchClientID: new(false), ReservationsGlobal: new(true), OptionData: options}
	o.AddressesNotUnique, o.Identifiers = true, []string{"hw-address", "flex-id"}
	o.OptionDefs = []keatest.OptionDef{
		{Name: "container", Code: 222, Type: "empty", Encapsulate: "inner"},
		{Name: "number", Code: 223, Type: "uint8", Encapsulate: "inner"},
	}
	o.ClientClasses = map[string][]kea.OptionData{"gold": {{Code: 222, CSVFormat: new(false), Data: "010107"}}}
	o.SharedNetworks = map[string]keatest.Level{"shared": {ReservationsOutOfPool: new(true), MatchClientID: new(true), OptionData: options}}
	a, b := &o.Subnets[0], &o.Subnets[1]
	o.PoolOptions = map[kea.Pool][]kea.OptionData{a.Pools[0]: options}
	a.OptionData = append(options[:1:1], a.OptionData...)
	o.MatchClientID = map[uint32]bool{subnetA: true}
	b.ReservationsGlobal, b.ReservationsInSubnet = new(false), new(false)
}

func contractConfiguration(t *testing.T, st stand) {
	var databases []kea.HostDatabase
	if st.target == kea.TargetDatabase {
		databases = []kea.HostDatabase{{Type: st.databaseType()}}
	}
	ip, prefix := netip.MustParseAddr, netip.MustParsePrefix
	pools := []kea.Pool{{First: ip("10.123.0.64"), Last: ip("10.123.0.79")}, {First: ip("10.123.0.100"), Last: ip("10.123.0.200")}}

	got, err := st.start(t, setup{}).Configuration(t.Context())
	want := kea.Configuration{
		HostDatabases: databases, Identifiers: []string{"hw-address", "duid", "circuit-id", "client-id"}, AddressesUnique: true,
		Subnets: map[uint32]kea.SubnetPolicy{
			subnetA: {Prefix: prefix("10.123.0.0/24"), ReservationsInSubnet: true, MatchClientID: true, Pools: pools},
			subnetB: {Prefix: prefix("10.124.0.0/24"), ReservationsInSubnet: true, MatchClientID: true},
		},
	}
	if diff := cmp.Diff(want, got, compare); err != nil || diff != "" {
		t.Errorf("the defaults: %v, -want +got:\n%s", err, diff)
	}

	s := st.start(t, setup{rich: true})
	r := host(hw1, "10.123.0.51")
	r.OptionData = []kea.OptionData{{Code: 43, CSVFormat: new(false), Data: "010107"}, {Name: "routers", NeverSend: new(true)}}
	s.mustAdd(t, kea.TargetMemory, r)
	wantResult(t, "a global host", s.raw(t, "reservation-add", `{"operation-target": "memory", "reservation": {"flex-id": "'abc'", "subnet-id": 0,
		"option-data": [{"code": 230, "csv-format": false, "data": ""}]}}`), 0)
	hidden := option("vendor-encapsulated-options", 43, false, "")
	want = kea.Configuration{
		HostDatabases: databases, Identifiers: []string{"hw-address", "flex-id"},
		Subnets: map[uint32]kea.SubnetPolicy{
			subnetA: {Prefix: prefix("10.123.0.0/24"), ReservationsGlobal: true, ReservationsInSubnet: true, MatchClientID: true, Pools: pools},
			subnetB: {Prefix: prefix("10.124.0.0/24"), ReservationsOutOfPool: true, MatchClientID: true},
		},
		OpaqueOptions: []kea.ConfiguredOption{
			{Where: "class gold", Option: option("container", 222, false, "")},
			{Where: "the global level", Option: hidden},
			{Where: "the global level, host flex-id 616263", Option: option("", 230, false, "")},
			{Where: "shared network shared", Option: hidden},
			{Where: "subnet 10.123.0.0/24", Option: hidden},
			{Where: "subnet 10.123.0.0/24, host 00:00:00:00:0a:01", Option: hidden},
			{Where: "subnet 10.123.0.0/24, pool 10.123.0.64/28", Option: hidden},
		},
	}
	byPlace := cmpopts.SortSlices(func(a, b kea.ConfiguredOption) bool { return a.Where < b.Where })
	got, err = s.Configuration(t.Context())
	if diff := cmp.Diff(want, got, append(cmp.Options{byPlace}, compare...)); err != nil || diff != "" {
		t.Errorf("everything set: %v, -want +got:\n%s", err, diff)
	}

	got, err = st.start(t, setup{noSubnets: true}).Configuration(t.Context())
	if err != nil || len(got.Subnets) != 0 {
		t.Errorf("no subnets: got %+v, %v", got, err)
	}
}
