// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A sharedCache is a cache that outlives the controller. controller-runtime's
// sources leave their event handlers in a cache for good, and with them all that
// the controller refers to; here they are removed when the source ends.
type sharedCache struct{ cache.Cache }

// GetInformer implements cache.Informers. A source calls it with the context that
// ends when the source does.
func (c sharedCache) GetInformer(ctx context.Context, o client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	i, err := c.Cache.GetInformer(ctx, o, opts...)
	if err != nil {
		return nil, err //nolint:wrapcheck // The source compares the cache's own error.
	}
	return sharedInformer{Informer: i, whenDone: func(f func()) { context.AfterFunc(ctx, f) }}, nil
}

type sharedInformer struct {
	cache.Informer

	whenDone func(func())
}

// AddEventHandlerWithOptions implements cache.Informer. It is what sources use.
func (i sharedInformer) AddEventHandlerWithOptions(h toolscache.ResourceEventHandler, o toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	r, err := i.Informer.AddEventHandlerWithOptions(h, o)
	if err != nil {
		return nil, err //nolint:wrapcheck // As above.
	}
	i.whenDone(func() { _ = i.RemoveEventHandler(r) }) // fails only if it is not there
	return r, nil
}
