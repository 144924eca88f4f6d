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

// cluster tells which cluster this is.
type cluster struct {
	reader client.Reader

	mu  sync.Mutex
	uid string
}

// id gives the UID of the kube-system namespace, which is what a cluster is told
// from others by: reservations in Kea are marked with it. Crossplane does not let
// a provider read it, and nothing that a provider may read has it. Without it
// there is no telling whose a reservation is, so nothing is done in Kea.
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
