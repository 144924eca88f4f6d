// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

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

// waker enqueues the resources that a change in Kea concerns.
type waker struct {
	all Reservations
	// perSecond is how many resources of one provider configuration are enqueued in a second, on
	// average. What changes meanwhile is enqueued together: a server of which everything changes all
	// the time costs no more than that. All may be enqueued once more than that at the beginning: Kea
	// may lose its memory soon after another change.
	perSecond int
	// signal has room for one: a change that finds it full has been announced.
	signal chan struct{}

	mu      sync.Mutex // guards pending
	pending map[wake]mirror.Changes
	// paces are those of what was enqueued of late. They are of the goroutine alone.
	paces map[wake]wakePace
}

// wakePace is how far what was enqueued is ahead of the average.
type wakePace struct {
	// until is when it is no longer ahead.
	until time.Time
	// most is how far the most that was enqueued at once is ahead: it may be as much again.
	most time.Duration
}

// wake is a provider configuration of which changes are pending. Those that concern many resources are
// kept apart, so that a device does not wait for all others.
type wake struct {
	ref  connection.Ref
	many bool
}

// wakeShare is which part of all reconciles the changes of one provider configuration may cause on
// average, a quarter: all that a server holds may change all the time.
const wakeShare = 4

// few is how many devices and addresses are few.
const few = 100

func newWaker(all Reservations, perSecond int) *waker {
	return &waker{
		all: all, perSecond: perSecond, signal: make(chan struct{}, 1),
		pending: map[wake]mirror.Changes{}, paces: map[wake]wakePace{},
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
			if d := w.enqueue(q); d > 0 {
				timer.Reset(d)
			}
		}
	}()
	return nil
}

// enqueue enqueues what is due, and returns when to do so again; 0 if nothing is left.
func (w *waker) enqueue(q workqueue.TypedRateLimitingInterface[reconcile.Request]) time.Duration {
	due, again := w.take()
	for key, c := range due {
		takes := time.Duration(w.add(q, key, c)) * time.Second / time.Duration(w.perSecond)
		p, late := w.paces[key]
		if !late {
			p.until = time.Now()
		}
		w.paces[key] = wakePace{until: p.until.Add(takes), most: max(p.most, takes)}
	}
	return again
}

// take returns the changes that are due, and how long it takes until others are; 0 if there are none.
func (w *waker) take() (due map[wake]mirror.Changes, again time.Duration) {
	now := time.Now()
	maps.DeleteFunc(w.paces, func(_ wake, p wakePace) bool { return !p.until.After(now) })
	due = map[wake]mirror.Changes{}
	w.mu.Lock()
	defer w.mu.Unlock()
	for key, c := range w.pending {
		p := w.paces[key]
		if d := p.until.Sub(now) - p.most; d > 0 {
			if again == 0 || d < again {
				again = d
			}
			continue
		}
		due[key] = c
		delete(w.pending, key)
	}
	return due, again
}

// add enqueues the resources that changes concern, and returns how many.
func (w *waker) add(q workqueue.TypedRateLimitingInterface[reconcile.Request], key wake, c mirror.Changes) int {
	reqs := w.concerned(key.ref, c)
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
func (w *waker) concerned(ref connection.Ref, c mirror.Changes) []reconcile.Request {
	if c.Everything {
		return requestsOf(w.all.Of(ref), ref, "")
	}
	var reqs []reconcile.Request
	for hw, cause := range c.HWAddresses {
		reqs = append(reqs, requestsOf(w.all.WithHWAddress(hw), ref, cause)...)
	}
	for a, cause := range c.Addresses {
		reqs = append(reqs, requestsOf(w.all.withIPAddress(a.String()), ref, cause)...)
	}
	if len(c.Subnets) > 0 {
		reqs = append(reqs, requestsOf(w.inSubnets(ref, c.Subnets), ref, "")...)
	}
	return reqs
}

// inSubnets returns the resources that name one of some subnets, or one that no server has.
func (w *waker) inSubnets(ref connection.Ref, subnets map[kea.Subnet]struct{}) []*v1alpha1.KeaReservation {
	names := map[reservation.SubnetRef]bool{}
	for sub := range subnets {
		names[reservation.SubnetRef{ID: sub.ID}] = true
		if sub.Prefix.IsValid() {
			names[reservation.SubnetRef{Prefix: sub.Prefix}] = true
		}
	}
	return slices.DeleteFunc(w.all.Of(ref), func(mg *v1alpha1.KeaReservation) bool {
		name, err := subnetOf(mg.Spec.ForProvider)
		return err != nil || !names[name] && mg.GetCondition(xpv2.TypeReady).Reason != v1alpha1.ReasonSubnetNotFound
	})
}

// requestsOf returns those of some resources that have a provider configuration, but for the one whose
// own write was the cause.
func requestsOf(mgs []*v1alpha1.KeaReservation, ref connection.Ref, cause string) []reconcile.Request {
	out := make([]reconcile.Request, 0, len(mgs))
	for _, mg := range mgs {
		req := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(mg)}
		if connection.RefOf(mg) == ref && (cause == "" || req.String() != cause) {
			out = append(out, req)
		}
	}
	return out
}
