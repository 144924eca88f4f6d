// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"

	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// A lent cache is one that outlives the controller. controller-runtime's sources
// leave their handlers in a cache for good, and with them all that a controller
// had; of this one they are removed when the source ends.
type lent struct{ cache.Cache }

// GetInformer implements cache.Informers. A source's context is the one that it
// asks with.
func (c lent) GetInformer(ctx context.Context, o client.Object, opts ...cache.InformerGetOption) (cache.Informer, error) {
	i, err := c.Cache.GetInformer(ctx, o, opts...)
	if err != nil {
		return nil, err //nolint:wrapcheck // It is the cache's own, for a source that looks at it.
	}
	return lentInformer{Informer: i, whenDone: func(f func()) { context.AfterFunc(ctx, f) }}, nil
}

type lentInformer struct {
	cache.Informer

	whenDone func(func())
}

// AddEventHandlerWithOptions implements cache.Informer. It is what sources use.
func (i lentInformer) AddEventHandlerWithOptions(h toolscache.ResourceEventHandler, o toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	r, err := i.Informer.AddEventHandlerWithOptions(h, o)
	if err != nil {
		return nil, err //nolint:wrapcheck // As above.
	}
	i.whenDone(func() { _ = i.RemoveEventHandler(r) }) // fails only where it is not there
	return r, nil
}
