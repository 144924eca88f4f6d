// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"maps"
	"net/netip"
	"sync"

	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// Indexes of KeaReservations: by what a change in Kea names.
const (
	byConfig    = "config"
	byHWAddress = "config/hwAddress"
	byIPAddress = "config/ipAddress"
)

// indexes tells the keys of a KeaReservation in each index.
var indexes = map[string]func(*v1alpha1.KeaReservation) []string{
	byConfig: func(mg *v1alpha1.KeaReservation) []string { return []string{configKey(refOf(mg))} },
	byHWAddress: func(mg *v1alpha1.KeaReservation) []string {
		hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
		if err != nil {
			return nil
		}
		return []string{configKey(refOf(mg)) + "/" + string(hw)}
	},
	// The address it has or would have: who waits for an address hears when it
	// becomes free.
	byIPAddress: func(mg *v1alpha1.KeaReservation) []string {
		a := mg.Spec.ForProvider.IPAddress
		if a == "" && mg.Status.AtProvider.Lease != nil {
			a = mg.Status.AtProvider.Lease.IPAddress
		}
		if a == "" {
			return nil
		}
		return []string{configKey(refOf(mg)) + "/" + a}
	},
}

func configKey(r providerconfig.Ref) string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

// waker brings the resources that a change in Kea touches into the queue.
type waker struct {
	reader client.Reader
	log    logging.Logger
	// signal has room for one: whoever finds it full has been announced.
	signal chan struct{}

	mu      sync.Mutex
	pending map[providerconfig.Ref]group.Touched
}

func newWaker(r client.Reader, log logging.Logger) *waker {
	return &waker{reader: r, log: log, signal: make(chan struct{}, 1), pending: map[providerconfig.Ref]group.Touched{}}
}

// notify is a listener of providerconfig.Connections: it notes who is touched
// and returns at once, as the caller may hold a lock.
func (w *waker) notify(ref providerconfig.Ref, t group.Touched) {
	if !t.All && len(t.HWAddresses) == 0 && len(t.Addresses) == 0 {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.pending[ref]
	p.All = p.All || t.All
	if p.HWAddresses == nil {
		p.HWAddresses, p.Addresses = map[kea.HWAddress]struct{}{}, map[netip.Addr]struct{}{}
	}
	maps.Copy(p.HWAddresses, t.HWAddresses)
	maps.Copy(p.Addresses, t.Addresses)
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
	w.pending = map[providerconfig.Ref]group.Touched{}
	w.mu.Unlock()
	for ref, t := range pending {
		key := configKey(ref)
		if t.All {
			w.add(ctx, q, byConfig, key)
			continue
		}
		for hw := range t.HWAddresses {
			w.add(ctx, q, byHWAddress, key+"/"+string(hw))
		}
		for a := range t.Addresses {
			w.add(ctx, q, byIPAddress, key+"/"+a.String())
		}
	}
}

// add enqueues what an index has under a key. Who was waiting for its next try
// after an error starts anew: what it waited for may have come.
func (w *waker) add(ctx context.Context, q workqueue.TypedRateLimitingInterface[reconcile.Request], index, key string) {
	l := &v1alpha1.KeaReservationList{}
	if err := w.reader.List(ctx, l, client.MatchingFields{index: key}, client.UnsafeDisableDeepCopy); err != nil {
		w.log.Info("Cannot look up whom a change in Kea touches; the poll will find it", "error", err)
		return
	}
	for i := range l.Items {
		req := reconcile.Request{NamespacedName: client.ObjectKeyFromObject(&l.Items[i])}
		q.Forget(req)
		q.Add(req)
	}
}
