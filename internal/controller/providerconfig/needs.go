// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/gate"
)

// syncLimit is how long a cache may take to fill. After that the gate tries again.
const syncLimit = 2 * time.Minute

// Needs returns what a controller cannot run without that uses provider configurations of either
// kind: without it, it would wait for connections in vain.
func Needs() gate.Need { return needs(gate.ProviderConfigs, gate.ClusterProviderConfigs) }

// needs returns what the controllers of kinds of provider configurations cannot run without.
func needs(kinds ...gate.CRD) gate.Need {
	n := gate.Need{CRDs: kinds}
	for _, crd := range n.CRDs {
		n.Permissions = append(n.Permissions, gate.MayWatch(crd.GroupResource())...)
	}
	n.Permissions = append(n.Permissions, gate.MayWatch(gate.Secrets)...)
	return n
}

// fillCaches fills the caches that the controllers of a kind of provider configuration read, before
// they are added to the manager: a controller that waits for its cache in vain ends the process. It
// may be called again after an error.
func fillCaches(ctx context.Context, mgr ctrl.Manager, config client.Object) error {
	secret := &metav1.PartialObjectMetadata{}
	secret.SetGroupVersionKind(corev1.SchemeGroupVersion.WithKind("Secret"))
	ctx, cancel := context.WithTimeout(ctx, syncLimit)
	defer cancel()
	if _, err := mgr.GetCache().GetInformer(ctx, secret); err != nil {
		return fmt.Errorf("cannot fill the cache of Secrets: %w", err)
	}
	// Last, because an index cannot be added twice. It waits for the cache, too.
	if err := mgr.GetFieldIndexer().IndexField(ctx, config, bySecret, secretsOf); err != nil {
		return fmt.Errorf("cannot index provider configurations by Secret: %w", err)
	}
	return nil
}
