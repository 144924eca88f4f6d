// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// counter is a queue that counts what is added, by priority.
type counter struct {
	priorityqueue.PriorityQueue[reconcile.Request]

	added map[int]int
}

func (c *counter) Forget(reconcile.Request) {}

// AddWithOpts implements priorityqueue.PriorityQueue.
func (c *counter) AddWithOpts(o priorityqueue.AddOpts, reqs ...reconcile.Request) {
	c.added[*o.Priority] += len(reqs)
}

// TestWakerIsPaced: a server of which everything changes all the time has all resources enqueued
// once in the time that it takes to reconcile them, and one time ahead of that; and a change of one
// device does not wait for that.
func TestWakerIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const resources, perSecond = 200, 20
		ref := connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "kea"}
		var mgs []*v1alpha1.KeaReservation
		everyone := mirror.Changes{HWAddresses: map[kea.HWAddress]string{}}
		for i := range resources {
			hw := fmt.Sprintf("00:02:12:00:%02x:%02x", i/256, i%256)
			r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: strconv.Itoa(i)}}
			r.Spec.ForProvider.HWAddress = hw
			r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: ref.Kind, Name: ref.Name}
			mgs = append(mgs, r)
			everyone.HWAddresses[kea.HWAddress(hw)] = ""
		}
		w := newWaker(cacheOf(t, mgs...), perSecond)
		q := &counter{added: map[int]int{}}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var queue workqueue.TypedRateLimitingInterface[reconcile.Request] = q
		if err := w.start(ctx, queue); err != nil {
			t.Fatal(err)
		}
		for i := range 100 { // for 20 s
			c := mirror.Changes{Everything: true}
			if i%2 == 0 {
				c = everyone
			}
			w.notify(ref, c)
			time.Sleep(200 * time.Millisecond)
		}
		synctest.Wait()
		if got := q.added[priorityMany]; got < 3*resources || got > 4*resources {
			t.Errorf("in 20 s %d were enqueued, want all of them every 10 s, and once more", got)
		}
		w.notify(ref, mirror.Changes{HWAddresses: map[kea.HWAddress]string{"00:02:12:00:00:07": ""}})
		synctest.Wait()
		if got := q.added[prioritySingle]; got != 1 {
			t.Errorf("the change of one device has enqueued %d, want 1 at once", got)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		before := q.added[priorityMany]
		w.notify(ref, mirror.Changes{Everything: true})
		synctest.Wait()
		if got := q.added[priorityMany] - before; got != resources {
			t.Errorf("after a pause, a change of everything has enqueued %d at once, want %d", got, resources)
		}
		time.Sleep(time.Second)
		w.notify(ref, mirror.Changes{HWAddresses: everyone.HWAddresses})
		synctest.Wait()
		if got := q.added[priorityMany] - before; got != 2*resources {
			t.Errorf("a second one soon after it has enqueued %d at once, want %d", got-resources, resources)
		}
	})
}

// TestWakerSubnets: a subnet that has changed wakes what names it, and what waits for a subnet, and
// nothing else.
func TestWakerSubnets(t *testing.T) {
	ref := connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "kea"}
	named := func(name string, p v1alpha1.KeaReservationParameters, reason xpv2.ConditionReason) *v1alpha1.KeaReservation {
		r := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: name}}
		r.Spec.ForProvider = p
		r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: ref.Kind, Name: ref.Name}
		r.SetConditions(xpv2.Condition{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reason})
		return r
	}
	elsewhere := named("elsewhere", v1alpha1.KeaReservationParameters{Subnet: "10.1.0.0/24"}, v1alpha1.ReasonReserved)
	elsewhere.Spec.ProviderConfigReference.Name = "other"
	all := cacheOf(t,
		named("prefix", v1alpha1.KeaReservationParameters{Subnet: "10.1.0.0/24"}, v1alpha1.ReasonReserved),
		named("id", v1alpha1.KeaReservationParameters{SubnetID: new(int64(1))}, v1alpha1.ReasonReserved),
		named("other-prefix", v1alpha1.KeaReservationParameters{Subnet: "10.2.0.0/24"}, v1alpha1.ReasonReserved),
		named("other-id", v1alpha1.KeaReservationParameters{SubnetID: new(int64(2))}, v1alpha1.ReasonAwaitingLease),
		named("nowhere", v1alpha1.KeaReservationParameters{Subnet: "10.3.0.0/24"}, v1alpha1.ReasonSubnetNotFound),
		elsewhere,
	)
	one := kea.Subnet{ID: 1, Prefix: netip.MustParsePrefix("10.1.0.0/24")}
	cases := map[string]struct {
		reason  string
		changes mirror.Changes
		want    []string
	}{
		"Subnet":     {"By prefix and by id.", mirror.Changes{Subnets: map[kea.Subnet]struct{}{one: {}}}, []string{"id", "nowhere", "prefix"}},
		"OnlyID":     {"By id where the prefix is not known.", mirror.Changes{Subnets: map[kea.Subnet]struct{}{{ID: 2}: {}}}, []string{"nowhere", "other-id"}},
		"Everything": {"All of the provider configuration.", mirror.Changes{Everything: true, Subnets: map[kea.Subnet]struct{}{one: {}}}, []string{"id", "nowhere", "other-id", "other-prefix", "prefix"}},
		"Servers":    {"What is reported of a server concerns none.", mirror.Changes{Servers: true}, nil},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			w := newWaker(all, 100)
			w.notify(ref, tc.changes)
			due, _ := w.take()
			var got []string
			for key, c := range due {
				for _, req := range w.concerned(key.ref, c) {
					got = append(got, req.Name)
				}
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, slices.Compact(got), cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("%s: -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
