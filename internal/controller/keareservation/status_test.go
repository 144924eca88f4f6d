// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"net/netip"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

var (
	ip50     = netip.MustParseAddr("10.123.0.50")
	ip51     = netip.MustParseAddr("10.123.0.51")
	someTime = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
)

// wanted is a KeaReservation that is fully managed.
func wanted(change func(*v1alpha1.KeaReservation)) *v1alpha1.KeaReservation {
	mg := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "a", Generation: 3}}
	mg.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionAll}
	mg.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: "10.123.0.0/24", HWAddress: "00:02:12:34:56:78"}
	change(mg)
	return mg
}

func policies(p ...xpv2.ManagementAction) func(*v1alpha1.KeaReservation) {
	return func(mg *v1alpha1.KeaReservation) { mg.Spec.ManagementPolicies = p }
}

func held(ip netip.Addr) *kea.Reservation { return &kea.Reservation{SubnetID: 1, IPAddress: ip} }

// seen is an observation.
func seen(state reservation.State, change func(*group.Observation)) group.Observation {
	o := group.Observation{Observation: reservation.Observation{Plan: reservation.Plan{State: state}}}
	change(&o)
	return o
}

// stands is a condition without what differs from run to run.
type stands struct {
	Status  corev1.ConditionStatus
	Reason  xpv2.ConditionReason
	Message string
}

func TestSetStatus(t *testing.T) {
	type want struct {
		Ready, LeaseConfirmed, Replicated stands
	}
	servers := func(st reservation.State) []reservation.ServerPlan {
		return []reservation.ServerPlan{{Name: "kea1", SubnetID: 1, State: st, Exists: true}}
	}
	hostname := []reservation.Difference{{Field: "hostname", Have: "a", Want: "b"}}
	lease := func(ip netip.Addr) *kea.Lease {
		return &kea.Lease{IPAddress: ip, CLTT: someTime, ValidLifetime: time.Hour}
	}
	cases := map[string]struct {
		reason string
		mg     *v1alpha1.KeaReservation
		o      group.Observation
		want   want
	}{
		"Reserved": {
			reason: "A device that has what is reserved is confirmed.",
			mg:     wanted(policies("*")),
			o: seen(reservation.Reserved, func(o *group.Observation) {
				o.Exists, o.Held, o.LeasesKnown, o.Lease, o.Servers = true, held(ip50), true, lease(ip50), servers(reservation.Reserved)
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, ""}, stands{corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches, ""},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"OtherLease": {
			reason: "A device that has another address is reported, and the reservation is ready all the same.",
			mg:     wanted(policies("*")),
			o: seen(reservation.Reserved, func(o *group.Observation) {
				o.Exists, o.Held, o.LeasesKnown, o.Lease, o.Servers = true, held(ip50), true, lease(ip51), servers(reservation.Reserved)
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, ""},
				stands{corev1.ConditionFalse, v1alpha1.ReasonOtherLease, "the device has 10.123.0.51; it gets the reserved address when it next asks for a lease"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"Ignored": {
			reason: "A reservation that Kea ignores is not ready though every server holds it, and the device is not promised its address.",
			mg:     wanted(policies("*")),
			o: seen(reservation.IgnoredByKea, func(o *group.Observation) {
				o.Message, o.Ignored = "Kea ignores the reservation: x", "Kea ignores the reservation: x"
				o.Exists, o.Held, o.LeasesKnown, o.Lease, o.Servers = true, held(ip50), true, lease(ip51), servers(reservation.IgnoredByKea)
			}),
			want: want{
				stands{corev1.ConditionFalse, v1alpha1.ReasonIgnoredByKea, "Kea ignores the reservation: x"},
				stands{corev1.ConditionFalse, v1alpha1.ReasonOtherLease, "the device has 10.123.0.51; Kea ignores the reservation: x"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"TwoLeases": {
			reason: "Two leases under two client-ids are named with the remedy, though one of them is the reserved address.",
			mg:     wanted(policies("*")),
			o: seen(reservation.Reserved, func(o *group.Observation) {
				os, firmware := lease(ip51), lease(ip50)
				os.ClientID, firmware.ClientID = "01:02", "ff:01"
				o.Exists, o.Held, o.LeasesKnown, o.Lease, o.Servers = true, held(ip50), true, os, servers(reservation.Reserved)
				o.Leases = []reservation.ServerLease{{Lease: *os, Server: "kea1"}, {Lease: *firmware, Server: "kea1"}}
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, ""},
				stands{corev1.ConditionFalse, v1alpha1.ReasonTwoLeases, "the device has two active leases: 10.123.0.50 under client-id ff:01 and 10.123.0.51 under client-id 01:02: " +
					"its firmware and its operating system send different client-ids; set match-client-id: false for the subnet in Kea"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"InUse": {
			reason: "A reserved address that another device has is named with the device.",
			mg:     wanted(policies("*")),
			o: seen(reservation.Reserved, func(o *group.Observation) {
				o.Exists, o.Held, o.LeasesKnown, o.Servers = true, held(ip50), true, servers(reservation.Reserved)
				o.Occupant = lease(ip50)
				o.Occupant.HWAddress = "00:02:12:34:56:99"
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, ""},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonAddressInUse, "10.123.0.50 is leased to 00:02:12:34:56:99: the device gets another address until that lease ends"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"Waiting": {
			reason: "A device without a lease makes the resource wait, not fail.",
			mg:     wanted(policies("*")),
			o: seen(reservation.AwaitingLease, func(o *group.Observation) {
				o.LeasesKnown, o.Servers = true, servers(reservation.AwaitingLease)
			}),
			want: want{
				stands{corev1.ConditionFalse, v1alpha1.ReasonAwaitingLease, reservation.InfoOf(reservation.AwaitingLease).Remedy},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "the device has no active lease in the subnet"},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonNotReserved, "there is nothing to replicate before the reservation is made"},
			},
		},
		"Observed": {
			reason: "A reservation that is only observed is ready as it is, whoever owns it.",
			mg:     wanted(policies(xpv2.ManagementActionObserve)),
			o: seen(reservation.OwnedByAnother, func(o *group.Observation) {
				o.Held, o.LeasesKnown, o.Servers = held(ip50), true, servers(reservation.OwnedByAnother)
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, ""}, stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "the device has no active lease in the subnet"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"ObservedDiffers": {
			reason: "How Kea differs is what a change of the policies would do.",
			mg:     wanted(policies(xpv2.ManagementActionObserve)),
			o: seen(reservation.Pending, func(o *group.Observation) {
				o.Exists, o.Held, o.LeasesKnown, o.Servers, o.Differences = true, held(ip50), true, servers(reservation.Pending), hostname
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, "Kea differs: hostname a, wanted b"},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "the device has no active lease in the subnet"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"ObservedIgnored": {
			reason: "A reservation that Kea ignores is not ready, though it is only observed.",
			mg:     wanted(policies(xpv2.ManagementActionObserve)),
			o: seen(reservation.Pending, func(o *group.Observation) {
				o.Exists, o.Held, o.LeasesKnown, o.Servers, o.Ignored = true, held(ip50), true, servers(reservation.Pending), "Kea ignores the reservation: x"
			}),
			want: want{
				stands{corev1.ConditionFalse, v1alpha1.ReasonIgnoredByKea, "Kea ignores the reservation: x"},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease, "the device has no active lease in the subnet"},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer, ""},
			},
		},
		"Differs": {
			reason: "What differs is not the address: the address is pinned.",
			mg:     wanted(policies("*")),
			o: seen(reservation.Pending, func(o *group.Observation) {
				o.Exists, o.Held, o.Servers, o.Differences = true, held(ip50), servers(reservation.Pending), hostname
				o.Steps = []reservation.Step{{Action: reservation.Update}}
			}),
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved, "Kea differs: hostname a, wanted b"},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonLeasesUnknown, "Kea does not load libdhcp_lease_cmds.so, so leases cannot be looked up"},
				stands{corev1.ConditionFalse, v1alpha1.ReasonServersMissing, "not held as wanted by kea1"},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			setStatus(tc.mg, tc.o, someTime, beforeWrite)
			is := func(ct xpv2.ConditionType) stands {
				c := tc.mg.GetCondition(ct)
				if c.ObservedGeneration != 3 {
					t.Errorf("%s: observed generation %d, want the resource's", ct, c.ObservedGeneration)
				}
				return stands{c.Status, c.Reason, c.Message}
			}
			got := want{is(xpv2.TypeReady), is(v1alpha1.TypeLeaseConfirmed), is(v1alpha1.TypeReplicated)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nsetStatus(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestFirstSubnetID: what the status says of a subnet does not follow which server is down.
func TestFirstSubnetID(t *testing.T) {
	server := func(name string, id uint32, away bool) reservation.ServerPlan {
		return reservation.ServerPlan{Name: name, SubnetID: id, State: reservation.Reserved, Exists: true, Away: away}
	}
	cases := map[string]struct {
		reason  string
		servers []reservation.ServerPlan
		want    *int64
	}{
		"Both":       {reason: "The ids of a prefix can differ.", servers: []reservation.ServerPlan{server("kea1", 1, false), server("kea2", 7, false)}, want: new(int64(1))},
		"FirstDown":  {reason: "It has the subnet as before.", servers: []reservation.ServerPlan{server("kea1", 1, true), server("kea2", 7, false)}, want: new(int64(1))},
		"FirstLacks": {reason: "A server without the subnet has no id for it.", servers: []reservation.ServerPlan{server("kea1", 0, false), server("kea2", 7, false)}, want: new(int64(7))},
		"NoneHas":    {reason: "There is none.", servers: []reservation.ServerPlan{server("kea1", 0, false)}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(policies("*"))
			setStatus(mg, seen(reservation.Reserved, func(o *group.Observation) {
				o.Exists, o.Held, o.Servers = true, held(ip50), tc.servers
			}), someTime, afterWrite)
			if diff := cmp.Diff(tc.want, mg.Status.AtProvider.SubnetID); diff != "" {
				t.Errorf("\n%s\natProvider.subnetId, -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestSubnetOptions(t *testing.T) {
	last := v1alpha1.KeaReservationObservation{Gateway: "10.123.0.254", DNSServers: []string{"10.0.0.3"}}
	type want struct {
		Gateway    string
		DNSServers []string
	}
	cases := map[string]struct {
		reason string
		gone   bool
		detail *kea.SubnetDetail
		want   want
	}{
		"Unknown": {reason: "What cannot be read should be as it was.", want: want{"10.123.0.254", []string{"10.0.0.3"}}},
		"Gone":    {reason: "A subnet that is not there should give nothing.", gone: true},
		"None":    {reason: "What the subnet no longer gives should go.", detail: &kea.SubnetDetail{}},
		"Some":    {reason: "What it gives should be reported.", detail: &kea.SubnetDetail{Routers: []netip.Addr{ip50, ip51}, DNSServers: []netip.Addr{ip51}}, want: want{ip50.String(), []string{ip51.String()}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := group.Observation{Detail: tc.detail}
			if !tc.gone {
				o.Subnet.ID = 1
			}
			var got want
			got.Gateway, got.DNSServers = subnetOptions(last, o)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nsubnetOptions(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestLeaseOf(t *testing.T) {
	at := func(d time.Duration) *metav1.Time { return &metav1.Time{Time: someTime.Add(d)} }
	lease := &kea.Lease{IPAddress: ip50, CLTT: someTime, ValidLifetime: time.Hour}
	cases := map[string]struct {
		reason string
		before *v1alpha1.Lease
		lease  *kea.Lease
		want   *v1alpha1.Lease
	}{
		"None":     {reason: "No lease is none.", before: &v1alpha1.Lease{IPAddress: "10.123.0.50"}},
		"First":    {reason: "A lease is told with its end.", lease: lease, want: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Hour)}},
		"Renewed":  {reason: "A renewal is not told while the end told before is to come.", before: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Minute)}, lease: lease, want: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Minute)}},
		"Passed":   {reason: "It is once that has passed.", before: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(-time.Minute)}, lease: lease, want: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Hour)}},
		"Sooner":   {reason: "An end that comes sooner than told is told.", before: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(2 * time.Hour)}, lease: lease, want: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Hour)}},
		"Other":    {reason: "Another address is told at once.", before: &v1alpha1.Lease{IPAddress: "10.123.0.51", Expires: at(time.Minute)}, lease: lease, want: &v1alpha1.Lease{IPAddress: "10.123.0.50", Expires: at(time.Hour)}},
		"Infinite": {reason: "A lease without end has none.", lease: &kea.Lease{IPAddress: ip50, ValidLifetime: kea.InfiniteLifetime}, want: &v1alpha1.Lease{IPAddress: "10.123.0.50"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tc.want, leaseOf(tc.before, tc.lease, someTime)); diff != "" {
				t.Errorf("%s\nleaseOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestExists(t *testing.T) {
	type want struct{ Exists, UpToDate bool }
	steps := []reservation.Step{{}}
	absent := seen(reservation.Pending, func(o *group.Observation) { o.Steps = steps })
	drifted := seen(reservation.Pending, func(o *group.Observation) { o.Steps, o.Exists, o.Held = steps, true, held(ip50) })
	nothing := func(*group.Observation) {}
	cases := map[string]struct {
		reason string
		mg     *v1alpha1.KeaReservation
		o      group.Observation
		want   want
	}{
		"Absent":         {reason: "What is not there is to be created.", mg: wanted(policies("*")), o: absent},
		"Drifted":        {reason: "What differs is to be updated.", mg: wanted(policies("*")), o: drifted, want: want{Exists: true}},
		"Waiting":        {reason: "What waits is neither created nor updated.", mg: wanted(policies("*")), o: seen(reservation.AwaitingLease, nothing), want: want{true, true}},
		"Blocked":        {reason: "Nor is what is blocked.", mg: wanted(policies("*")), o: seen(reservation.AddressConflict, nothing), want: want{true, true}},
		"ObserveNothing": {reason: "What is only observed and not there does not exist.", mg: wanted(policies(xpv2.ManagementActionObserve)), o: absent, want: want{false, true}},
		"ObserveDrifted": {reason: "What is only observed is never updated.", mg: wanted(policies(xpv2.ManagementActionObserve)), o: drifted, want: want{true, true}},
		"MayNotCreate": {
			reason: "What may not be created is not created as an update either.",
			mg:     wanted(policies(xpv2.ManagementActionObserve, xpv2.ManagementActionUpdate)), o: absent, want: want{true, true},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := want{exists(tc.mg, tc.o), upToDate(tc.mg, tc.o)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestCheckExternalName(t *testing.T) {
	cases := map[string]struct {
		reason  string
		name    string
		missing bool
		failed  bool
	}{
		"None":    {reason: "It is set where it is missing.", missing: true},
		"Right":   {reason: "The hardware address as Kea writes it is right.", name: "00:02:12:34:56:78"},
		"Spelled": {reason: "Written in another way it is put in order.", name: "00-02-12-34-56-78", missing: true},
		"Wrong":   {reason: "Another device's name is an error that says so.", name: "00:02:12:34:56:79", failed: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				if tc.name != "" {
					mg.SetAnnotations(map[string]string{"crossplane.io/external-name": tc.name})
				}
			})
			missing, err := checkExternalName(mg, "00:02:12:34:56:78")
			if missing != tc.missing || (err != nil) != tc.failed {
				t.Errorf("%s\ncheckExternalName(...): %t, %v", tc.reason, missing, err)
			}
		})
	}
}
