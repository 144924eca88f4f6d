// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

type ifOption func(*vitistack.NetworkConfigurationInterface)

// reported1 is what a status tells of a machine's first interface.
func reported1(o ...ifOption) vitistack.NetworkConfigurationInterface {
	out := interfaces(mac1)[0]
	out.IPv4Subnet = "10.0.0.0/24"
	for _, f := range o {
		f(&out)
	}
	return out
}

func addressed(address string) ifOption {
	return func(in *vitistack.NetworkConfigurationInterface) { in.IPv4Addresses = []string{address} }
}

func confirmed(in *vitistack.NetworkConfigurationInterface) {
	in.DHCPReserved, in.IPAllocated, in.AllocationMethod = true, true, vitistack.AllocationMethodDHCP
}

func routed(in *vitistack.NetworkConfigurationInterface) {
	in.IPv4Gateway, in.DNS = "10.0.0.1", []string{"10.0.0.2"}
}

func inSubnet(prefix string) ifOption {
	return func(in *vitistack.NetworkConfigurationInterface) { in.IPv4Subnet = prefix }
}

// saying has a status say already something of the interfaces.
func saying(in ...vitistack.NetworkConfigurationInterface) ncOption {
	return func(nc *vitistack.NetworkConfiguration) { nc.Status.NetworkInterfaces = in }
}

func TestStatusOfOneDevice(t *testing.T) {
	type want struct {
		phase   string
		message string
		status  vitistack.NetworkConfigurationInterface
	}
	networks := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	here := at("10.0.0.0/24")
	gives := func(r *v1alpha1.KeaReservation) {
		r.Status.AtProvider.Gateway, r.Status.AtProvider.DNSServers = "10.0.0.1", []string{"10.0.0.2"}
	}
	unsynced := func(r *v1alpha1.KeaReservation) {
		r.SetConditions(xpv2.Creating(), xpv2.ReconcileError(errors.New("dial tcp: connection refused")))
	}
	stale := saying(reported1(addressed("10.0.0.5"), confirmed, routed))

	cases := map[string]struct {
		reason   string
		nc       []ncOption
		networks []vitistack.NetworkNamespace
		child    []krOption
		none     bool
		failed   error
		want     want
	}{
		"Reserved": {
			reason: "What Kea has reserved is reported, with what the subnet gives",
			child:  []krOption{holding, gives},
			want:   want{"Ready", "reserved in Kea: 1 of 1", reported1(addressed("10.0.0.5"), confirmed, routed)},
		},
		"UserWroteGateway": {
			reason: "What the user wrote stands where Kea says nothing",
			nc:     []ncOption{func(nc *vitistack.NetworkConfiguration) { routed(&nc.Spec.NetworkInterfaces[0]) }},
			child:  []krOption{holding},
			want:   want{"Ready", "reserved in Kea: 1 of 1", reported1(addressed("10.0.0.5"), confirmed, routed)},
		},
		"AwaitingLease": {
			reason: "Waiting for a lease is no error, and a stale address is taken back",
			nc:     []ncOption{stale},
			child:  []krOption{unready(v1alpha1.ReasonAwaitingLease, "no lease")},
			want:   want{"Reconciling", "eth0: " + mac1 + " waits for its DHCP lease", reported1()},
		},
		"Conflict": {
			reason: "The message of the reservation is repeated",
			nc:     []ncOption{stale},
			child:  []krOption{unready(v1alpha1.ReasonAddressConflict, "10.0.0.5 belongs to aa:bb")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": 10.0.0.5 belongs to aa:bb", reported1()},
		},
		"SubnetGone": {
			reason: "A subnet that Kea does not have takes the address with it",
			nc:     []ncOption{stale},
			child:  []krOption{unready(v1alpha1.ReasonSubnetNotFound, "Kea has no subnet 10.0.0.0/24")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": Kea has no subnet 10.0.0.0/24", reported1()},
		},
		"SubnetGoneForNow": {
			reason: "A reservation that keeps its last known address says that the loss may pass",
			nc:     []ncOption{stale},
			child:  []krOption{holding, unready(v1alpha1.ReasonSubnetNotFound, "Kea has no subnet 10.0.0.0/24")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": Kea has no subnet 10.0.0.0/24", reported1(addressed("10.0.0.5"), routed)},
		},
		"IgnoredByKea": {
			reason: "The device most likely has the address; that DHCP keeps it is not so",
			nc:     []ncOption{stale},
			child:  []krOption{holding, gives, unready(v1alpha1.ReasonIgnoredByKea, "reservations-in-subnet is false")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": reservations-in-subnet is false", reported1(addressed("10.0.0.5"), routed)},
		},
		"IgnoredByKeaFromTheStart": {
			reason: "An address that was never honoured is not reported",
			child:  []krOption{holding, gives, unready(v1alpha1.ReasonIgnoredByKea, "reservations-in-subnet is false")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": reservations-in-subnet is false", reported1(routed)},
		},
		"OpaqueOption": {
			reason: "Kea has this address, whatever else differs",
			nc:     []ncOption{stale},
			child:  []krOption{holding, gives, unready(v1alpha1.ReasonOpaqueOption, "option 43 would be erased")},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; eth0: " + mac1 + ": option 43 would be erased",
				reported1(addressed("10.0.0.5"), confirmed, routed),
			},
		},
		"Refused": {
			reason: "Kea has the address that it had before, not the wanted one",
			nc:     []ncOption{saying(reported1(addressed("10.0.0.4"), confirmed, routed))},
			child:  []krOption{holding, gives, unready(v1alpha1.ReasonRefused, "Kea refused it")},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; eth0: " + mac1 + ": Kea refused it",
				reported1(addressed("10.0.0.5"), confirmed, routed),
			},
		},
		"RefusedAndGone": {
			reason: "Kea has no reservation",
			nc:     []ncOption{stale},
			child:  []krOption{unready(v1alpha1.ReasonRefused, "Kea refused it")},
			want:   want{"Reconciling", "eth0: " + mac1 + ": Kea refused it", reported1()},
		},
		"RefusedUnsynced": {
			reason: "What Kea had before it could not be reached is not certain",
			nc:     []ncOption{stale},
			child:  []krOption{holding, unready(v1alpha1.ReasonRefused, "Kea refused it"), func(r *v1alpha1.KeaReservation) { r.SetConditions(xpv2.ReconcileError(errors.New("no"))) }},
			want: want{
				"Reconciling", "eth0: " + mac1 + ": KeaReservation vm-020000000001 cannot be synced, see its condition Synced",
				reported1(addressed("10.0.0.5"), routed),
			},
		},
		"ReadyUnsynced": {
			reason: "An outage by itself changes nothing",
			nc:     []ncOption{stale},
			child:  []krOption{holding, gives, func(r *v1alpha1.KeaReservation) { r.SetConditions(xpv2.ReconcileError(errors.New("no"))) }},
			want:   want{"Ready", "reserved in Kea: 1 of 1", reported1(addressed("10.0.0.5"), confirmed, routed)},
		},
		"Unsynced": {
			reason: "What was known stays while Kea cannot be reached, but is not said to be reserved",
			nc:     []ncOption{stale},
			child:  []krOption{unsynced},
			want: want{
				"Reconciling", "eth0: " + mac1 + ": KeaReservation vm-020000000001 cannot be synced, see its condition Synced",
				reported1(addressed("10.0.0.5"), routed),
			},
		},
		"NotLookedAt": {
			reason: "What kea-operator reported stays until the new reservation has a state",
			nc:     []ncOption{stale},
			want: want{
				"Reconciling", "eth0: " + mac1 + " gets its reservation",
				reported1(addressed("10.0.0.5"), routed),
			},
		},
		"OtherSubnet": {
			reason: "What was reported of another subnet does not stay",
			nc:     []ncOption{saying(reported1(addressed("10.9.0.5"), confirmed, routed, inSubnet("10.9.0.0/24")))},
			want:   want{"Reconciling", "eth0: " + mac1 + " gets its reservation", reported1()},
		},
		"CannotApply": {
			reason: "What could not be done is reported",
			none:   true,
			failed: errors.New("cannot apply KeaReservation vm-020000000001: forbidden"),
			want:   want{"Reconciling", "eth0: cannot apply KeaReservation vm-020000000001: forbidden", reported1()},
		},
		"NetworkGone": {
			reason:   "What Kea has reserved is reported even while the network is not known",
			nc:       []ncOption{stale},
			networks: []vitistack.NetworkNamespace{},
			child:    []krOption{holding, gives},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; waiting for a NetworkNamespace in namespace ns",
				reported1(addressed("10.0.0.5"), confirmed, routed),
			},
		},
		"Moving": {
			reason:   "The address in the old subnet is reported until there is one in the new subnet",
			nc:       []ncOption{stale},
			networks: []vitistack.NetworkNamespace{nn("net", "10.1.0.0/24", 0)},
			child:    []krOption{holding, gives},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; eth0: " + mac1 + " gets its reservation",
				reported1(addressed("10.0.0.5"), confirmed, routed),
			},
		},
		"MovingWithHostBits": {
			reason:   "The old prefix is reported as it was",
			nc:       []ncOption{saying(reported1(addressed("10.0.0.5"), inSubnet("10.0.0.7/24")))},
			networks: []vitistack.NetworkNamespace{nn("net", "10.1.0.0/24", 0)},
			child:    []krOption{holding},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; eth0: " + mac1 + " gets its reservation",
				reported1(addressed("10.0.0.5"), confirmed, inSubnet("10.0.0.7/24")),
			},
		},
		"MovingWithoutAddress": {
			reason:   "A reservation that never had an address has none to report",
			networks: []vitistack.NetworkNamespace{nn("net", "10.1.0.0/24", 0)},
			child:    []krOption{waiting},
			want:     want{"Reconciling", "eth0: " + mac1 + " gets its reservation", reported1(inSubnet("10.1.0.0/24"))},
		},
		"CannotMove": {
			reason:   "A place that does not work changes nothing but the message",
			nc:       []ncOption{stale},
			networks: []vitistack.NetworkNamespace{nn("net", "10.99.0.0/24", 0)},
			child:    []krOption{holding, gives},
			want: want{
				"Reconciling", "reserved in Kea: 1 of 1; eth0: cannot move to 10.99.0.0/24 with ClusterProviderConfig default: no server has subnet 10.99.0.0/24; " +
					"the reservation in 10.0.0.0/24 with ClusterProviderConfig default stays",
				reported1(addressed("10.0.0.5"), confirmed, routed),
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if tc.networks == nil {
				tc.networks = networks
			}
			vm := nc("vm", []string{mac1}, tc.nc...)
			s := &situation{nc: vm, networks: tc.networks}
			if !tc.none {
				child := kr(vm, here, mac1, tc.child...)
				s.named, s.owned = named(child), []*v1alpha1.KeaReservation{child}
			}
			p := policy{config: clusterConfig("default")}
			if at := p.claimOf(vm, tc.networks).place; at != nil {
				s.cannotMove = (&played{}).places(t.Context()).works(at, vm.Namespace)
			}
			got := statusOf(s, p.decide(s), failures{mac1: tc.failed}, "", epoch)
			if diff := cmp.Diff(tc.want, want{got.Phase, got.Message, got.NetworkInterfaces[0]}, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("\n%s\nstatusOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestStatusOf(t *testing.T) {
	networks := []vitistack.NetworkNamespace{nn("net", "10.0.0.0/24", 0)}
	later := epoch.Add(time.Hour)
	ready := func(status metav1.ConditionStatus, reason, message string, since time.Time) metav1.Condition {
		return metav1.Condition{
			Type: "Ready", Status: status, Reason: reason, Message: message,
			ObservedGeneration: 3, LastTransitionTime: metav1.NewTime(since),
		}
	}
	generation := func(nc *vitistack.NetworkConfiguration) { nc.Generation = 3 }
	foreign := metav1.Condition{Type: "Attached", Status: "True", Reason: "Other"}

	type want struct {
		phase, status, message string
		created                time.Time
		conditions             []metav1.Condition
		interfaces             int
	}
	cases := map[string]struct {
		reason string
		nc     *vitistack.NetworkConfiguration
		want   want
	}{
		"NothingToDo": {
			reason: "A machine without interfaces has everything it needs",
			nc:     nc("vm", nil, generation),
			want: want{
				phase: "Ready", status: "Success", message: "no network interfaces, nothing to reserve", created: later,
				conditions: []metav1.Condition{ready("True", "Configured", "no network interfaces, nothing to reserve", later)},
			},
		},
		"NoMAC": {
			reason: "A hardware address may come later",
			nc:     nc("vm", []string{""}, generation),
			want: want{
				phase: "Reconciling", status: "InProgress", message: "eth0: it has no macAddress yet", created: later, interfaces: 1,
				conditions: []metav1.Condition{ready("False", "Reconciling", "eth0: it has no macAddress yet", later)},
			},
		},
		"Unchanged": {
			reason: "Times stay while nothing changes, and others' conditions always",
			nc: nc("vm", nil, generation, func(nc *vitistack.NetworkConfiguration) {
				nc.Status.Created = metav1.NewTime(epoch)
				nc.Status.Conditions = []metav1.Condition{foreign, ready("True", "Configured", "no network interfaces, nothing to reserve", epoch)}
			}),
			want: want{
				phase: "Ready", status: "Success", message: "no network interfaces, nothing to reserve", created: epoch,
				conditions: []metav1.Condition{foreign, ready("True", "Configured", "no network interfaces, nothing to reserve", epoch)},
			},
		},
		"InvalidMAC": {
			reason: "An invalid address is the user's to correct; every interface has its place in the list",
			nc:     nc("vm", []string{"nonsense", ""}, generation),
			want: want{
				phase: "Error", status: "Failed", created: later, interfaces: 2,
				message: `eth0: cannot read "nonsense" as a hardware address: write it with colons, as in 00:02:12:34:56:78; eth1: it has no macAddress yet`,
				conditions: []metav1.Condition{ready("False", "Error",
					`eth0: cannot read "nonsense" as a hardware address: write it with colons, as in 00:02:12:34:56:78; eth1: it has no macAddress yet`, later)},
			},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := &situation{nc: tc.nc, networks: networks}
			st := statusOf(s, policy{config: clusterConfig("default")}.decide(s), nil, "", later)
			got := want{
				phase: st.Phase, status: st.Status, message: st.Message, created: st.Created.UTC(),
				conditions: st.Conditions, interfaces: len(st.NetworkInterfaces),
			}
			if diff := cmp.Diff(tc.want, got, cmp.AllowUnexported(want{})); diff != "" {
				t.Errorf("\n%s\nstatusOf(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}

func TestMessageOf(t *testing.T) {
	many := []string{"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"}
	want := "reserved in Kea: 2 of 12; 1; 2; 3; 4; 5; 6; 7; 8; and 2 more"
	if diff := cmp.Diff(want, messageOf(many, 2, 12)); diff != "" {
		t.Errorf("A message has room for so much\nmessageOf(...): -want, +got:\n%s", diff)
	}
}
