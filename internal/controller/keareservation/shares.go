// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"maps"
	"slices"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/connection"
)

// shares divides workers among provider configurations: a tenant may have as many reconciles
// running as there are workers left over by all. One tenant gets half of the workers, two get a third
// each, and so on: a further one always finds a free worker, whatever the others wait for.
//
// A request beyond that is parked, and released when a reconcile of any configuration ends. It is not
// for several goroutines at once.
type shares struct {
	workers int
	// running has the reconciles of each configuration, those that were released included.
	running map[connection.Ref]int
	parked  map[connection.Ref]*parking
}

func newShares(workers int) *shares {
	return &shares{workers: workers, running: map[connection.Ref]int{}, parked: map[connection.Ref]*parking{}}
}

// tenant is who shares a part of the workers: all ProviderConfigs of a namespace, or one
// ClusterProviderConfig. A tenant may have any number of ProviderConfigs.
func tenant(ref connection.Ref) connection.Ref {
	if ref.Namespace != "" {
		ref.Name = ""
	}
	return ref
}

// admits reports whether another reconcile of a configuration may begin.
func (s *shares) admits(ref connection.Ref) bool {
	free := s.workers
	for _, n := range s.running {
		free -= n
	}
	own := s.runningOf(ref)
	return own == 0 || own < free
}

// runningOf returns how many reconciles the tenant of a configuration has running.
func (s *shares) runningOf(ref connection.Ref) int {
	own := 0
	for other, n := range s.running {
		if tenant(other) == tenant(ref) {
			own += n
		}
	}
	return own
}

// behind reports whether a configuration has fewer reconciles running than another one: its tenant
// has, or it is one of the same tenant.
func (s *shares) behind(a, b connection.Ref) bool {
	if x, y := s.runningOf(a), s.runningOf(b); x != y {
		return x < y
	}
	return s.running[a] < s.running[b]
}

// begin counts a reconcile, if it may begin; otherwise its request is parked.
func (s *shares) begin(ref connection.Ref, req reconcile.Request, priority int) bool {
	if !s.admits(ref) {
		p := s.parked[ref]
		if p == nil {
			p = newParking()
			s.parked[ref] = p
		}
		p.add(req, priority)
		return false
	}
	if p := s.parked[ref]; p != nil {
		p.remove(req)
	}
	s.running[ref]++
	return true
}

// end counts a reconcile that has ended.
func (s *shares) end(ref connection.Ref) {
	if s.running[ref]--; s.running[ref] <= 0 {
		delete(s.running, ref)
	}
}

// release returns a request that may begin now, which counts as running from now on: one of the
// tenant, and of its configurations, that has the fewest reconciles running. ok is false if there is
// none.
func (s *shares) release() (ref connection.Ref, req reconcile.Request, priority int, ok bool) {
	maps.DeleteFunc(s.parked, func(_ connection.Ref, p *parking) bool { return len(p.priorities) == 0 })
	for candidate := range s.parked {
		if s.admits(candidate) && (!ok || s.behind(candidate, ref)) {
			ref, ok = candidate, true
		}
	}
	if !ok {
		return ref, req, 0, false
	}
	req, priority = s.parked[ref].next()
	s.running[ref]++
	return ref, req, priority, true
}

// parking has the requests of one provider configuration that wait for a worker.
type parking struct {
	// priorities has each request once, queues in the order of arrival, by priority. What a queue has
	// at another priority than priorities says is out of date, and skipped.
	priorities map[reconcile.Request]int
	queues     map[int][]reconcile.Request
}

func newParking() *parking {
	return &parking{priorities: map[reconcile.Request]int{}, queues: map[int][]reconcile.Request{}}
}

// add adds a request, or raises its priority.
func (p *parking) add(req reconcile.Request, priority int) {
	if before, ok := p.priorities[req]; ok && before >= priority {
		return
	}
	p.priorities[req] = priority
	p.queues[priority] = append(p.queues[priority], req)
}

func (p *parking) remove(req reconcile.Request) { delete(p.priorities, req) }

// next removes the request that is to go first, and returns it with its priority. There must be one.
func (p *parking) next() (reconcile.Request, int) {
	for _, priority := range slices.Backward(slices.Sorted(maps.Keys(p.queues))) {
		queue := p.queues[priority]
		for len(queue) > 0 {
			req := queue[0]
			queue = queue[1:]
			if at, ok := p.priorities[req]; ok && at == priority {
				p.queues[priority] = queue
				delete(p.priorities, req)
				return req, priority
			}
		}
		delete(p.queues, priority)
	}
	return reconcile.Request{}, 0
}
