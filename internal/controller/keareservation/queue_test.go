// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/controller/priorityqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// workplace is a queue with workers. A request takes as long as its namespace says.
type workplace struct {
	queue priorityqueue.PriorityQueue[reconcile.Request]
	takes map[string]time.Duration

	mu sync.Mutex // guards what follows
	// running and most are how many reconciles a namespace has running, and had at most.
	running, most map[string]int
	// begun are the requests in the order in which they were begun, and when.
	begun []reconcile.Request
	at    map[reconcile.Request]time.Time
}

// newWorkplace starts workers. It must be called in a synctest bubble, whose end they await.
func newWorkplace(t *testing.T, workers, perSecond int, takes map[string]time.Duration) *workplace {
	t.Helper()
	configOf := func(r reconcile.Request) (connection.Ref, bool) {
		return connection.Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: r.Namespace, Name: "kea"}, true
	}
	backoff := workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](time.Second, time.Minute)
	q, _ := newQueue(workers, perSecond, configOf)("", backoff).(priorityqueue.PriorityQueue[reconcile.Request])
	w := &workplace{queue: q, takes: takes, running: map[string]int{}, most: map[string]int{}, at: map[reconcile.Request]time.Time{}}
	var all sync.WaitGroup
	for range workers {
		all.Go(w.work)
	}
	t.Cleanup(func() {
		q.ShutDown()
		all.Wait()
	})
	return w
}

func (w *workplace) work() {
	for {
		req, _, shutdown := w.queue.GetWithPriority()
		if shutdown {
			return
		}
		w.mu.Lock()
		w.begun, w.at[req] = append(w.begun, req), time.Now()
		w.running[req.Namespace]++
		w.most[req.Namespace] = max(w.most[req.Namespace], w.running[req.Namespace])
		w.mu.Unlock()
		time.Sleep(w.takes[req.Namespace])
		w.mu.Lock()
		w.running[req.Namespace]--
		w.mu.Unlock()
		w.queue.Done(req)
	}
}

// after waits, and returns what was begun by then, and when.
func (w *workplace) after(d time.Duration) (begun []reconcile.Request, at map[reconcile.Request]time.Time) {
	time.Sleep(d)
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.begun), maps.Clone(w.at)
}

// times counts a request.
func times(begun []reconcile.Request, req reconcile.Request) int {
	return len(begun) - len(slices.DeleteFunc(slices.Clone(begun), func(r reconcile.Request) bool { return r == req }))
}

func request(namespace string, n int) reconcile.Request {
	return reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: strconv.Itoa(n)}}
}

func requests(namespace string, n int) []reconcile.Request {
	out := make([]reconcile.Request, 0, n)
	for i := range n {
		out = append(out, request(namespace, i))
	}
	return out
}

// TestQueueSharesWorkers: requests of one tenant that take long leave workers to others, and use all
// that they may.
func TestQueueSharesWorkers(t *testing.T) {
	cases := map[string]struct {
		reason  string
		workers int
		hanging []string
		// most is how many workers each of these has at the same time.
		most []int
	}{
		"One":     {reason: "One tenant should have half of the workers.", workers: 16, hanging: []string{"a"}, most: []int{8}},
		"Two":     {reason: "A second one should find half of what is left.", workers: 16, hanging: []string{"a", "b"}, most: []int{8, 4}},
		"Few":     {reason: "With two workers one is left.", workers: 2, hanging: []string{"a"}, most: []int{1}},
		"One for": {reason: "A single worker should serve all.", workers: 1, hanging: []string{"a"}, most: []int{1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				takes := map[string]time.Duration{}
				for _, n := range tc.hanging {
					takes[n] = 10 * time.Second
				}
				w := newWorkplace(t, tc.workers, 500, takes)
				for _, n := range tc.hanging {
					w.queue.AddWithOpts(priorityqueue.AddOpts{}, requests(n, 50)...)
					synctest.Wait()
				}
				began := time.Now()
				w.queue.Add(request("new", 0))
				if _, at := w.after(0); tc.workers > 1 && !at[request("new", 0)].Equal(began) {
					t.Errorf("%s\nthe new request has not begun at once", tc.reason)
				}
				var most []int
				w.mu.Lock()
				for _, n := range tc.hanging {
					most = append(most, w.most[n])
				}
				w.mu.Unlock()
				if diff := cmp.Diff(tc.most, most); diff != "" {
					t.Errorf("%s\nmost workers at a time: -want, +got:\n%s", tc.reason, diff)
				}
				begun, _ := w.after(time.Hour)
				for _, n := range tc.hanging {
					for _, req := range requests(n, 50) {
						if got := times(begun, req); got != 1 {
							t.Errorf("%s\n%s was begun %d times", tc.reason, req, got)
						}
					}
				}
			})
		})
	}
}

// TestQueuePriorities: what is new or edited goes before what a change in Kea concerns, also where both
// wait for a worker of the same tenant; and a request is begun once however often it is added.
func TestQueuePriorities(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorkplace(t, 2, 500, map[string]time.Duration{"a": time.Second})
		addWithPriority(w.queue, priorityMany, requests("a", 5)...)
		synctest.Wait()
		addWithPriority(w.queue, prioritySingle, request("a", 4))
		addWithPriority(w.queue, priorityMany, requests("a", 5)...)
		synctest.Wait()
		w.queue.Add(request("a", 9))
		begun, _ := w.after(time.Minute)
		want := []string{"9", "4", "0", "1", "2", "3"}
		var got []string
		for _, r := range begun {
			got = append(got, r.Name)
		}
		// Which one is first depends on which worker is. It is running when it is added again, and is
		// begun again among the others.
		slices.Sort(got[3:])
		if diff := cmp.Diff(want, got[1:]); diff != "" {
			t.Errorf("order: -want, +got:\n%s", diff)
		}
	})
}

// TestQueueLeavesNoDebt: after waves that each concern all of 20,000 resources, a new one does not wait
// for what the waves have used of the rate.
func TestQueueLeavesNoDebt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const perSecond, resources = 50, 2000
		w := newWorkplace(t, 16, perSecond, map[string]time.Duration{"a": time.Millisecond})
		for range 8 {
			addWithPriority(w.queue, priorityMany, requests("a", resources)...)
			time.Sleep(200 * time.Millisecond)
		}
		w.queue.Add(request("b", 0))
		w.queue.Add(request("a", -1))
		begun, at := w.after(time.Second)
		for _, req := range []reconcile.Request{request("b", 0), request("a", -1)} {
			if _, ok := at[req]; !ok {
				t.Errorf("%s has not begun within a second", req)
			}
		}
		later, _ := w.after(10 * time.Second)
		if got := len(later) - len(begun); got > 11*perSecond {
			t.Errorf("%d requests were begun in 10 s, want %d a second", got, perSecond)
		}
	})
}
