// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// Indexes of KeaReservations, by what a change in Kea names.
const (
	byConfig    = "config"
	byHWAddress = "config/hwAddress"
	byIPAddress = "config/ipAddress"
	bySubnet    = "config/subnet"
)

// anySubnet is the key, in the index by subnet, of resources that name a subnet which no server
// has.
const anySubnet = "any"

// indexes returns the keys of a KeaReservation in each index.
var indexes = map[string]func(*v1alpha1.KeaReservation) []string{
	byConfig: func(mg *v1alpha1.KeaReservation) []string { return []string{connection.RefOf(mg).Key()} },
	byHWAddress: func(mg *v1alpha1.KeaReservation) []string {
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			return nil
		}
		return []string{connection.RefOf(mg).Key() + "/" + string(hw)}
	},
	// The address that it has or would have: a resource that waits for an address is enqueued when
	// that becomes free.
	byIPAddress: func(mg *v1alpha1.KeaReservation) []string {
		a := mg.Spec.ForProvider.IPAddress
		if a == "" && mg.Status.AtProvider.Lease != nil {
			a = mg.Status.AtProvider.Lease.IPAddress
		}
		if a == "" {
			a = mg.Status.AtProvider.IPAddress
		}
		if a == "" {
			return nil
		}
		return []string{connection.RefOf(mg).Key() + "/" + a}
	},
	bySubnet: func(mg *v1alpha1.KeaReservation) []string {
		ref, err := subnetOf(mg.Spec.ForProvider)
		if err != nil {
			return nil
		}
		keys := []string{subnetKey(connection.RefOf(mg), ref)}
		if mg.GetCondition(xpv2.TypeReady).Reason == v1alpha1.ReasonSubnetNotFound {
			keys = append(keys, connection.RefOf(mg).Key()+"/"+anySubnet)
		}
		return keys
	},
}

// subnetKey returns the key of a subnet in the index by subnet.
func subnetKey(config connection.Ref, subnet reservation.SubnetRef) string {
	return config.Key() + "/" + subnet.String()
}

// waker enqueues the resources that a change in Kea concerns.
type waker struct {
	reader client.Reader
	log    logging.Logger
	// perSecond is how many resources of one provider configuration are enqueued in a second, on
	// average. What changes meanwhile is enqueued together: a server of which everything changes all
	// the time costs no more than that.
	perSecond int
	// signal has room for one: a change that finds it full has been announced.
	signal chan struct{}

	mu      sync.Mutex // guards pending
	pending map[wake]mirror.Changes
	// due is when more may be enqueued. It is of the goroutine alone.
	due map[wake]time.Time
}

// wake is a provider configuration of which changes are pending. Those that concern many resources are
// kept apart, so that a device does not wait for all others.
type wake struct {
	ref  connection.Ref
	many bool
}

// few is how many devices and addresses are few.
const few = 100

func newWaker(r client.Reader, log logging.Logger, perSecond int) *waker {
	return &waker{
		reader: r, log: log, perSecond: perSecond, signal: make(chan struct{}, 1),
		pending: map[wake]mirror.Changes{}, due: map[wake]time.Time{},
	}
}

// notify is a listener of connection.Groups: it adds the changes to the pending ones and
// returns at once.
func (w *waker) notify(ref connection.Ref, c mirror.Changes) {
	c.Servers = false
	if c.Empty() {
		return
	}
	key := wake{ref: ref, many: c.Everything || len(c.Subnets) > 0 || len(c.HWAddresses)+len(c.Addresses) > few}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pending[key]
	p.Merge(c)
	w.pending[key] = p
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// start is a source of controller-runtime.
func (w *waker) start(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	go func() {
		timer := time.NewTimer(0)
		defer timer.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.signal:
			case <-timer.C:
			}
			if d := w.enqueue(ctx, q); d > 0 {
				timer.Reset(d)
			}
		}
	}()
	return nil
}

// enqueue enqueues what is due, and returns when to do so again; 0 if nothing is left.
func (w *waker) enqueue(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) time.Duration {
	due, again := w.take()
	for key, c := range due {
		n := w.add(ctx, q, key, c)
		w.due[key] = time.Now().Add(time.Duration(n) * time.Second / time.Duration(w.perSecond))
	}
	return again
}

// take returns the changes that are due, and how long it takes until others are; 0 if there are none.
func (w *waker) take() (due map[wake]mirror.Changes, again time.Duration) {
	now := time.Now()
	maps.DeleteFunc(w.due, func(_ wake, at time.Time) bool { return !at.After(now) })
	due = map[wake]mirror.Changes{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, c := range w.pending {
		at, paced := w.due[key]
		if !paced {
			due[key] = c
			delete(w.pending, key)
			continue
		}
		if d := at.Sub(now); again == 0 || d < again {
			again = d
		}
	}
	return due, again
}

// add enqueues the resources that changes concern, and returns how many.
func (w *waker) add(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], key wake, c mirror.Changes) int {
	reqs := w.concerned(ctx, key.ref, c)
	for _, req := range reqs {
		// The backoff of a resource that was to be retried after an error starts over: what it waited
		// for may have come.
		q.Forget(req)
	}
	priority := prioritySingle
	if key.many {
		priority = priorityMany
	}
	addWithPriority(q, priority, reqs...)
	return len(reqs)
}

// concerned returns the resources that changes concern, some of them several times.
func (w *waker) concerned(ctx context.Context, ref connection.Ref, c mirror.Changes) []reconcile.Request {
	config := ref.Key()
	if c.Everything {
		return w.find(ctx, byConfig, config, "")
	}
	var reqs []reconcile.Request
	for hw, cause := range c.HWAddresses {
		reqs = append(reqs, w.find(ctx, byHWAddress, config+"/"+string(hw), cause)...)
	}
	for a, cause := range c.Addresses {
		reqs = append(reqs, w.find(ctx, byIPAddress, config+"/"+a.String(), cause)...)
	}
	for sub := range c.Subnets {
		reqs = append(reqs, w.find(ctx, bySubnet, subnetKey(ref, reservation.SubnetRef{ID: sub.ID}), "")...)
		if sub.Prefix.IsValid() {
			reqs = append(reqs, w.find(ctx, bySubnet, subnetKey(ref, reservation.SubnetRef{Prefix: sub.Prefix}), "")...)
		}
	}
	if len(c.Subnets) > 0 {
		reqs = append(reqs, w.find(ctx, bySubnet, config+"/"+anySubnet, "")...)
	}
	return reqs
}

// find returns what an index has under a key, but for the resource whose own write was the cause.
func (w *waker) find(ctx context.Context, index, key, cause string) []reconcile.Request {
	l := &v1alpha1.KeaReservationList{}
	if err := w.reader.List(ctx, l, client.MatchingFields{index: key}, client.UnsafeDisableDeepCopy); err != nil {
		w.log.Info("Cannot look up which KeaReservations a change in Kea concerns; the poll will find it", "error", err)
		return nil
	}
	out := make([]reconcile.Request, 0, len(l.Items))
	for i := range l.Items {
		req := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&l.Items[i])}
		if req.String() != cause {
			out = append(out, req)
		}
	}
	return out
}
