// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// fleet is a cache with resources of one provider configuration, found by all indexes.
type fleet struct {
	client.Reader

	items []v1alpha1.KeaReservation
}

// List implements client.Reader.
func (f fleet) List(_ context.Context, l client.ObjectList, opts ...client.ListOption) error {
	o := (&client.ListOptions{}).ApplyOptions(opts)
	out, _ := l.(*v1alpha1.KeaReservationList)
	for i := range f.items {
		for index, keys := range indexes {
			for _, key := range keys(&f.items[i]) {
				if o.FieldSelector.String() == index+"="+key {
					out.Items = append(out.Items, f.items[i])
				}
			}
		}
	}
	return nil
}

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

// TestWakerIsPaced: a server of which everything changes all the time has all resources enqueued once in
// the time that it takes to reconcile them; and a change of one device does not wait for that.
func TestWakerIsPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const resources, perSecond = 200, 20
		ref := connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "kea"}
		f := fleet{}
		everyone := mirror.Changes{HWAddresses: map[kea.HWAddress]string{}}
		for i := range resources {
			hw := fmt.Sprintf("00:02:12:00:%02x:%02x", i/256, i%256)
			r := v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: strconv.Itoa(i)}}
			r.Spec.ForProvider.HWAddress = hw
			r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: ref.Kind, Name: ref.Name}
			f.items = append(f.items, r)
			everyone.HWAddresses[kea.HWAddress(hw)] = ""
		}
		w := newWaker(f, logging.NewNopLogger(), perSecond)
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
		if got := q.added[priorityMany]; got < 2*resources || got > 3*resources {
			t.Errorf("in 20 s %d were enqueued, want all of them every 10 s", got)
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
	})
}
