// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// seen is what is compared of a View: hosts by their hostname, holders by their identifier.
type seen struct {
	Store       string
	Primary     bool
	SubnetFound bool
	SubnetID    uint32
	Host        string
	Holders     []string
}

func seenOf(views []reservation.View) []seen {
	var out []seen
	for _, v := range views {
		s := seen{Store: v.Store.String(), Primary: v.Primary, SubnetFound: v.SubnetFound, SubnetID: v.Subnet.ID}
		if v.Host != nil {
			s.Host = v.Host.Hostname
		}
		for _, r := range v.Holders {
			s.Holders = append(s.Holders, string(r.HWAddress)+r.ClientID)
		}
		slices.Sort(s.Holders)
		out = append(out, s)
	}
	return out
}

func TestViews(t *testing.T) {
	t.Parallel()
	subnets := []kea.Subnet{subnet1, subnet2}
	global := func(on bool) func(*mirror.Settings) {
		return func(s *mirror.Settings) {
			s.Policies = map[uint32]kea.SubnetPolicy{1: {Prefix: subnet1.Prefix, ReservationsGlobal: on}}
		}
	}
	holders := []kea.Reservation{
		host(mac1, ip(1), named("vm01")), host(mac2, ip(9)), {SubnetID: 1, ClientID: "01AA", IPAddress: ip(9)},
		{SubnetID: 2, HWAddress: mac3, IPAddress: ip(9)}, {SubnetID: 0, DUID: "02", ClientID: "02BB", IPAddress: ip(9)},
	}
	wants := func(last byte) func(*reservation.Intent) {
		return func(i *reservation.Intent) { i.Address = ip(last) }
	}
	cases := map[string]struct {
		reason   string
		content  content
		settings mirror.Settings
		set      func(*mirror.Settings)
		change   func(*reservation.Intent)
		want     []seen
	}{
		"Memory": {
			reason: "A server without a database has one view.", settings: inMemory,
			content: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), named("vm01"))}},
			want:    []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01"}},
		},
		"Database": {
			reason: "With one it has two, and the store that is written to comes first.", settings: inDatabase,
			content: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), named("copy"))}, database: []kea.Reservation{host(mac1, ip(1), named("vm01"))}},
			want: []seen{
				{Store: "database@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01"},
				{Store: "memory@kea1", SubnetFound: true, SubnetID: 1, Host: "copy"},
			},
		},
		"DatabaseNotWritten": {
			reason: "Also where memory is the one.", settings: inDatabase, set: func(s *mirror.Settings) { s.Primary = kea.TargetMemory },
			content: content{subnets: subnets, database: []kea.Reservation{host(mac1, ip(1), named("vm01"))}},
			want: []seen{
				{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1},
				{Store: "database@kea1", SubnetFound: true, SubnetID: 1, Host: "vm01"},
			},
		},
		"NoSubnet": {
			reason: "Without the subnet there is nothing in the view.", settings: inMemory,
			content: content{subnets: []kea.Subnet{subnet2}, memory: []kea.Reservation{{SubnetID: 0, HWAddress: mac1}}},
			want:    []seen{{Store: "memory@kea1", Primary: true}},
		},
		"SubnetID": {
			reason: "A subnet-id that the server lists.", settings: inMemory, change: func(i *reservation.Intent) { i.Subnet = reservation.SubnetRef{ID: 2} },
			content: content{subnets: subnets},
			want:    []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 2}},
		},
		"SubnetIDUnknown": {
			reason: "One that it does not list.", settings: inMemory, change: func(i *reservation.Intent) { i.Subnet = reservation.SubnetRef{ID: 3} },
			content: content{subnets: subnets},
			want:    []seen{{Store: "memory@kea1", Primary: true}},
		},
		"SubnetsUnknown": {
			reason: "Where the server cannot list its subnets, a subnet-id is taken as it is.", settings: inMemory, set: func(s *mirror.Settings) { s.SubnetsKnown = false },
			change:  func(i *reservation.Intent) { i.Subnet = reservation.SubnetRef{ID: 1} },
			content: content{memory: []kea.Reservation{host(mac1, ip(1), named("vm01"))}},
			want:    []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01"}},
		},
		"PrefixUnknown": {
			reason: "A prefix cannot be looked up there.", settings: inMemory, set: func(s *mirror.Settings) { s.SubnetsKnown = false },
			content: content{},
			want:    []seen{{Store: "memory@kea1", Primary: true}},
		},
		"Holders": {
			reason: "Holders are the other hosts of the subnet that have the address; global ones do not count as a rule.", settings: inMemory, set: global(false),
			change: wants(9), content: content{subnets: subnets, memory: holders},
			want: []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01", Holders: []string{string(mac2), "01AA"}}},
		},
		"GlobalHolders": {
			reason: "Where Kea looks for global reservations, they do.", settings: inMemory, set: global(true),
			change: wants(9), content: content{subnets: subnets, memory: holders},
			want: []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01", Holders: []string{string(mac2), "01AA", "02BB"}}},
		},
		"OwnAddress": {
			reason: "The device itself is no holder; those of its present address are looked up too.", settings: inMemory,
			change: wants(9), content: content{subnets: subnets, memory: []kea.Reservation{host(mac1, ip(1), named("vm01")), {SubnetID: 1, ClientID: "01AA", IPAddress: ip(1)}}},
			want: []seen{{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Host: "vm01", Holders: []string{"01AA"}}},
		},
		"HoldersByPlace": {
			reason: "Each view has the holders in its store.", settings: inDatabase,
			change: wants(9), content: content{subnets: subnets, memory: []kea.Reservation{host(mac2, ip(9))}, database: []kea.Reservation{host(mac3, ip(9))}},
			want: []seen{
				{Store: "database@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Holders: []string{string(mac3)}},
				{Store: "memory@kea1", SubnetFound: true, SubnetID: 1, Holders: []string{string(mac2)}},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			settings := tc.settings
			if tc.set != nil {
				tc.set(&settings)
			}
			in := intent(mac1)
			if tc.change != nil {
				tc.change(&in)
			}
			for i := range tc.want {
				slices.Sort(tc.want[i].Holders)
			}
			views, errs := scanned(tc.content, settings).Views([]string{"kea1"}, in, noon)
			if diff := cmp.Diff(tc.want, seenOf(views), equate()); diff != "" || len(errs) > 0 {
				t.Errorf("%s\nViews(...): %v, -want, +got:\n%s", tc.reason, errs, diff)
			}
		})
	}
}

// TestViewsOfServers is about several servers, one of which was never read and one of which has
// just stopped listing the subnet.
func TestViewsOfServers(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}}, inMemory)
	for _, c := range []struct {
		server  string
		at      time.Time
		content content
	}{
		{"kea2", noon, content{subnets: []kea.Subnet{{ID: 20, Prefix: subnet1.Prefix}}, leases: []kea.Lease{lease(mac1, ip(7), noon, func(l *kea.Lease) { l.SubnetID = 20 })}}},
		{"kea3", noon, content{subnets: []kea.Subnet{subnet1}}},
		{"kea3", noon.Add(time.Second), content{}},
	} {
		sc := m.BeginScan(c.server, c.at)
		fill(sc, c.content, c.at)
		m.Commit(sc, inMemory, c.at)
	}
	// The lease is on one server, so the host that has its address on the other is a holder.
	m.PutHost(memory, key(mac2), new(host(mac2, ip(7))), "")
	views, errs := m.Views([]string{"kea4", "kea3", "kea2", "kea1"}, intent(mac1), noon)
	want := []seen{
		{Store: "memory@kea2", Primary: true, SubnetFound: true, SubnetID: 20},
		{Store: "memory@kea1", Primary: true, SubnetFound: true, SubnetID: 1, Holders: []string{string(mac2)}},
	}
	if diff := cmp.Diff(want, seenOf(views), equate()); diff != "" {
		t.Errorf("Views(...): in the order of the names: -want, +got:\n%s", diff)
	}
	if len(errs) != 2 || errs["kea4"] == nil || !errors.Is(errs["kea3"], mirror.ErrSubnetMissing) {
		t.Errorf("Views(...): errors %v, want one of kea4, and that kea3 misses the subnet", errs)
	}
	if sub, ok := m.Resolve("kea2", intent(mac1).Subnet); !ok || sub.ID != 20 {
		t.Errorf("Resolve(...): %v, %t, want subnet-id 20", sub, ok)
	}
	if _, ok := m.Resolve("kea4", intent(mac1).Subnet); ok {
		t.Error("Resolve(...): a subnet of a server that was never read")
	}
}

func TestStores(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		settings mirror.Settings
		want     []reservation.Store
	}{
		"Memory":   {inMemory, []reservation.Store{memory}},
		"Database": {inDatabase, []reservation.Store{database, memory}},
	} {
		if diff := cmp.Diff(tc.want, scanned(content{}, tc.settings).Stores("kea1")); diff != "" {
			t.Errorf("Stores(...), %s: -want, +got:\n%s", name, diff)
		}
	}
	if got := mirror.New(cluster).Stores("kea1"); got != nil {
		t.Errorf("Stores(...) of a server that was never read: %v", got)
	}
}

// TestCopies is about the reservations that a server may hold for a resource that goes.
func TestCopies(t *testing.T) {
	t.Parallel()
	c := content{
		subnets: []kea.Subnet{subnet1},
		memory: []kea.Reservation{
			host(mac1, ip(1), named("copy")), host(mac2, ip(2), named("other device")),
			{SubnetID: 7, HWAddress: mac1, Hostname: "unmarked elsewhere"},
		},
		database: []kea.Reservation{
			host(mac1, ip(1), ownedBy(other), named("another's")),
			{SubnetID: 8, HWAddress: mac1, Hostname: "in a subnet that is gone", UserContext: host(mac1, ip(1), ownedBy(me)).UserContext},
			{SubnetID: 9, HWAddress: mac1, Hostname: "another's elsewhere", UserContext: host(mac1, ip(1), ownedBy(other)).UserContext},
		},
	}
	cases := map[string]struct {
		reason string
		subnet reservation.SubnetRef
		want   []string
	}{
		"InSubnet": {
			reason: "Those in the subnet, whose they ever are, and those with the mark anywhere.", subnet: reservation.SubnetRef{Prefix: subnet1.Prefix},
			want: []string{"database@kea1 another's", "database@kea1 in a subnet that is gone", "memory@kea1 copy"},
		},
		"NoSubnet": {
			reason: "Those with the mark, where the subnet is gone.", subnet: reservation.SubnetRef{Prefix: subnet2.Prefix},
			want: []string{"database@kea1 in a subnet that is gone"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(c, inDatabase)
			in := intent(mac1)
			in.Subnet = tc.subnet
			var got []string
			for _, c := range m.Copies("kea1", in, me) {
				got = append(got, c.Store.String()+" "+c.Host.Hostname)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nCopies(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if got := mirror.New(cluster).Copies("kea1", intent(mac1), me); got != nil {
		t.Errorf("Copies(...) of a server that was never read: %v", got)
	}
}
