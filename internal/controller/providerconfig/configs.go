// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/cached"
)

// configs is a client that reads provider configurations of one kind from the cache, and writes them. The
// reconcilers of that kind share it: none begins with an older version than one of them wrote.
type configs struct {
	client.Client

	written *cached.Writes
}

func newConfigs(c client.Client) configs { return configs{Client: c, written: cached.NewWrites()} }

// read reads a provider configuration. kerrors.IsNotFound is true of the error if there is none, and
// kerrors.IsConflict if the cache does not have the last write of it yet.
func (c configs) read(ctx context.Context, key types.NamespacedName, pc config) error {
	return c.written.Get(ctx, c, key, pc) //nolint:wrapcheck // The caller knows what it is called in messages.
}

// patchStatus writes what has changed in a status, if anything has. Several reconcilers write it: a stale
// write must fail rather than undo what another one wrote. A configuration that is gone meanwhile needs
// no status.
func (c configs) patchStatus(ctx context.Context, pc, before config) error {
	// After a write that may have been carried out the API server is asked, with what has not changed, too.
	if equality.Semantic.DeepEqual(before, pc) && !c.written.IsUnknown(client.ObjectKeyFromObject(pc)) {
		return nil
	}
	err := c.Status().Patch(ctx, pc, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	c.written.Add(pc, err)
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot write the status: %w", err)
	}
	return nil
}

// protect adds the finalizer to a provider configuration that is not deleted, unless it has it.
func (c configs) protect(ctx context.Context, pc config) error {
	if meta.WasDeleted(pc) || meta.FinalizerExists(pc, inUseFinalizer) {
		return nil
	}
	meta.AddFinalizer(pc, inUseFinalizer)
	err := c.Update(ctx, pc)
	c.written.Add(pc, err)
	if err != nil {
		return fmt.Errorf("cannot add the finalizer that keeps the provider configuration while it is used: %w", err)
	}
	return nil
}

// release removes the finalizer from a provider configuration, which may be gone then.
func (c configs) release(ctx context.Context, pc config) error {
	meta.RemoveFinalizer(pc, inUseFinalizer)
	err := c.Update(ctx, pc)
	c.written.Add(pc, err)
	return client.IgnoreNotFound(err) //nolint:wrapcheck // The caller says what failed.
}
