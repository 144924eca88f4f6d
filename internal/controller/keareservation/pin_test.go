// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestPin: the address of a lease is filled in once before it is reserved, not before each attempt.
func TestPin(t *testing.T) {
	address := netip.MustParseAddr("10.123.0.50")
	held := &kea.Reservation{IPAddress: address}
	began := func(mg *v1alpha1.KeaReservation) { meta.SetExternalCreatePending(mg, someTime) }
	failed := func(mg *v1alpha1.KeaReservation) { mg.SetConditions(xpv2.ReconcileError(errors.New("boom"))) }
	for name, tc := range map[string]struct {
		reason string
		state  reservation.State
		held   *kea.Reservation
		change []func(*v1alpha1.KeaReservation)
		want   string
	}{
		"New":      {reason: "The API server has it before Kea does.", state: reservation.Pending, want: "10.123.0.50"},
		"Lost":     {reason: "So it has where it was made before.", state: reservation.Pending, change: []func(*v1alpha1.KeaReservation){began}, want: "10.123.0.50"},
		"Outage":   {reason: "Nothing was tried while no server could be asked.", state: reservation.Pending, change: []func(*v1alpha1.KeaReservation){failed}, want: "10.123.0.50"},
		"Again":    {reason: "A create that failed is tried again without it.", state: reservation.Pending, change: []func(*v1alpha1.KeaReservation){began, failed}},
		"Made":     {reason: "It is filled in once Kea has it.", state: reservation.Reserved, held: held, change: []func(*v1alpha1.KeaReservation){began, failed}, want: "10.123.0.50"},
		"Adopted":  {reason: "What Kea has of the device is no create.", state: reservation.Pending, held: held, change: []func(*v1alpha1.KeaReservation){began, failed}, want: "10.123.0.50"},
		"Conflict": {reason: "What is in the way has to go first.", state: reservation.AddressConflict},
	} {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) {
				mg.Spec.ForProvider.IPAddress = ""
				mg.Spec.ManagementPolicies = xpv2.ManagementPolicies{xpv2.ManagementActionAll}
				for _, change := range tc.change {
					change(mg)
				}
			})
			o := group.Observation{Observation: reservation.Observation{Plan: reservation.Plan{State: tc.state, Address: address}, Held: tc.held}}
			if got := pin(mg, o); got != (tc.want != "") || mg.Spec.ForProvider.IPAddress != tc.want {
				t.Errorf("%s\npin(...): %t, %q", tc.reason, got, mg.Spec.ForProvider.IPAddress)
			}
		})
	}
}

// TestUnpin: an address that was filled in and not reserved goes, and what may be in Kea stays known.
func TestUnpin(t *testing.T) {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	boom := errors.New("boom")
	blocked := func(state reservation.State) error { return &group.BlockedError{State: state, Message: "blocked"} }
	for name, tc := range map[string]struct {
		reason          string
		err             error
		byUser, creates bool
		wantAddress     string
	}{
		"Reserved":        {reason: "What is reserved stays.", creates: true, wantAddress: "10.123.0.50"},
		"ByUser":          {reason: "What a user has set is a user's.", err: boom, creates: true, byUser: true, wantAddress: "10.123.0.50"},
		"NotAnswered":     {reason: "The device may have got another one.", err: boom, creates: true},
		"Conflict":        {reason: "Another host has it.", err: blocked(reservation.AddressConflict), creates: true},
		"Refused":         {reason: "Another address would not be accepted either.", err: blocked(reservation.Refused), creates: true, wantAddress: "10.123.0.50"},
		"UpdateAnswer":    {reason: "A reservation that was read before an update has that address.", err: boom, wantAddress: "10.123.0.50"},
		"UpdateConflict":  {reason: "Of several servers one may have been updated.", err: blocked(reservation.AddressConflict)},
		"UpdateByAnother": {reason: "So it may have if the other has an owner.", err: blocked(reservation.OwnedByAnother)},
	} {
		t.Run(name, func(t *testing.T) {
			mg := wanted(func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.IPAddress = "10.123.0.50" })
			kube := fake.NewClientBuilder().WithScheme(s).WithObjects(mg).Build()
			e := &external{client: kube, pinned: !tc.byUser, creates: tc.creates}
			if err := e.unpin(t.Context(), mg, tc.err); !errors.Is(err, tc.err) {
				t.Errorf("%s\nunpin(...): %v", tc.reason, err)
			}
			got := &v1alpha1.KeaReservation{}
			if err := kube.Get(t.Context(), client.ObjectKeyFromObject(mg), got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.wantAddress, got.Spec.ForProvider.IPAddress); diff != "" {
				t.Errorf("%s\nthe address: -want, +got:\n%s", tc.reason, diff)
			}
			if tc.wantAddress == "" && !mayBeInKea(got) {
				t.Errorf("%s\nnothing says that something may be in Kea", tc.reason)
			}
		})
	}
}
