// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// limited is a provider configuration that namespaces of team web may use for some subnets.
func limited(subnets ...string) *v1alpha1.ClusterProviderConfig {
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default"}}
	pc.Spec.Access = []v1alpha1.Access{{Namespaces: &v1alpha1.NamespaceSelector{MatchLabels: map[string]string{"team": "web"}}, Subnets: subnets}}
	return pc
}

// TestConnectNotAllowed: a resource that may not use its subnet gets its status without a group, which
// nothing has opened here, and does not begin to use the configuration; deleted, it is gone at once.
func TestConnectNotAllowed(t *testing.T) {
	const message = "namespace ns may not use 10.123.0.0/24 of this provider configuration: who manages the provider configuration can allow it in spec.access"
	before := v1alpha1.KeaReservationObservation{
		SubnetID: new(int64(1)), Subnet: "10.123.0.0/24", HWAddress: "00:02:12:34:56:78", IPAddress: "10.123.0.50", Hostname: "a", Gateway: "10.123.0.1",
		Servers: []v1alpha1.ServerObservation{{Name: "kea1", State: v1alpha1.ServerStateReserved}},
	}
	kept := v1alpha1.KeaReservationObservation{SubnetID: before.SubnetID, Subnet: before.Subnet, HWAddress: before.HWAddress, IPAddress: before.IPAddress}
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.KeaReservation)
		labels map[string]string
		want   v1alpha1.KeaReservationObservation
		exists bool
	}{
		"New":         {reason: "One that was never allowed has nothing in its status.", change: func(*v1alpha1.KeaReservation) {}, exists: true},
		"OtherSubnet": {reason: "Nor has one in a subnet of others.", change: func(*v1alpha1.KeaReservation) {}, labels: map[string]string{"team": "web"}, exists: true},
		"Observing":   {reason: "What may not be used may not be read.", change: policies(xpv2.ManagementActionObserve), exists: true},
		"Revoked": {
			reason: "One that was allowed keeps what says that something is in Kea.", want: kept, exists: true,
			change: func(mg *v1alpha1.KeaReservation) {
				mg.Status.AtProvider = before
				mg.SetConditions(reserved(""))
			},
		},
		"Deleted": {
			reason: "One without the finalizer has nothing in Kea.",
			change: func(mg *v1alpha1.KeaReservation) {
				mg.DeletionTimestamp, mg.Finalizers = &metav1.Time{Time: someTime}, []string{"foregroundDeletion"}
			},
		},
		"MadeAndDeleted": {
			reason: "One that a NetworkConfiguration made has the finalizer, and nothing in Kea.",
			change: func(mg *v1alpha1.KeaReservation) {
				mg.Spec.ForProvider.IPAddress = ""
				mg.DeletionTimestamp, mg.Finalizers = &metav1.Time{Time: someTime}, []string{managed.FinalizerName}
				isNotReady(v1alpha1.ReasonNotAllowed)(mg)
			},
		},
	}
	s := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(s), corev1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(tc.change)
			mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
			kube := fake.NewClientBuilder().WithScheme(s).WithObjects(limited("10.99.0.0/16")).Build()
			c := &connector{client: kube, groups: connection.NewGroups(), labels: func(context.Context, string) (map[string]string, error) { return tc.labels, nil }}
			e, err := c.Connect(t.Context(), mg)
			if err != nil {
				t.Fatalf("%s\nConnect(...): %v", tc.reason, err)
			}
			o, err := e.Observe(t.Context(), mg)
			if err != nil || o.ResourceExists != tc.exists || o.ResourceExists && !o.ResourceUpToDate {
				t.Errorf("%s\nObserve(...): %+v, %v", tc.reason, o, err)
			}
			if !tc.exists {
				return
			}
			if diff := cmp.Diff(tc.want, mg.Status.AtProvider); diff != "" {
				t.Errorf("%s\natProvider: -want, +got:\n%s", tc.reason, diff)
			}
			ready := mg.GetCondition(xpv2.TypeReady)
			if ready.Status != corev1.ConditionFalse || ready.Reason != v1alpha1.ReasonNotAllowed || ready.Message != message {
				t.Errorf("%s\nReady is %s %s %q", tc.reason, ready.Status, ready.Reason, ready.Message)
			}
			if err := (finalizer{}).AddFinalizer(t.Context(), mg); err != nil || len(mg.Finalizers) > 0 {
				t.Errorf("%s\nAddFinalizer(...): %q, %v, want none", tc.reason, mg.Finalizers, err)
			}
		})
	}
}

// TestNoLabels: while the labels of namespaces cannot be read, nothing is taken for forbidden or
// allowed.
func TestNoLabels(t *testing.T) {
	want := errors.New("no permission")
	labels := func(context.Context, string) (map[string]string, error) { return nil, want }
	if _, err := grantOf(t.Context(), limited(), "ns", labels); !errors.Is(err, want) {
		t.Errorf("grantOf(...): %v, want %v", err, want)
	}
	for _, pc := range []interface {
		client.Object
		GetSpec() *v1alpha1.ProviderConfigSpec
	}{&v1alpha1.ProviderConfig{}, &v1alpha1.ClusterProviderConfig{}} {
		if len(accessOf(pc)) > 0 {
			t.Errorf("%T has access without any", pc)
		}
	}
	if g, err := grantOf(t.Context(), &v1alpha1.ProviderConfig{}, "ns", labels); err != nil || g.Limited {
		t.Errorf("grantOf(...) of a ProviderConfig: %+v, %v, want no limits", g, err)
	}
	if _, err := (&Namespaces{}).Labels(t.Context(), "ns"); err == nil {
		t.Error("labels(...) of a cache that is not filled: want an error")
	}
}

func TestHeldBefore(t *testing.T) {
	server := func(s v1alpha1.ServerState) []v1alpha1.ServerObservation {
		return []v1alpha1.ServerObservation{{Name: "kea1", State: s, SubnetID: new(int64(1))}}
	}
	cases := map[string]struct {
		reason        string
		ip            string
		ready         xpv2.Condition
		servers       []v1alpha1.ServerObservation
		held, removes bool
	}{
		"Ready":    {reason: "What Kea held as wanted is the resource's.", ip: "10.123.0.50", ready: reserved(""), servers: server(v1alpha1.ServerStateReserved), held: true, removes: true},
		"Observed": {reason: "What was only looked at, and has another address, is not.", ip: "10.123.0.60", ready: reserved("Kea differs"), servers: server(v1alpha1.ServerStateBlocked)},
		"NoSubnet": {
			reason: "A server that lacks the subnet says nothing about it.", ip: "10.123.0.50", ready: reserved(""), held: true, removes: true,
			servers: append(server(v1alpha1.ServerStateReserved), v1alpha1.ServerObservation{Name: "kea2", State: v1alpha1.ServerStateBlocked}),
		},
		"Drifted":    {reason: "What could not be restored yet is.", ip: "10.123.0.60", ready: xpv2.Unavailable(), servers: server(v1alpha1.ServerStateOutOfDate), held: true},
		"Conflict":   {reason: "So is what is in conflict with another host.", ip: "10.123.0.60", ready: unavailable("AddressConflict", ""), servers: server(v1alpha1.ServerStateBlocked), held: true},
		"Differs":    {reason: "What was not moved is not.", ip: "10.123.0.60", ready: unavailable("AddressDiffers", ""), servers: server(v1alpha1.ServerStateBlocked)},
		"NotAllowed": {reason: "Nor is what is no longer allowed.", ip: "10.123.0.50", ready: unavailable("NotAllowed", "")},
		"Nothing":    {reason: "Nor is nothing.", ready: xpv2.Unavailable()},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				mg.Status.AtProvider.IPAddress, mg.Status.AtProvider.Servers = tc.ip, tc.servers
				mg.SetConditions(tc.ready)
			})
			if got := heldBefore(mg); got != tc.held {
				t.Errorf("%s\nheldBefore(...): %t", tc.reason, got)
			}
			if got := wasReserved(mg); got != tc.removes {
				t.Errorf("%s\nwasReserved(...): %t", tc.reason, got)
			}
		})
	}
}

func isNotReady(reason xpv2.ConditionReason) func(*v1alpha1.KeaReservation) {
	return func(mg *v1alpha1.KeaReservation) { mg.SetConditions(unavailable(string(reason), "")) }
}

// TestToRelease: what a deleted resource may have in Kea is looked for there, and nothing else.
func TestToRelease(t *testing.T) {
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.KeaReservation)
		want   bool
	}{
		"New":       {reason: "One that was never looked at has nothing.", change: func(*v1alpha1.KeaReservation) {}},
		"Waits":     {reason: "Nor has one that waits for its lease.", change: isNotReady(v1alpha1.ReasonAwaitingLease)},
		"Forbidden": {reason: "Nor has one that was never allowed.", change: isNotReady(v1alpha1.ReasonNotAllowed)},
		"Pinned":    {reason: "An address is in the spec before it is in Kea.", want: true, change: func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.IPAddress = "10.123.0.50" }},
		"Began":     {reason: "A create may have ended after the provider had.", want: true, change: func(mg *v1alpha1.KeaReservation) { meta.SetExternalCreatePending(mg, someTime) }},
		"Observed":  {reason: "Kea had it.", want: true, change: func(mg *v1alpha1.KeaReservation) { mg.Status.AtProvider.IPAddress = "10.123.0.50" }},
		"Marked":    {reason: "So it had without an address.", want: true, change: func(mg *v1alpha1.KeaReservation) { mg.Status.AtProvider.HWAddress = "00:02:12:34:56:78" }},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				mg.Spec.ForProvider.IPAddress = ""
				mg.DeletionTimestamp, mg.Finalizers = &metav1.Time{Time: someTime}, []string{managed.FinalizerName}
				tc.change(mg)
			})
			if got := toRelease(mg); got != tc.want {
				t.Errorf("%s\ntoRelease(...): %t", tc.reason, got)
			}
			// Without the provider configuration, which is not there.
			c := &connector{client: fake.NewClientBuilder().WithScheme(runtime.NewScheme()).Build(), groups: connection.NewGroups()}
			e, err := c.Connect(t.Context(), mg)
			if (err != nil) != tc.want {
				t.Fatalf("%s\nConnect(...): %v", tc.reason, err)
			}
			if err != nil {
				return
			}
			if o, err := e.Observe(t.Context(), mg); err != nil || o.ResourceExists {
				t.Errorf("%s\nObserve(...): %+v, %v", tc.reason, o, err)
			}
		})
	}
}
