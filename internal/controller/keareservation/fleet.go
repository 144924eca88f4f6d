// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	toolscache "k8s.io/client-go/tools/cache"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
)

// Indexes of KeaReservations. Those of a device, or with an address, are few whatever configuration
// they have, so that need not be a part of the key.
var (
	byConfig     = cached.NewIndex("config", func(mg *v1alpha1.KeaReservation) []string { return []string{connection.RefOf(mg).Key()} })
	byHWAddress  = cached.NewIndex("hwAddress", hwAddressKeys)
	byIPAddress  = cached.NewIndex("ipAddress", ipAddressKeys)
	byController = cached.NewIndex("controller", controllerKeys)
)

// hwAddressKeys returns the hardware address in canonical form.
func hwAddressKeys(mg *v1alpha1.KeaReservation) []string {
	hw, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
	if err != nil {
		return nil
	}
	return []string{string(hw)}
}

// ipAddressKeys returns the address that a KeaReservation has or would have: a resource that waits
// for an address is enqueued when that becomes free.
func ipAddressKeys(mg *v1alpha1.KeaReservation) []string {
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
	return []string{a}
}

// controllerKeys returns the UID of the controlling owner.
func controllerKeys(mg *v1alpha1.KeaReservation) []string {
	if c := metav1.GetControllerOfNoCopy(mg); c != nil {
		return []string{string(c.UID)}
	}
	return nil
}

// indexers are all indexes, as a store takes them.
func indexers() []toolscache.Indexers {
	return []toolscache.Indexers{byConfig.Indexers(), byHWAddress.Indexers(), byIPAddress.Indexers(), byController.Indexers()}
}

// Fleet is all KeaReservations of the manager's cache. It may be used by several goroutines at once.
type Fleet struct {
	cache cache.Informers

	mu    sync.Mutex // guards store, and is locked while the cache is filled
	store toolscache.Indexer
}

// NewFleet returns a Fleet that has not been read yet.
func NewFleet(mgr ctrl.Manager) *Fleet { return &Fleet{cache: mgr.GetCache()} }

// Reservations returns what finds KeaReservations in the cache. The first call adds the indexes to the
// cache, once that is filled. It blocks until then, two minutes at most, and may be called again.
func (f *Fleet) Reservations(ctx context.Context) (Reservations, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.store == nil {
		ctx, cancel := context.WithTimeout(ctx, syncLimit)
		defer cancel()
		store, err := cached.AddIndexers(ctx, f.cache, &v1alpha1.KeaReservation{}, indexers()...)
		if err != nil {
			return Reservations{}, fmt.Errorf("cannot index KeaReservations: %w", err)
		}
		f.store = store
	}
	return Reservations{f.store}, nil
}

// Reservations finds KeaReservations in a cache. What it returns is the cache's, and must not be
// changed.
type Reservations struct{ store toolscache.Indexer }

// Of returns those that have a provider configuration.
func (r Reservations) Of(ref connection.Ref) []*v1alpha1.KeaReservation {
	return byConfig.Find(r.store, ref.Key())
}

// WithHWAddress returns those of a device.
func (r Reservations) WithHWAddress(hw kea.HWAddress) []*v1alpha1.KeaReservation {
	return byHWAddress.Find(r.store, string(hw))
}

// withIPAddress returns those that have an address or would have it.
func (r Reservations) withIPAddress(address string) []*v1alpha1.KeaReservation {
	return byIPAddress.Find(r.store, address)
}

// ControlledBy returns those in a namespace that an owner with a UID controls. A reference from another
// namespace is forged.
func (r Reservations) ControlledBy(namespace string, uid types.UID) []*v1alpha1.KeaReservation {
	return slices.DeleteFunc(byController.Find(r.store, string(uid)), func(mg *v1alpha1.KeaReservation) bool { return mg.Namespace != namespace })
}

// in returns those in a namespace.
func (r Reservations) in(namespace string) []*v1alpha1.KeaReservation {
	objects, err := r.store.ByIndex(toolscache.NamespaceIndex, namespace)
	if err != nil {
		return nil
	}
	return reservationsOf(objects)
}

// all returns all of them.
func (r Reservations) all() []*v1alpha1.KeaReservation { return reservationsOf(r.store.List()) }

func reservationsOf(objects []any) []*v1alpha1.KeaReservation {
	out := make([]*v1alpha1.KeaReservation, 0, len(objects))
	for _, o := range objects {
		if mg, ok := o.(*v1alpha1.KeaReservation); ok {
			out = append(out, mg)
		}
	}
	return out
}
