// SPDX-License-Identifier: Apache-2.0

package mirror_test

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

const (
	cluster = "c1"
	mac1    = kea.HWAddress("00:00:00:00:00:01")
	mac2    = kea.HWAddress("00:00:00:00:00:02")
	mac3    = kea.HWAddress("00:00:00:00:00:03")
)

var (
	subnet1 = kea.Subnet{ID: 1, Prefix: netip.MustParsePrefix("10.1.0.0/24")}
	subnet2 = kea.Subnet{ID: 2, Prefix: netip.MustParsePrefix("10.2.0.0/24")}
	noon    = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

	memory   = reservation.Store{Server: "kea1", Place: kea.TargetMemory}
	database = reservation.Store{Server: "kea1", Place: kea.TargetDatabase}

	inMemory   = mirror.Settings{Primary: kea.TargetMemory, SubnetsKnown: true, LeasesKnown: true}
	inDatabase = mirror.Settings{Primary: kea.TargetDatabase, Database: true, SubnetsKnown: true, LeasesKnown: true}

	me     = reservation.Owner{Cluster: cluster, Resource: "ns/a"}
	other  = reservation.Owner{Cluster: cluster, Resource: "ns/b"}
	abroad = reservation.Owner{Cluster: "c2", Resource: "ns/a"}
)

// ip returns an address of the first subnet.
func ip(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 1, 0, last}) }

func key(hw kea.HWAddress) mirror.Key { return mirror.Key{SubnetID: subnet1.ID, HW: hw} }

func host(hw kea.HWAddress, address netip.Addr, change ...func(*kea.Reservation)) kea.Reservation {
	r := kea.Reservation{SubnetID: subnet1.ID, HWAddress: hw, IPAddress: address}
	for _, c := range change {
		c(&r)
	}
	return r
}

func ownedBy(o reservation.Owner) func(*kea.Reservation) {
	return func(r *kea.Reservation) {
		r.UserContext = map[string]any{"crossplane": map[string]any{"cluster": o.Cluster, "resource": o.Resource}}
	}
}

func named(name string) func(*kea.Reservation) {
	return func(r *kea.Reservation) { r.Hostname = name }
}

func lease(hw kea.HWAddress, address netip.Addr, cltt time.Time, change ...func(*kea.Lease)) kea.Lease {
	l := kea.Lease{SubnetID: subnet1.ID, HWAddress: hw, IPAddress: address, CLTT: cltt, ValidLifetime: time.Hour}
	for _, c := range change {
		c(&l)
	}
	return l
}

func state(n int) func(*kea.Lease) { return func(l *kea.Lease) { l.State = n } }

func intent(hw kea.HWAddress) reservation.Intent {
	return reservation.Intent{Subnet: reservation.SubnetRef{Prefix: subnet1.Prefix}, HWAddress: hw, Resource: me.Resource}
}

// content is what one server holds.
type content struct {
	subnets          []kea.Subnet
	memory, database []kea.Reservation
	leases           []kea.Lease
}

// fill reads what a server holds into a scan. The leases are asked for at the same time.
func fill(scan *mirror.Scan, c content, at time.Time) {
	scan.SetSubnets(c.subnets)
	for place, hosts := range map[kea.Target][]kea.Reservation{kea.TargetMemory: c.memory, kea.TargetDatabase: c.database} {
		scan.AddHosts(place, pageOf(hosts))
	}
	scan.BeginLeases(at).Add(c.leases)
}

// pageOf returns reservations as a page has them.
func pageOf(all []kea.Reservation) []kea.Host {
	page := make([]kea.Host, 0, len(all))
	for i := range all {
		page = append(page, kea.HostOf(&all[i]))
	}
	return page
}

// scan reads what kea1 holds at a time, and commits it.
func scan(m *mirror.Mirror, c content, s mirror.Settings, at time.Time) mirror.Changes {
	sc := m.BeginScan("kea1", at)
	fill(sc, c, at)
	return m.Commit(sc, s, at)
}

// scanPage is scan for hosts that have been decoded.
func scanPage(m *mirror.Mirror, c content, page []kea.Host, at time.Time) mirror.Changes {
	sc := m.BeginScan("kea1", at)
	sc.SetSubnets(c.subnets)
	sc.AddHosts(memory.Place, page)
	sc.BeginLeases(at).Add(c.leases)
	return m.Commit(sc, inMemory, at)
}

// scanned returns a mirror that has scanned kea1 once, at noon.
func scanned(c content, s mirror.Settings) *mirror.Mirror {
	m := mirror.New(cluster)
	scan(m, c, s, noon)
	return m
}

// changes is what is compared of Changes: the causes, "" for none, by device and address.
type changes struct {
	Everything, Servers bool
	Devices             map[kea.HWAddress]string
	Addresses           map[string]string
	// Subnets by id and prefix, in order.
	Subnets []string
}

func changesOf(c mirror.Changes) changes {
	out := changes{Everything: c.Everything, Servers: c.Servers, Devices: maps.Clone(c.HWAddresses), Addresses: map[string]string{}}
	for a, cause := range c.Addresses {
		out.Addresses[a.String()] = cause
	}
	for sub := range c.Subnets {
		out.Subnets = append(out.Subnets, fmt.Sprintf("%d:%s", sub.ID, sub.Prefix))
	}
	slices.Sort(out.Subnets)
	return out
}

// woken returns changes without a cause.
func woken(devices []kea.HWAddress, addresses ...netip.Addr) changes {
	out := changes{Devices: map[kea.HWAddress]string{}, Addresses: map[string]string{}}
	for _, hw := range devices {
		out.Devices[hw] = ""
	}
	for _, a := range addresses {
		out.Addresses[a.String()] = ""
	}
	return out
}

func checkChanges(t *testing.T, reason string, want changes, got mirror.Changes) {
	t.Helper()
	if diff := cmp.Diff(want, changesOf(got), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s\nChanges: -want, +got:\n%s", reason, diff)
	}
}

// viewOf returns the first of the views of a device on kea1.
func viewOf(t *testing.T, m *mirror.Mirror, hw kea.HWAddress, at time.Time) reservation.View {
	t.Helper()
	views, errs := m.Views([]string{"kea1"}, intent(hw), at)
	if len(views) == 0 {
		t.Fatalf("Views(...): none: %v", errs)
	}
	return views[0]
}

func equate() cmp.Options {
	return cmp.Options{cmpopts.EquateComparable(netip.Addr{}, netip.Prefix{}), cmpopts.EquateEmpty()}
}
