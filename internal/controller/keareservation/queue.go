// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"sync"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/connection"
)

// Priorities of requests. New and edited resources have 0, which is that of controller-runtime.
const (
	// prioritySingle is for a resource that a change in Kea concerns, and for a retry.
	prioritySingle = -10
	// priorityMany is for resources that one event concerns together, and for those that are polled:
	// the same as controller-runtime gives those that are there when the provider starts.
	priorityMany = handler.LowPriority
)

// burst is how many seconds' worth of reconciles may come at once after a time without any.
const burst = 10

// queue is controller-runtime's priority queue, which hands requests out to workers at a limited rate,
// and divides the workers among provider configurations.
//
// The rate is limited before a request is chosen: with a limit on requests, as that of
// crossplane-runtime, a new resource would wait until all have been let through that came before,
// and those that came several times more than once.
type queue struct {
	priorityqueue.PriorityQueue[reconcile.Request]

	limit *rate.Limiter
	// configOf returns the provider configuration of a resource, and whether it exists.
	configOf func(reconcile.Request) (connection.Ref, bool)
	// open ends with the queue.
	open context.Context //nolint:containedctx // The interface has none.
	shut context.CancelFunc

	mu     sync.Mutex // guards what follows
	shares *shares
	// begun has the requests that count as running: those that workers have, and those that were
	// released and are about to be handed out.
	begun map[reconcile.Request]connection.Ref
}

// newQueue returns a function that makes a queue for a controller with some workers.
func newQueue(workers, perSecond int, configOf func(reconcile.Request) (connection.Ref, bool)) func(string, workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
	return func(name string, backoff workqueue.TypedRateLimiter[reconcile.Request]) workqueue.TypedRateLimitingInterface[reconcile.Request] {
		open, shut := context.WithCancel(context.Background())
		return &queue{
			PriorityQueue: priorityqueue.New(name, func(o *priorityqueue.Opts[reconcile.Request]) { o.RateLimiter = backoff }),
			limit:         rate.NewLimiter(rate.Limit(perSecond), burst*perSecond),
			configOf:      configOf, open: open, shut: shut,
			shares: newShares(workers), begun: map[reconcile.Request]connection.Ref{},
		}
	}
}

// Get implements workqueue.TypedInterface.
func (q *queue) Get() (req reconcile.Request, shutdown bool) {
	req, _, shutdown = q.GetWithPriority()
	return req, shutdown
}

// GetWithPriority blocks until there is a request that may be worked on.
func (q *queue) GetWithPriority() (req reconcile.Request, priority int, shutdown bool) {
	if q.limit.Wait(q.open) != nil {
		return req, 0, true
	}
	for {
		req, priority, shutdown = q.PriorityQueue.GetWithPriority()
		if shutdown || q.begin(req, priority) {
			return req, priority, shutdown
		}
		q.PriorityQueue.Done(req)
	}
}

// begin reports whether a request may be worked on; otherwise it is parked.
func (q *queue) begin(req reconcile.Request, priority int) bool {
	ref, exists := q.configOf(req)
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, released := q.begun[req]; released || !exists {
		return true
	}
	if !q.shares.begin(ref, req, priority) {
		return false
	}
	q.begun[req] = ref
	return true
}

// Done implements workqueue.TypedInterface.
func (q *queue) Done(req reconcile.Request) {
	q.mu.Lock()
	if ref, ok := q.begun[req]; ok {
		delete(q.begun, req)
		q.shares.end(ref)
	}
	ref, next, priority, ok := q.shares.release()
	if ok {
		q.begun[next] = ref
	}
	q.mu.Unlock()
	// After it has been counted: it may be handed out again at once.
	q.PriorityQueue.Done(req)
	if ok {
		q.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, next)
	}
}

// ShutDown implements workqueue.TypedInterface.
func (q *queue) ShutDown() {
	q.shut()
	q.PriorityQueue.ShutDown()
}

// ShutDownWithDrain implements workqueue.TypedInterface. It does not drain, as that of the priority
// queue does not.
func (q *queue) ShutDownWithDrain() { q.ShutDown() }

// addWithPriority adds requests to the queue of the controller, which is one of this package.
func addWithPriority(q workqueue.TypedRateLimitingInterface[reconcile.Request], priority int, reqs ...reconcile.Request) {
	if p, ok := q.(priorityqueue.PriorityQueue[reconcile.Request]); ok {
		p.AddWithOpts(priorityqueue.AddOpts{Priority: &priority}, reqs...)
	}
}
