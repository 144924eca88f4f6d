// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestSubnetGrace follows a subnet that Kea stops listing, and its host in memory.
func TestSubnetGrace(t *testing.T) {
	t.Parallel()
	full := content{subnets: []kea.Subnet{subnet1, subnet2}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}}
	without := content{subnets: []kea.Subnet{subnet2}}
	type stands struct {
		Err, Found bool
		Missing    int
	}
	standsAt := func(m *mirror.Mirror, at time.Time) stands {
		views, errs := m.Views([]string{"kea1"}, intent(mac1), at)
		return stands{Err: len(errs) > 0, Found: len(views) > 0 && views[0].SubnetFound && views[0].Host != nil, Missing: len(m.Missing("kea1"))}
	}
	steps := map[string][]struct {
		reason string
		after  time.Duration
		has    content
		want   changes
		stands stands
	}{
		"Removed": {
			{"A subnet that is missing is neither there nor gone.", 10 * time.Second, without, changes{}, stands{Err: true, Missing: 1}},
			{"The time counts from when it was first missed.", 69 * time.Second, without, changes{}, stands{Err: true, Missing: 1}},
			{"After that it is gone, and its hosts with it.", 70 * time.Second, without, changes{Subnets: []string{"1:10.1.0.0/24"}, Devices: woken([]kea.HWAddress{mac1}).Devices, Addresses: woken(nil, ip(1)).Addresses}, stands{}},
		},
		"Back": {
			{"A subnet that is missing is neither there nor gone.", 10 * time.Second, without, changes{}, stands{Err: true, Missing: 1}},
			{"If it comes back with its hosts, nothing has happened.", 40 * time.Second, full, changes{}, stands{Found: true}},
			{"The next time counts from its own beginning.", 80 * time.Second, without, changes{}, stands{Err: true, Missing: 1}},
		},
		"BackWithoutHosts": {
			{"A subnet that is missing is neither there nor gone.", 10 * time.Second, without, changes{}, stands{Err: true, Missing: 1}},
			{
				"If it comes back without its hosts, they are gone.", 40 * time.Second, content{subnets: full.subnets},
				woken([]kea.HWAddress{mac1}, ip(1)), stands{},
			},
		},
		"Replaced": {
			{
				"A subnet whose id has another prefix now is gone at once.", 10 * time.Second,
				content{subnets: []kea.Subnet{{ID: 1, Prefix: subnet2.Prefix}}},
				changes{Subnets: []string{"1:10.1.0.0/24", "1:10.2.0.0/24", "2:10.2.0.0/24"}, Devices: woken([]kea.HWAddress{mac1}).Devices, Addresses: woken(nil, ip(1)).Addresses}, stands{Missing: 0},
			},
		},
	}
	for name, script := range steps {
		t.Run(name, func(t *testing.T) {
			m := scanned(full, inMemory)
			for _, step := range script {
				at := noon.Add(step.after)
				checkChanges(t, step.reason, step.want, scan(m, step.has, inMemory, at))
				if diff := cmp.Diff(step.stands, standsAt(m, at)); diff != "" {
					t.Errorf("%s\n-want, +got:\n%s", step.reason, diff)
				}
			}
		})
	}
}

// TestDoubtful is about the hosts that a listing lacks and that are to be read by themselves.
func TestDoubtful(t *testing.T) {
	t.Parallel()
	before := content{
		subnets:  []kea.Subnet{subnet1, subnet2},
		memory:   []kea.Reservation{host(mac1, ip(1), ownedBy(me)), host(mac2, ip(2)), host(mac3, ip(3), ownedBy(abroad))},
		database: []kea.Reservation{host(mac1, ip(1), ownedBy(other))},
	}
	cases := map[string]struct {
		reason string
		listed content
		put    func(*mirror.Mirror)
		want   map[kea.Target][]mirror.Key
	}{
		"Lacking": {
			reason: "Only those that this cluster's resources own, in each place.",
			listed: content{subnets: before.subnets},
			want:   map[kea.Target][]mirror.Key{kea.TargetMemory: {key(mac1)}, kea.TargetDatabase: {key(mac1)}},
		},
		"Listed":     {reason: "None if all are listed.", listed: before, want: map[kea.Target][]mirror.Key{}},
		"OtherPlace": {reason: "A host in one place is not in the other.", listed: content{subnets: before.subnets, memory: before.memory}, want: map[kea.Target][]mirror.Key{kea.TargetDatabase: {key(mac1)}}},
		"Read": {
			reason: "Not those that were read by themselves meanwhile.", listed: content{subnets: before.subnets, database: before.database},
			put:  func(m *mirror.Mirror) { m.PutHost(memory, key(mac1), nil, "") },
			want: map[kea.Target][]mirror.Key{},
		},
		"SubnetMissing": {reason: "Not those of a subnet that is missing.", listed: content{subnets: []kea.Subnet{subnet2}}, want: map[kea.Target][]mirror.Key{}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			m := scanned(before, inDatabase)
			sc := m.BeginScan("kea1", noon)
			fill(sc, tc.listed, noon)
			if tc.put != nil {
				tc.put(m)
			}
			if diff := cmp.Diff(tc.want, m.Doubtful(sc)); diff != "" {
				t.Errorf("%s\nDoubtful(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
	if got := mirror.New(cluster).Doubtful(mirror.New(cluster).BeginScan("kea1", noon)); got != nil {
		t.Errorf("Doubtful(...) of the first scan: %v, want none", got)
	}
}
