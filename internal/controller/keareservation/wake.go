// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// Indexes of KeaReservations, by what a change in Kea names.
const (
	byConfig    = "config"
	byHWAddress = "config/hwAddress"
	byIPAddress = "config/ipAddress"
)

// indexes returns the keys of a KeaReservation in each index.
var indexes = map[string]func(*v1alpha1.KeaReservation) []string{
	byConfig: func(mg *v1alpha1.KeaReservation) []string { return []string{configKey(refOf(mg))} },
	byHWAddress: func(mg *v1alpha1.KeaReservation) []string {
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			return nil
		}
		return []string{configKey(refOf(mg)) + "/" + string(hw)}
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
		return []string{configKey(refOf(mg)) + "/" + a}
	},
}

func configKey(r connection.Ref) string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

// waker enqueues the resources that a change in Kea concerns.
type waker struct {
	reader client.Reader
	log    logging.Logger
	// signal has room for one: a change that finds it full has been announced.
	signal chan struct{}

	mu      sync.Mutex
	pending map[connection.Ref]mirror.Changes
}

func newWaker(r client.Reader, log logging.Logger) *waker {
	return &waker{reader: r, log: log, signal: make(chan struct{}, 1), pending: map[connection.Ref]mirror.Changes{}}
}

// notify is a listener of connection.Groups: it adds the changes to the pending ones and
// returns at once.
func (w *waker) notify(ref connection.Ref, c mirror.Changes) {
	if !c.Everything && len(c.HWAddresses) == 0 && len(c.Addresses) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pending[ref]
	p.Merge(c)
	w.pending[ref] = p
	select {
	case w.signal <- struct{}{}:
	default:
	}
}

// start is a source of controller-runtime.
func (w *waker) start(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-w.signal:
				w.enqueue(ctx, q)
			}
		}
	}()
	return nil
}

func (w *waker) enqueue(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request]) {
	w.mu.Lock()
	pending := w.pending
	w.pending = map[connection.Ref]mirror.Changes{}
	w.mu.Unlock()
	for ref, c := range pending {
		key := configKey(ref)
		if c.Everything {
			w.add(ctx, q, byConfig, key, "")
			continue
		}
		for hw, cause := range c.HWAddresses {
			w.add(ctx, q, byHWAddress, key+"/"+string(hw), cause)
		}
		for a, cause := range c.Addresses {
			w.add(ctx, q, byIPAddress, key+"/"+a.String(), cause)
		}
	}
}

// add enqueues what an index has under a key, but for the resource whose own write was the cause.
// The backoff of a resource that was to be retried after an error starts over: what it waited for
// may have come.
func (w *waker) add(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], index, key, cause string) {
	l := &v1alpha1.KeaReservationList{}
	if err := w.reader.List(ctx, l, client.MatchingFields{index: key}, client.UnsafeDisableDeepCopy); err != nil {
		w.log.Info("Cannot look up which KeaReservations a change in Kea concerns; the poll will find it", "error", err)
		return
	}
	for i := range l.Items {
		req := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&l.Items[i])}
		if req.String() == cause {
			continue
		}
		q.Forget(req)
		q.Add(req)
	}
}
