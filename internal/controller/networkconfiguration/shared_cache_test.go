// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// countingCache counts the handlers of its informer.
type countingCache struct {
	cache.Cache
	cache.Informer

	handlers atomic.Int32
}

func (c *countingCache) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return c, nil
}

func (c *countingCache) WaitForCacheSync(context.Context) bool { return true }

func (c *countingCache) AddEventHandlerWithOptions(toolscache.ResourceEventHandler, toolscache.HandlerOptions) (toolscache.ResourceEventHandlerRegistration, error) {
	c.handlers.Add(1)
	return synced{}, nil
}

func (c *countingCache) RemoveEventHandler(toolscache.ResourceEventHandlerRegistration) error {
	c.handlers.Add(-1)
	return nil
}

type synced struct {
	toolscache.ResourceEventHandlerRegistration
}

func (synced) HasSynced() bool { return true }

// TestSharedCache: a source leaves nothing behind in a cache that outlives it.
func TestSharedCache(t *testing.T) {
	t.Parallel()
	c := &countingCache{}
	ctx, cancel := context.WithCancel(t.Context())
	src := kind(sharedCache{c}, &v1alpha1.KeaReservation{}, handler.Funcs{}, changed(sameKeaReservation))
	q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer q.ShutDown()
	if err := src.Start(ctx, q); err != nil {
		t.Fatal(err)
	}
	if err := src.WaitForSync(ctx); err != nil {
		t.Fatal(err)
	}
	if n := c.handlers.Load(); n != 1 {
		t.Fatalf("there are %d handlers", n)
	}
	cancel()
	testenv.Eventually(t, patience, "no handler", func(context.Context) error {
		if c.handlers.Load() != 0 {
			return errors.New("it is still there")
		}
		return nil
	})
}
