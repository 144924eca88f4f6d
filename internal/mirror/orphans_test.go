// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestOrphans: what is marked as a resource's that does not exist is counted, each device once.
func TestOrphans(t *testing.T) {
	t.Parallel()
	mine := host(mac1, ip(1), ownedBy(me))
	elsewhere := host(mac1, ip(1), ownedBy(me))
	elsewhere.SubnetID = subnet2.ID
	type device struct {
		resource string
		hw       kea.HWAddress
	}
	cases := map[string]struct {
		reason   string
		there    []device
		memory   []kea.Reservation
		database []kea.Reservation
		kea2     []kea.Reservation
		want     int
	}{
		"Exists":     {reason: "What a resource has is none.", there: []device{{"ns/a", mac1}}, memory: []kea.Reservation{mine}},
		"Gone":       {reason: "Without the resource it is one.", memory: []kea.Reservation{mine}, want: 1},
		"OtherName":  {reason: "A resource of another name is not its own.", there: []device{{"ns/b", mac1}}, memory: []kea.Reservation{mine}, want: 1},
		"OtherMAC":   {reason: "Nor is one of its name with another device.", there: []device{{"ns/a", mac2}}, memory: []kea.Reservation{mine}, want: 1},
		"Abroad":     {reason: "What is another cluster's is not this one's to count.", memory: []kea.Reservation{host(mac1, ip(1), ownedBy(abroad))}},
		"Unmarked":   {reason: "What has no mark has no owner.", memory: []kea.Reservation{host(mac1, ip(1))}},
		"Unreadable": {reason: "So is what has a mark without a resource.", memory: []kea.Reservation{host(mac1, ip(1), ownedBy(reservation.Owner{Cluster: cluster}))}},
		"TwoStores":  {reason: "A device in two stores counts once.", memory: []kea.Reservation{mine}, database: []kea.Reservation{mine}, want: 1},
		"TwoServers": {reason: "So does one on two servers.", memory: []kea.Reservation{mine}, kea2: []kea.Reservation{mine}, want: 1},
		"TwoSubnets": {reason: "So does one in two subnets.", memory: []kea.Reservation{mine, elsewhere}, want: 1},
		"Two":        {reason: "Two devices are two.", memory: []kea.Reservation{mine}, kea2: []kea.Reservation{host(mac2, ip(2), ownedBy(me))}, want: 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			subnets := []kea.Subnet{subnet1, subnet2}
			m := scanned(content{subnets: subnets, memory: tc.memory, database: tc.database}, inDatabase)
			second := m.BeginScan("kea2", noon)
			fill(second, content{subnets: subnets, memory: tc.kea2}, noon)
			m.Commit(second, inMemory, noon)
			got, err := m.Orphans(func(resource string, hw kea.HWAddress) (bool, error) {
				m.Drop("kea3") // It may use the mirror.
				return slices.Contains(tc.there, device{resource, hw}), nil
			})
			if err != nil || got != tc.want {
				t.Errorf("%s\nOrphans(...): %d, %v, want %d", tc.reason, got, err, tc.want)
			}
		})
	}
}

// TestOrphansUnknown: nothing is counted unless it is known of each whether its resource exists.
func TestOrphansUnknown(t *testing.T) {
	t.Parallel()
	m := scanned(content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}}, inMemory)
	unknown := errors.New("unknown")
	if _, err := m.Orphans(func(string, kea.HWAddress) (bool, error) { return false, unknown }); !errors.Is(err, unknown) {
		t.Errorf("Orphans(...): error %v, want %v", err, unknown)
	}
	none := mirror.New(cluster)
	if n, err := none.Orphans(func(string, kea.HWAddress) (bool, error) { return false, unknown }); n != 0 || err != nil {
		t.Errorf("Orphans(...) of a mirror that has read nothing: %d, %v, want 0", n, err)
	}
}

// TestForgetVanished: the address of a reservation that has gone is kept for its resource alone.
func TestForgetVanished(t *testing.T) {
	t.Parallel()
	for _, exists := range []bool{true, false} {
		full := content{subnets: []kea.Subnet{subnet1}, memory: []kea.Reservation{host(mac1, ip(1), ownedBy(me))}}
		m := scanned(full, inMemory)
		scan(m, content{subnets: full.subnets}, inMemory, noon.Add(time.Minute))
		if viewOf(t, m, mac1, noon).Vanished == nil {
			t.Fatal("what has gone is not known")
		}
		if err := m.ForgetVanished(func(resource string, hw kea.HWAddress) (bool, error) {
			return exists && resource == me.Resource && hw == mac1, nil
		}); err != nil {
			t.Fatal(err)
		}
		if got := viewOf(t, m, mac1, noon).Vanished != nil; got != exists {
			t.Errorf("ForgetVanished(...) of a resource that exists %t: kept %t", exists, got)
		}
	}
}
