// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"sync"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// waits knows which NetworkConfigurations depend on what a provider configuration
// is like, and enqueues them when it changes. It may be used by several goroutines
// at once, and outlives the controller: listeners of connection.Groups stay.
type waits struct {
	mu sync.Mutex // guards what follows

	of map[types.NamespacedName]map[connection.Ref]bool
	// queue of the running controller; nil if there is none.
	queue queue
}

func newWaits() *waits {
	return &waits{of: map[types.NamespacedName]map[connection.Ref]bool{}}
}

// clear forgets what a NetworkConfiguration depends on.
func (w *waits) clear(nc types.NamespacedName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.of, nc)
}

// add records that a NetworkConfiguration depends on a provider configuration. Call
// it before that is looked at, so that no change is missed.
func (w *waits) add(nc types.NamespacedName, ref connection.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[nc] == nil {
		w.of[nc] = map[connection.Ref]bool{}
	}
	w.of[nc][ref] = true
}

// listen is a listener of connection.Groups. A changed reservation or lease is not
// what anything waits for here.
func (w *waits) listen(ref connection.Ref, c mirror.Changes) {
	if c.Everything || c.Servers || len(c.Subnets) > 0 {
		w.notify(ref)
	}
}

// listenNamespace is a listener of keareservation.Namespaces: spec.access of a provider configuration
// may allow a namespace with other labels something else.
func (w *waits) listenNamespace(name string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue == nil {
		return
	}
	for nc := range w.of {
		if nc.Namespace == name {
			w.queue.Add(reconcile.Request{NamespacedName: nc})
		}
	}
}

// notify enqueues what depends on a provider configuration.
func (w *waits) notify(ref connection.Ref) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.queue == nil {
		return
	}
	for nc, refs := range w.of {
		if refs[ref] {
			w.queue.Add(reconcile.Request{NamespacedName: nc})
		}
	}
}

// start is a source of controller-runtime.
func (w *waits) start(ctx context.Context, q queue) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = q
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if w.queue == q { // not that of the next controller
			w.queue = nil
		}
	})
	return nil
}
