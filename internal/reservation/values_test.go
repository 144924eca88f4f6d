// SPDX-License-Identifier: Apache-2.0

package reservation_test

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

const (
	mac      = kea.HWAddress("00:02:12:34:56:78")
	otherMAC = kea.HWAddress("00:02:12:34:56:79")
)

var (
	subnet = kea.Subnet{ID: 1, Prefix: netip.MustParsePrefix("10.123.0.0/24")}
	noon   = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	me     = reservation.Owner{Cluster: "c1", Resource: "ns/vm01"}
	vm02   = reservation.Owner{Cluster: "c1", Resource: "ns/vm02"}
	none   netip.Addr
)

// ip returns an address of the subnet.
func ip(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 123, 0, last}) }

// marked returns a user-context with the mark of an owner.
func marked(o reservation.Owner, manages ...any) map[string]any {
	m := map[string]any{"cluster": o.Cluster, "resource": o.Resource}
	if len(manages) > 0 {
		m["manages"] = manages
	}
	return map[string]any{"crossplane": m}
}

// host returns the device's reservation.
func host(address netip.Addr, change ...func(*kea.Reservation)) *kea.Reservation {
	r := &kea.Reservation{SubnetID: subnet.ID, HWAddress: mac, IPAddress: address}
	for _, c := range change {
		c(r)
	}
	return r
}

func ownedBy(o reservation.Owner, manages ...any) func(*kea.Reservation) {
	return func(r *kea.Reservation) { r.UserContext = marked(o, manages...) }
}

func withOptions(options ...kea.OptionData) func(*kea.Reservation) {
	return func(r *kea.Reservation) { r.OptionData = options }
}

// opaque is an option as Kea answers it without its content.
func opaque() kea.OptionData {
	return kea.OptionData{Name: "vendor-encapsulated-options", Code: 43, Space: "dhcp4", CSVFormat: new(false)}
}

func lease(address netip.Addr, cltt time.Time) kea.Lease {
	return kea.Lease{IPAddress: address, HWAddress: mac, SubnetID: subnet.ID, CLTT: cltt, ValidLifetime: time.Hour}
}

// in returns an intent for the device; its address is taken from elsewhere if it is not valid.
func in(address netip.Addr, change ...func(*reservation.Intent)) reservation.Intent {
	i := reservation.Intent{
		Subnet: reservation.SubnetRef{Prefix: subnet.Prefix}, HWAddress: mac, Address: address, Resource: me.Resource,
	}
	for _, c := range change {
		c(&i)
	}
	return i
}

func hostname(name string) func(*reservation.Intent) {
	return func(i *reservation.Intent) { i.Hostname = &name }
}

func options(all ...kea.OptionData) func(*reservation.Intent) {
	return func(i *reservation.Intent) { i.OptionData = all }
}

func adopt(i *reservation.Intent) { i.Adopt = true }

// formerly lists UIDs that the cluster had before.
func formerly(clusters ...string) func(*reservation.Intent) {
	return func(i *reservation.Intent) { i.Grant.FormerClusters = clusters }
}

// store reads a store as Store.String writes it.
func store(name string) reservation.Store {
	place, server, _ := strings.Cut(name, "@")
	return reservation.Store{Server: server, Place: kea.Target(place)}
}

// view returns the view of a primary store that has the subnet and no host.
func view(name string, change ...func(*reservation.View)) reservation.View {
	v := reservation.View{
		Store: store(name), Primary: true, Subnet: subnet, SubnetFound: true, SubnetsKnown: true,
		Subnets: []kea.Subnet{subnet}, LeasesKnown: true,
	}
	for _, c := range change {
		c(&v)
	}
	return v
}

// notPrimary makes a view one of the store that the server's reservations are not written to.
func notPrimary(v *reservation.View) { v.Primary = false }

func has(r *kea.Reservation) func(*reservation.View) {
	return func(v *reservation.View) { v.Host = r }
}

func lost(r *kea.Reservation) func(*reservation.View) {
	return func(v *reservation.View) { v.Vanished = r }
}

func leased(all ...kea.Lease) func(*reservation.View) {
	return func(v *reservation.View) { v.Leases = all }
}

func heldBy(holders ...kea.Reservation) func(*reservation.View) {
	return func(v *reservation.View) { v.Holders = holders }
}

// noSubnet makes a view one of a server that lists other subnets only.
func noSubnet(others ...kea.Subnet) func(*reservation.View) {
	return func(v *reservation.View) { v.SubnetFound, v.Subnet, v.Subnets = false, kea.Subnet{}, others }
}

// plan is what is compared of a Plan. A step is written as "add memory@kea1 10.123.0.50", a server
// as "kea1 Pending".
type plan struct {
	State   reservation.State
	Message string
	Address string
	Steps   []string
	Servers []string
}

func planOf(p reservation.Plan) plan {
	out := plan{State: p.State, Message: p.Message, Address: text(p.Address)}
	for _, s := range p.Steps {
		out.Steps = append(out.Steps, fmt.Sprintf("%s %s %s", s.Action, s.Store, text(s.Want.IPAddress)))
	}
	for _, s := range p.Servers {
		out.Servers = append(out.Servers, s.Name+" "+string(s.State))
	}
	return out
}

func text(a netip.Addr) string {
	if !a.IsValid() {
		return "none"
	}
	return a.String()
}

type decideCase struct {
	reason string
	views  []reservation.View
	in     reservation.Intent
	want   plan
}

func runDecide(t *testing.T, cases map[string]decideCase) {
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := planOf(reservation.Decide(tc.views, tc.in, me))
			if diff := cmp.Diff(tc.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s\nDecide(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// equate compares addresses by value, and nothing by how it is empty.
func equate() cmp.Options {
	return cmp.Options{cmpopts.EquateComparable(netip.Addr{}), cmpopts.EquateEmpty()}
}

// onlyStep returns the one step of a plan.
func onlyStep(t *testing.T, p reservation.Plan) reservation.Step {
	if len(p.Steps) != 1 {
		t.Fatalf("Decide(...): %d steps, want 1: %v", len(p.Steps), planOf(p))
	}
	return p.Steps[0]
}
