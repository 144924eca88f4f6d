// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// TestAdoptsFirst: of several that take a device's reservation over one may, the
// same one whoever is asked.
func TestAdoptsFirst(t *testing.T) {
	adopting := func(name string, created time.Time, change func(*v1alpha1.KeaReservation)) *v1alpha1.KeaReservation {
		return wanted(func(mg *v1alpha1.KeaReservation) {
			mg.Name, mg.CreationTimestamp.Time = name, created
			mg.Annotations = map[string]string{v1alpha1.AnnotationKeyAdopt: "true"}
			change(mg)
		})
	}
	conditioned := func(c ...xpv2.Condition) func(*v1alpha1.KeaReservation) {
		return func(mg *v1alpha1.KeaReservation) { mg.SetConditions(c...) }
	}
	same := func(*v1alpha1.KeaReservation) {}
	cases := map[string]struct {
		reason string
		rival  *v1alpha1.KeaReservation
		want   bool
		spare  []string
	}{
		"Older":       {reason: "The older one should.", rival: adopting("z", someTime.Add(-time.Second), same), want: false},
		"Younger":     {reason: "A younger one should not.", rival: adopting("0", someTime.Add(time.Second), same), want: true},
		"SameTime":    {reason: "Of two of the same second the one that is first by name should.", rival: adopting("0", someTime, same), want: false},
		"OtherDevice": {reason: "Another device's reservation is none of it.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.HWAddress = "00:02:12:34:56:79" }), want: true},
		"OtherSubnet": {reason: "Nor is one in another subnet.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.Subnet = "10.124.0.0/24" }), want: true},
		"SameSubnetID": {reason: "A subnet that is named in two ways is the same.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) {
			mg.Spec.ForProvider.Subnet, mg.Spec.ForProvider.SubnetID, mg.Status.AtProvider.SubnetID = "", new(int64(1)), new(int64(1))
		}), want: false},
		"Observing":     {reason: "Nor is one that only looks.", rival: adopting("0", someTime, policies(xpv2.ManagementActionObserve)), want: true},
		"NotAdopting":   {reason: "Who does not take it over is no rival.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) { mg.Annotations = nil }), want: true},
		"Ready":         {reason: "One that has it keeps it.", rival: adopting("0", someTime, conditioned(xpv2.Available())), want: false},
		"Paused":        {reason: "One that is paused takes nothing over.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) { mg.Annotations["crossplane.io/paused"] = "true" }), want: true},
		"NotAllowed":    {reason: "Nor does one that may not.", rival: adopting("0", someTime, conditioned(unavailable("NotAllowed", ""))), want: true},
		"InConflict":    {reason: "One that cannot does not hold up another, which takes nothing of its own.", rival: adopting("0", someTime, conditioned(unavailable("AddressConflict", ""))), want: true, spare: []string{"ns/0"}},
		"NotSynced":     {reason: "So it is with one that fails.", rival: adopting("0", someTime, conditioned(xpv2.ReconcileError(errors.New("no answer")))), want: true, spare: []string{"ns/0"}},
		"AboutToCreate": {reason: "One that is about to take it over does.", rival: adopting("0", someTime, conditioned(xpv2.Creating(), xpv2.ReconcileSuccess())), want: false},
		"OtherKea": {reason: "Nor is who means another Kea.", rival: adopting("0", someTime, func(mg *v1alpha1.KeaReservation) {
			mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "other"}
		}), want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := adopting("a", someTime, func(mg *v1alpha1.KeaReservation) { mg.Status.AtProvider.SubnetID = new(int64(1)) })
			in, err := (&external{all: cacheOf(t, mg, tc.rival), groups: connection.NewGroups()}).intent(mg)
			if err != nil || in.Adopt != tc.want || !slices.Equal(in.Spare, tc.spare) {
				t.Errorf("%s\nintent(...): Adopt is %t, Spare is %q, %v", tc.reason, in.Adopt, in.Spare, err)
			}
		})
	}
}

// TestAdoptsAcrossConfigurations: a resource counts whatever configuration it reaches the server
// by, but holds nothing up if that cannot use the server, as it has no credentials for it.
func TestAdoptsAcrossConfigurations(t *testing.T) {
	mg, rival := wanted(func(mg *v1alpha1.KeaReservation) { mg.Name = "a" }), wanted(func(mg *v1alpha1.KeaReservation) { mg.Name = "0" })
	for _, r := range []*v1alpha1.KeaReservation{mg, rival} {
		r.Annotations = map[string]string{v1alpha1.AnnotationKeyAdopt: "true"}
		r.SetConditions(xpv2.Available(), xpv2.ReconcileSuccess())
	}
	rival.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind, Name: "mine"}
	ctx, cancel := context.WithCancel(t.Context())
	groups := connection.NewGroups()
	open := func(ref connection.Ref, err error) {
		cfg := group.Config{Interval: time.Hour, Servers: []group.ServerConfig{{Name: "kea1", Kea: kea.Config{URL: "http://127.0.0.1:1", Timeout: time.Second}, Err: err}}}
		if _, _, err := groups.Open(ctx, ref, cfg, "x"); err != nil {
			t.Fatal(err)
		}
	}
	open(connection.RefOf(mg), nil)
	open(connection.RefOf(rival), errors.New("no Secret"))
	g, _ := groups.Running(connection.RefOf(rival))
	g.AwaitTried(ctx)
	in, err := (&external{all: cacheOf(t, mg, rival), groups: groups}).intent(mg)
	if want := []string{"ns/0"}; err != nil || !in.Adopt || !slices.Equal(in.Spare, want) {
		t.Errorf("intent(...): Adopt is %t, Spare is %q, %v, want it to take over, and %q spared", in.Adopt, in.Spare, err, want)
	}
	cancel()
	groups.Wait()
}
