// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"testing"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// TestWaitsListen: what a NetworkConfiguration waits for is that a subnet, or a server, comes or
// goes.
func TestWaitsListen(t *testing.T) {
	ref, nc := connection.Ref{Kind: "ClusterProviderConfig", Name: "default"}, types.NamespacedName{Namespace: "ns", Name: "vm01"}
	for name, tc := range map[string]struct {
		changes mirror.Changes
		of      connection.Ref
		want    int
	}{
		"Everything": {mirror.Changes{Everything: true}, ref, 1},
		"Servers":    {mirror.Changes{Servers: true}, ref, 1},
		"Subnets":    {mirror.Changes{Subnets: map[kea.Subnet]struct{}{{ID: 1}: {}}}, ref, 1},
		"Devices":    {mirror.Changes{HWAddresses: map[kea.HWAddress]string{"00:02:12:00:00:01": ""}}, ref, 0},
		"Others":     {mirror.Changes{Everything: true}, connection.Ref{Kind: ref.Kind, Name: "other"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			q := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
			defer q.ShutDown()
			w := newWaits()
			if err := w.start(t.Context(), q); err != nil {
				t.Fatal(err)
			}
			w.add(nc, ref)
			w.listen(tc.of, tc.changes)
			if got := q.Len(); got != tc.want {
				t.Errorf("%d were enqueued, want %d", got, tc.want)
			}
		})
	}
}
