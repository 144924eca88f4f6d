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

func held(ip netip.Addr) kea.Reservation { return kea.Reservation{SubnetID: 1, IPAddress: ip} }

// stands is a condition without what differs from run to run.
type stands struct {
	Status corev1.ConditionStatus
	Reason xpv2.ConditionReason
}

func TestReport(t *testing.T) {
	type want struct {
		Ready, LeaseConfirmed, Replicated stands
	}
	servers := func(st group.State) []group.ServerObservation {
		return []group.ServerObservation{{Name: "kea1", SubnetID: 1, State: st, Exists: true}}
	}
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
			o:      group.Observation{State: group.Reserved, Exists: true, Held: held(ip50), LeasesKnown: true, Lease: lease(ip50), Servers: servers(group.Reserved)},
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved}, stands{corev1.ConditionTrue, v1alpha1.ReasonLeaseMatches},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer},
			},
		},
		"OtherLease": {
			reason: "A device that has another address is told of, and the reservation is ready all the same.",
			mg:     wanted(policies("*")),
			o:      group.Observation{State: group.Reserved, Exists: true, Held: held(ip50), LeasesKnown: true, Lease: lease(ip51), Servers: servers(group.Reserved)},
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved}, stands{corev1.ConditionFalse, v1alpha1.ReasonOtherLease},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer},
			},
		},
		"Waiting": {
			reason: "A device without a lease makes the resource wait, not fail.",
			mg:     wanted(policies("*")),
			o:      group.Observation{State: group.AwaitingLease, LeasesKnown: true, Servers: servers(group.AwaitingLease)},
			want: want{
				stands{corev1.ConditionFalse, v1alpha1.ReasonAwaitingLease}, stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease},
				stands{corev1.ConditionUnknown, v1alpha1.ReasonNotReserved},
			},
		},
		"Observed": {
			reason: "A reservation that is only looked at is ready as it is, whoever's it is.",
			mg:     wanted(policies(xpv2.ManagementActionObserve)),
			o:      group.Observation{State: group.OwnedByAnother, Held: held(ip50), LeasesKnown: true, Servers: servers(group.OwnedByAnother)},
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved}, stands{corev1.ConditionUnknown, v1alpha1.ReasonNoActiveLease},
				stands{corev1.ConditionTrue, v1alpha1.ReasonOnEveryServer},
			},
		},
		"Differs": {
			reason: "What differs is not the address: the address is pinned.",
			mg:     wanted(policies("*")),
			o:      group.Observation{State: group.Pending, Exists: true, Write: true, Diff: "hostname", Held: held(ip50), Servers: servers(group.Pending)},
			want: want{
				stands{corev1.ConditionTrue, v1alpha1.ReasonReserved}, stands{corev1.ConditionUnknown, v1alpha1.ReasonLeasesUnknown},
				stands{corev1.ConditionFalse, v1alpha1.ReasonServersMissing},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			report(tc.mg, tc.o, someTime)
			is := func(ct xpv2.ConditionType) stands {
				c := tc.mg.GetCondition(ct)
				if c.ObservedGeneration != 3 {
					t.Errorf("%s: observed generation %d, want the resource's", ct, c.ObservedGeneration)
				}
				return stands{c.Status, c.Reason}
			}
			got := want{is(xpv2.TypeReady), is(v1alpha1.TypeLeaseConfirmed), is(v1alpha1.TypeReplicated)}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nreport(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestGiven(t *testing.T) {
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
		"Some":    {reason: "What it gives should be told.", detail: &kea.SubnetDetail{Routers: []netip.Addr{ip50, ip51}, DNSServers: []netip.Addr{ip51}}, want: want{ip50.String(), []string{ip51.String()}}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			o := group.Observation{Detail: tc.detail}
			if !tc.gone {
				o.Subnet.ID = 1
			}
			var got want
			got.Gateway, got.DNSServers = given(last, o)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\ngiven(...): -want, +got:\n%s", tc.reason, diff)
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
	absent := group.Observation{State: group.Pending, Write: true}
	drifted := group.Observation{State: group.Pending, Write: true, Exists: true, Held: held(ip50)}
	cases := map[string]struct {
		reason string
		mg     *v1alpha1.KeaReservation
		o      group.Observation
		want   want
	}{
		"Absent":         {reason: "What is not there is to be created.", mg: wanted(policies("*")), o: absent},
		"Drifted":        {reason: "What differs is to be updated.", mg: wanted(policies("*")), o: drifted, want: want{Exists: true}},
		"Waiting":        {reason: "What waits is neither created nor updated.", mg: wanted(policies("*")), o: group.Observation{State: group.AwaitingLease}, want: want{true, true}},
		"Blocked":        {reason: "Nor is what is blocked.", mg: wanted(policies("*")), o: group.Observation{State: group.AddressConflict}, want: want{true, true}},
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
