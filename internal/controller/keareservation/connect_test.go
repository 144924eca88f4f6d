// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
)

// TestConnectDeleted: a provider configuration that is being deleted gets no new users and keeps those
// that it has; and a resource that has nothing in Kea can be deleted without one.
func TestConnectDeleted(t *testing.T) {
	const (
		refused = `cannot begin to use ClusterProviderConfig "default", which is being deleted: create it again once it is gone, or name another in spec.providerConfigRef`
		missing = `cannot find ClusterProviderConfig "default": create it, or correct spec.providerConfigRef`
		// goesOn is what those get that may go on to the servers, which nothing has opened here.
		goesOn = `cannot wait for ClusterProviderConfig "default" to be read`
	)
	finalizer := func(mg *v1alpha1.KeaReservation) { mg.Finalizers = []string{"finalizer.managedresource.crossplane.io"} }
	address := func(mg *v1alpha1.KeaReservation) { mg.Status.AtProvider.IPAddress = "10.123.0.50" }
	pending := func(mg *v1alpha1.KeaReservation) { meta.SetExternalCreatePending(mg, time.Now()) }
	marked := func(mg *v1alpha1.KeaReservation) { mg.Status.AtProvider.HWAddress = "00:02:12:34:56:78" }
	asks := func(mg *v1alpha1.KeaReservation) { mg.Spec.ForProvider.IPAddress = "10.123.0.50" }
	waits := func(mg *v1alpha1.KeaReservation) { mg.SetConditions(unavailable("AwaitingLease", "")) }
	denied := func(mg *v1alpha1.KeaReservation) { mg.SetConditions(unavailable("NotAllowed", "")) }
	deleted := func(mg *v1alpha1.KeaReservation) { mg.DeletionTimestamp = &metav1.Time{Time: someTime} }
	all := func(changes ...func(*v1alpha1.KeaReservation)) func(*v1alpha1.KeaReservation) {
		return func(mg *v1alpha1.KeaReservation) {
			for _, change := range changes {
				change(mg)
			}
		}
	}
	cases := map[string]struct {
		reason string
		change func(*v1alpha1.KeaReservation)
		gone   bool // the provider configuration
		want   string
	}{
		"New":             {reason: "One without the finalizer would be a new user.", change: all(), want: refused},
		"Made":            {reason: "So would one that comes with it.", change: finalizer, want: refused},
		"Waits":           {reason: "So would one that waits for a lease, also if it refers to another configuration now.", change: all(finalizer, waits), want: refused},
		"Reserved":        {reason: "One that is reserved goes on.", change: all(finalizer, address), want: goesOn},
		"Marked":          {reason: "So does one without an address that Kea has.", change: all(finalizer, marked), want: goesOn},
		"Asks":            {reason: "One that only asks for an address is new.", change: all(finalizer, asks), want: refused},
		"Creating":        {reason: "So does one that may be.", change: all(finalizer, pending), want: goesOn},
		"Deleted":         {reason: "One that is being deleted is no new user.", change: all(finalizer, address, deleted), want: goesOn},
		"DeletedUnserved": {reason: "One that was never in Kea goes at once.", change: all(finalizer, deleted)},
		"MissingNew":      {reason: "Without the configuration nothing can be done.", change: all(finalizer), gone: true, want: missing},
		"MissingReserved": {reason: "One that is reserved cannot be deleted without it.", change: all(finalizer, address, deleted), gone: true, want: missing},
		"MissingCreating": {reason: "Nor can one that may be.", change: all(finalizer, pending, deleted), gone: true, want: missing},
		"MissingMarked":   {reason: "Nor can one without an address that Kea has.", change: all(finalizer, marked, deleted), gone: true, want: missing},
		"MissingAdopted":  {reason: "Nor can one that may have been adopted.", change: all(finalizer, asks, deleted), gone: true, want: missing},
		"MissingDeleted":  {reason: "One that has nothing in Kea can.", change: all(finalizer, deleted), gone: true},
		"MissingDenied":   {reason: "So can one that may not use it, which does not keep it.", change: all(finalizer, denied, deleted), gone: true},
		"MissingRevoked":  {reason: "But not if it is reserved.", change: all(finalizer, denied, address, deleted), gone: true, want: missing},
	}
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			mg := wanted(tc.change)
			mg.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}
			b := fake.NewClientBuilder().WithScheme(s)
			if !tc.gone {
				pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default", DeletionTimestamp: &metav1.Time{Time: someTime}, Finalizers: []string{"in-use.crossplane.io"}}}
				b = b.WithObjects(pc)
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // Nothing will open the group.
			c := &connector{client: b.Build(), groups: connection.NewGroups(), users: providerconfig.NewUsers()}
			e, err := c.Connect(ctx, mg)
			if tc.want != "" {
				if err == nil || !strings.Contains(err.Error(), tc.want) {
					t.Errorf("%s\nConnect(...): %v, want %s", tc.reason, err, tc.want)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s\nConnect(...): %v", tc.reason, err)
			}
			if o, err := e.Observe(t.Context(), mg); err != nil || o.ResourceExists {
				t.Errorf("%s\nObserve(...): %+v, %v", tc.reason, o, err)
			}
			if err := e.Disconnect(t.Context()); err != nil {
				t.Errorf("%s\nDisconnect(...): %v", tc.reason, err)
			}
		})
	}
}
