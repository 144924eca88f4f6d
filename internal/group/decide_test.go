// SPDX-License-Identifier: Apache-2.0

package group

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
)

var (
	prefix   = netip.MustParsePrefix("10.123.0.0/24")
	someTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

// lookAt is a look at a server that has the subnet and nothing in it.
func lookAt(change func(*look)) look {
	l := look{
		server: "kea1", subnet: kea.Subnet{ID: 1, Prefix: prefix}, subnetFound: true, subnetsKnown: true, leasesKnown: true,
		holders: func(netip.Addr) []*kea.Reservation { return nil },
	}
	change(&l)
	return l
}

func reservation(ip netip.Addr, userContext map[string]any) *kea.Reservation {
	return &kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip, UserContext: userContext}
}

func leaseOf(ip netip.Addr, cltt time.Time) kea.Lease {
	return kea.Lease{IPAddress: ip, HWAddress: mac, SubnetID: 1, CLTT: cltt, ValidLifetime: time.Hour}
}

func TestDecide(t *testing.T) {
	want := Intent{Subnet: SubnetRef{Prefix: prefix}, HWAddress: mac, Resource: "ns/a"}
	static := want
	static.Address = ip50
	adopting := static
	adopting.Adopt = true

	type verdictIs struct {
		State      State
		Write      write
		Address    netip.Addr
		DropShadow bool
	}
	cases := map[string]struct {
		reason  string
		look    look
		in      Intent
		want    verdictIs
		message string
	}{
		"Static": {
			reason: "An address that nobody has is reserved.",
			look:   lookAt(func(*look) {}),
			in:     static,
			want:   verdictIs{State: Pending, Write: writeAdd, Address: ip50},
		},
		"Held": {
			reason: "A reservation that is as wanted is left alone.",
			look:   lookAt(func(l *look) { l.here = reservation(ip50, marked("ns/a")) }),
			in:     static,
			want:   verdictIs{State: Reserved, Address: ip50},
		},
		"Adopted": {
			reason: "A reservation without a mark is adopted with its address, and marked.",
			look:   lookAt(func(l *look) { l.here = reservation(ip51, nil) }),
			in:     want,
			want:   verdictIs{State: Pending, Write: writeUpdate, Address: ip51},
		},
		"AdoptedBeforeLease": {
			reason: "What is reserved for the device comes before what it has leased.",
			look: lookAt(func(l *look) {
				l.here, l.leases = reservation(ip51, nil), []kea.Lease{leaseOf(ip50, someTime)}
			}),
			in:   want,
			want: verdictIs{State: Pending, Write: writeUpdate, Address: ip51},
		},
		"FromLease": {
			reason: "Without an address, that of the newest lease is reserved.",
			look: lookAt(func(l *look) {
				l.leases = []kea.Lease{leaseOf(ip51, someTime), leaseOf(ip50, someTime.Add(-time.Minute))}
			}),
			in:   want,
			want: verdictIs{State: Pending, Write: writeAdd, Address: ip51},
		},
		"Upgraded": {
			reason: "A reservation that was made without an address gets the lease's.",
			look: lookAt(func(l *look) {
				l.here, l.leases = reservation(netip.Addr{}, nil), []kea.Lease{leaseOf(ip50, someTime)}
			}),
			in:   want,
			want: verdictIs{State: Pending, Write: writeUpdate, Address: ip50},
		},
		"Waiting": {
			reason:  "Without address and lease there is nothing to write.",
			look:    lookAt(func(*look) {}),
			in:      want,
			want:    verdictIs{State: AwaitingLease},
			message: "00:02:12:34:56:78 has no active lease in 10.123.0.0/24",
		},
		"WaitingMarked": {
			reason: "A reservation without an address is marked as ours while it waits, so that it goes with its resource.",
			look:   lookAt(func(l *look) { l.here = reservation(netip.Addr{}, nil) }),
			in:     want,
			want:   verdictIs{State: AwaitingLease, Write: writeUpdate},
		},
		"NoLeaseHook": {
			reason:  "A server that tells no leases is told from a device that has none.",
			look:    lookAt(func(l *look) { l.leasesKnown = false }),
			in:      want,
			want:    verdictIs{State: HookMissing},
			message: "libdhcp_lease_cmds.so",
		},
		"NoSubnet": {
			reason: "A subnet that is not there is told with those that are.",
			look: lookAt(func(l *look) {
				l.subnetFound, l.subnets = false, []kea.Subnet{{ID: 7, Prefix: netip.MustParsePrefix("10.9.0.0/16")}}
			}),
			in:      static,
			want:    verdictIs{State: SubnetNotFound},
			message: "server kea1 has no 10.123.0.0/24; it has 10.9.0.0/16 (subnet-id 7)",
		},
		"NoSubnetHook": {
			reason:  "A server that tells no subnets is told from one that lacks this one.",
			look:    lookAt(func(l *look) { l.subnetFound, l.subnetsKnown = false, false }),
			in:      static,
			want:    verdictIs{State: HookMissing},
			message: "name the subnet by subnetId",
		},
		"Conflict": {
			reason: "An address of another host is never overwritten.",
			look: lookAt(func(l *look) {
				l.holders = func(netip.Addr) []*kea.Reservation {
					return []*kea.Reservation{{HWAddress: "00:00:00:00:00:01", Hostname: "other"}}
				}
			}),
			in:      static,
			want:    verdictIs{State: AddressConflict},
			message: "10.123.0.50 is reserved for 00:00:00:00:00:01 (hostname other)",
		},
		"Foreign": {
			reason:  "A reservation that is marked as somebody else's stays untouched.",
			look:    lookAt(func(l *look) { l.here = reservation(ip51, marked("ns/b")) }),
			in:      static,
			want:    verdictIs{State: OwnedByAnother},
			message: "KeaReservation ns/b",
		},
		"TakenOver": {
			reason: "It is taken over where that is asked for.",
			look:   lookAt(func(l *look) { l.here = reservation(ip51, marked("ns/b")) }),
			in:     adopting,
			want:   verdictIs{State: Pending, Write: writeUpdate, Address: ip50},
		},
		"Shadowed": {
			reason: "A copy in memory that hides the one in the database goes, once that one is right.",
			look: lookAt(func(l *look) {
				l.here, l.shadow, l.hides = reservation(ip50, marked("ns/a")), reservation(ip50, nil), true
			}),
			in:   static,
			want: verdictIs{State: Pending, Address: ip50, DropShadow: true},
		},
		"AdoptedFromShadow": {
			reason: "Where the database has none, what memory has is what the device gets: its address is kept.",
			look:   lookAt(func(l *look) { l.shadow, l.hides = reservation(ip51, nil), true }),
			in:     want,
			want:   verdictIs{State: Pending, Write: writeAdd, Address: ip51, DropShadow: true},
		},
		"PutBack": {
			reason: "A reservation that went without our doing comes back with its address.",
			look:   lookAt(func(l *look) { l.lost = reservation(ip51, marked("ns/a")) }),
			in:     want,
			want:   verdictIs{State: Pending, Write: writeAdd, Address: ip51},
		},
		"Outside": {
			reason:  "An address of another subnet would be reserved in vain.",
			look:    lookAt(func(l *look) { l.subnet.Prefix = netip.MustParsePrefix("10.9.0.0/16") }),
			in:      static,
			want:    verdictIs{State: AddressNotInSubnet},
			message: "10.123.0.50 is not inside 10.9.0.0/16",
		},
		"Echo": {
			reason: "A difference that Kea always makes of what it is given is none.",
			look: lookAt(func(l *look) {
				got := reservation(ip50, marked("ns/a", "hostname"))
				got.Hostname = "vm.example.com."
				w := got.Clone()
				w.Hostname = "vm.example.com"
				l.here, l.echo = got, &echo{want: w, got: got.Clone()}
			}),
			in:   func() Intent { i := static; i.Hostname = new("vm.example.com"); return i }(),
			want: verdictIs{State: Reserved, Address: ip50},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			v := decide(tc.look, tc.in, choose([]look{tc.look}, tc.in), cluster)
			got := verdictIs{State: v.state, Write: v.write, Address: v.want.IPAddress, DropShadow: v.dropShadow}
			if diff := cmp.Diff(tc.want, got, equateReservations()); diff != "" {
				t.Errorf("%s\ndecide(...): -want, +got:\n%s", tc.reason, diff)
			}
			if !strings.Contains(v.message, tc.message) {
				t.Errorf("%s\ndecide(...): message %q, want %q in it", tc.reason, v.message, tc.message)
			}
		})
	}
}

func TestUnusable(t *testing.T) {
	cases := map[string]struct {
		reason  string
		subnet  string
		address string
		want    string
	}{
		"Host":        {reason: "A host address can be had.", subnet: "10.1.0.0/24", address: "10.1.0.7"},
		"Network":     {reason: "The network address is no host's.", subnet: "10.1.0.0/24", address: "10.1.0.0", want: "10.1.0.0 is the network address of 10.1.0.0/24"},
		"Broadcast":   {reason: "Nor is the broadcast address.", subnet: "10.1.0.0/22", address: "10.1.3.255", want: "10.1.3.255 is the broadcast address of 10.1.0.0/22"},
		"InnerZeros":  {reason: "In a larger subnet an address that ends in 0 or 255 is a host's.", subnet: "10.1.0.0/22", address: "10.1.1.255"},
		"PointToLink": {reason: "A /31 has neither (RFC 3021).", subnet: "10.1.0.0/31", address: "10.1.0.0"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, unusable(netip.MustParsePrefix(tc.subnet), netip.MustParseAddr(tc.address))); diff != "" {
				t.Errorf("%s\nunusable(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
