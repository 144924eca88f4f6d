// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"
	"unique"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// Users knows how many KeaReservations use each provider configuration, by the events of the shared
// cache: to count them there would be to copy each of them. Its methods may be called by several
// goroutines at once.
type Users struct {
	mu sync.Mutex // guards what follows
	// known means that the events of all KeaReservations in the cache have come.
	known bool
	// configs has the provider configuration of each KeaReservation that is a user, and counts how
	// many each configuration has.
	configs map[types.NamespacedName]unique.Handle[connection.Ref]
	counts  map[connection.Ref]int64
	// beginning counts the reconciles that may be making a user of a configuration, and closed has the
	// UIDs of configurations that get no new ones. looked is when the API server was last asked for
	// users of these.
	beginning map[connection.Ref]int
	closed    map[connection.Ref]types.UID
	looked    map[connection.Ref]time.Time
	listeners []func(connection.Ref)
}

// NewUsers returns Users that know of no KeaReservation yet.
func NewUsers() *Users {
	return &Users{
		configs: map[types.NamespacedName]unique.Handle[connection.Ref]{}, counts: map[connection.Ref]int64{},
		beginning: map[connection.Ref]int{}, closed: map[connection.Ref]types.UID{}, looked: map[connection.Ref]time.Time{},
	}
}

// Watch has the users counted from now on. It blocks until the cache has all KeaReservations, two
// minutes at most, and may be called again.
func (u *Users) Watch(ctx context.Context, c cache.Cache) error {
	if _, known := u.count(connection.Ref{}); known {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	informer, err := c.GetInformer(ctx, &v1alpha1.KeaReservation{})
	if err != nil {
		return fmt.Errorf("cannot fill the cache of KeaReservations: %w", err)
	}
	u.reset()
	handler, err := informer.AddEventHandler(u.handler())
	if err != nil {
		return fmt.Errorf("cannot watch KeaReservations to count the users of provider configurations: %w", err)
	}
	if !toolscache.WaitForCacheSync(ctx.Done(), handler.HasSynced) {
		_ = informer.RemoveEventHandler(handler)
		return fmt.Errorf("cannot count the users of provider configurations: %w", context.Cause(ctx))
	}
	u.setKnown()
	return nil
}

// reset drops what a watch that did not come about has counted: the next one does not see what is
// gone by then.
func (u *Users) reset() {
	u.mu.Lock()
	defer u.mu.Unlock()
	clear(u.configs)
	clear(u.counts)
}

// handler takes the events of KeaReservations.
func (u *Users) handler() toolscache.ResourceEventHandler {
	set := func(o any) {
		if mg, ok := o.(*v1alpha1.KeaReservation); ok {
			u.set(types.NamespacedName{Namespace: mg.Namespace, Name: mg.Name}, refIfUser(mg))
		}
	}
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc:    set,
		UpdateFunc: func(_, now any) { set(now) },
		DeleteFunc: func(o any) {
			if name, err := toolscache.DeletionHandlingObjectToName(o); err == nil {
				u.set(types.NamespacedName{Namespace: name.Namespace, Name: name.Name}, connection.Ref{})
			}
		},
	}
}

// refIfUser returns the provider configuration that a KeaReservation is a user of, if it is.
func refIfUser(mg *v1alpha1.KeaReservation) connection.Ref {
	if !IsUser(mg) {
		return connection.Ref{}
	}
	return connection.RefOf(mg)
}

// set records which provider configuration a KeaReservation is a user of; the zero Ref for none.
func (u *Users) set(key types.NamespacedName, now connection.Ref) {
	u.mu.Lock()
	before := connection.Ref{}
	if ref, ok := u.configs[key]; ok {
		before = ref.Value()
	}
	if before == now {
		u.mu.Unlock()
		return
	}
	u.add(before, -1)
	u.add(now, 1)
	if u.configs[key] = unique.Make(now); now == (connection.Ref{}) {
		delete(u.configs, key)
	}
	known := u.known
	u.mu.Unlock()
	if known {
		u.announce(before, now)
	}
}

// add adds to the count of a provider configuration. The caller has locked mu.
func (u *Users) add(ref connection.Ref, n int64) {
	if ref == (connection.Ref{}) {
		return
	}
	if u.counts[ref] += n; u.counts[ref] == 0 {
		delete(u.counts, ref)
	}
}

func (u *Users) setKnown() {
	u.mu.Lock()
	u.known = true
	all := slices.Collect(maps.Keys(u.counts))
	u.mu.Unlock()
	u.announce(all...)
}

// listen has a function called with each provider configuration whose users change. It must not
// block.
func (u *Users) listen(changed func(connection.Ref)) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.listeners = append(u.listeners, changed)
}

func (u *Users) announce(refs ...connection.Ref) {
	u.mu.Lock()
	listeners := slices.Clone(u.listeners)
	u.mu.Unlock()
	for _, changed := range listeners {
		for _, ref := range refs {
			changed(ref)
		}
	}
}

// count returns how many users a provider configuration has, and whether that is known yet.
func (u *Users) count(ref connection.Ref) (n int64, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.counts[ref], u.known
}

// Begin lets a reconcile make a user of a provider configuration. The configuration stays until the
// function is called that it returns, which may be called once. By then the API server must know of
// the user. It is an error if the configuration is being deleted, which would never end with new
// users.
func (u *Users) Begin(ref connection.Ref, pc resource.ProviderConfig) (end func(), err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if pc.GetDeletionTimestamp() != nil || u.closed[ref] == pc.GetUID() {
		return nil, fmt.Errorf("cannot begin to use %s, which is being deleted: create it again once it is gone, or name another in spec.providerConfigRef", ref)
	}
	u.beginning[ref]++
	return func() { u.end(ref) }, nil
}

func (u *Users) end(ref connection.Ref) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.beginning[ref]--; u.beginning[ref] == 0 {
		delete(u.beginning, ref)
	}
}

// close has a provider configuration get no new users, which it may although it is deleted: a cache
// may not know of that yet. It reports whether one may be coming.
func (u *Users) close(ref connection.Ref, uid types.UID) (beginning bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.closed[ref] = uid
	return u.beginning[ref] > 0
}

// lookDue reports whether the API server is to be asked for users of a provider configuration, which
// costs it a look at all KeaReservations: not while some are known, but for once in an interval, as a
// cache may not learn that they are gone. The caller then asks.
func (u *Users) lookDue(ref connection.Ref, now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.known && u.counts[ref] > 0 && now.Sub(u.looked[ref]) < recheckInterval {
		return false
	}
	u.looked[ref] = now
	return true
}

// forget forgets a provider configuration that is gone.
func (u *Users) forget(ref connection.Ref) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.closed, ref)
	delete(u.looked, ref)
}
