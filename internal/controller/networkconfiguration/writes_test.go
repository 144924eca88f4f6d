// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"sync"
	"sync/atomic"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/vitistack/provider-kea/internal/connection"
)

// writes counts.
type writes struct {
	stop   func()
	groups *connection.Groups
	places played

	byNamespace sync.Map // of *atomic.Int64
}

func (w *writes) in(namespace string) *atomic.Int64 {
	n, _ := w.byNamespace.LoadOrStore(namespace, &atomic.Int64{})
	return n.(*atomic.Int64)
}

func (w *writes) newClient(cfg *rest.Config, o client.Options) (client.Client, error) {
	c, err := client.NewWithWatch(cfg, o)
	if err != nil {
		return nil, err
	}
	return interceptor.NewClient(c, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, obj client.Object, patch client.Patch, opts ...client.PatchOption) error {
			w.in(obj.GetNamespace()).Add(1)
			return c.Patch(ctx, obj, patch, opts...)
		},
		Apply: func(ctx context.Context, c client.WithWatch, obj runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
			if o, ok := obj.(interface{ GetNamespace() string }); ok {
				w.in(o.GetNamespace()).Add(1)
			}
			return c.Apply(ctx, obj, opts...)
		},
		Create: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.CreateOption) error {
			w.in(obj.GetNamespace()).Add(1)
			return c.Create(ctx, obj, opts...)
		},
		Delete: func(ctx context.Context, c client.WithWatch, obj client.Object, opts ...client.DeleteOption) error {
			w.in(obj.GetNamespace()).Add(1)
			return c.Delete(ctx, obj, opts...)
		},
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, obj client.Object, patch client.Patch, opts ...client.SubResourcePatchOption) error {
			w.in(obj.GetNamespace()).Add(1)
			return c.SubResource(sub).Patch(ctx, obj, patch, opts...)
		},
	}), nil
}
