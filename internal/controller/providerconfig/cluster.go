// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"sync"

	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/internal/gate"
)

// cluster knows the identity of the Kubernetes cluster. It may be used by several
// goroutines at once.
type cluster struct {
	reader client.Reader

	mu  sync.Mutex // guards uid, also while it is read for the first time
	uid string     // "" until it is known
}

// id returns the UID of the kube-system namespace, which identifies a cluster:
// reservations in Kea are marked with it. Crossplane does not let a provider read
// it, and nothing that a provider may read has it. Without it the owner of a
// reservation cannot be known, so nothing is done in Kea.
func (c *cluster) id(ctx context.Context) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.uid != "" {
		return c.uid, nil
	}
	ns := &corev1.Namespace{}
	err := c.reader.Get(ctx, client.ObjectKey{Name: "kube-system"}, ns)
	switch {
	case kerrors.IsForbidden(err):
		return "", fmt.Errorf("cannot get the namespace kube-system, whose UID marks reservations as this cluster's: %s: %w", gate.ApplyClusterRole, err)
	case err != nil:
		return "", fmt.Errorf("cannot get the namespace kube-system, whose UID marks reservations as this cluster's: %w", err)
	}
	c.uid = string(ns.GetUID())
	return c.uid, nil
}
