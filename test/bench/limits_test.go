// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// rawSpace is the namespace of what is made to find out how fast the API server is.
const rawSpace = "raw"

// limits are what the API server and Kea do in a second for clients that do nothing else, as many as
// the provider has workers.
type limits struct {
	machine  float64 // NetworkConfigurations created
	create   float64 // KeaReservations created
	update   float64 // KeaReservations updated
	status   float64 // status of KeaReservations updated
	ncStatus float64 // status of NetworkConfigurations patched
	add      float64 // reservation-add
}

// fourWrites is how many machines a second four writes each allow: the least that a machine takes.
func (l limits) fourWrites() float64 {
	return 1 / (1/l.create + 1/l.update + 1/l.status + 1/l.ncStatus)
}

func (l limits) String() string {
	return fmt.Sprintf("The machine's limits, with %d clients that do nothing else, a second: create a NetworkConfiguration %.0f, create a KeaReservation %.0f, update one %.0f, "+
		"its status %.0f, status of a NetworkConfiguration %.0f: %.0f machines at four writes each. `reservation-add`: %.0f.",
		workers, l.machine, l.create, l.update, l.status, l.ncStatus, l.fourWrites(), l.add)
}

// templates makes a machine as the first one, and returns what the provider has made of it.
func (w *world) templates() (*vitistack.NetworkConfiguration, *v1alpha1.KeaReservation) {
	w.b.Helper()
	w.awaitReady(w.make(1), 1)
	w.quiet()
	ctx := w.b.Context()
	nc, list := networkConfiguration(0), &v1alpha1.KeaReservationList{}
	if err := w.client.Get(ctx, client.ObjectKeyFromObject(nc), nc); err != nil {
		w.b.Fatal(err)
	}
	if err := w.client.List(ctx, list, client.InNamespace(namespace)); err != nil || len(list.Items) != 1 {
		w.b.Fatalf("there are %d KeaReservations of one machine: %v", len(list.Items), err)
	}
	return nc, &list.Items[0]
}

// limits has the API server take n objects of each kind that the provider sends, and Kea three times
// as many reservations, as fast as they can. The provider does not run.
func (w *world) limits(nc *vitistack.NetworkConfiguration, kr *v1alpha1.KeaReservation, n int) limits {
	w.b.Helper()
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: rawSpace}})
	ncs, krs := make([]*vitistack.NetworkConfiguration, n), make([]*v1alpha1.KeaReservation, n)
	status, err := json.Marshal(map[string]any{"status": nc.Status})
	if err != nil {
		w.b.Fatal(err)
	}
	var l limits
	l.machine = w.rate(n, func(ctx context.Context, i int) error {
		ncs[i] = networkConfiguration(i)
		ncs[i].Namespace = rawSpace
		return w.client.Create(ctx, ncs[i])
	})
	l.create = w.rate(n, func(ctx context.Context, i int) error {
		krs[i] = unpinned(kr, ncs[i])
		return w.client.Create(ctx, krs[i])
	})
	l.update = w.rate(n, func(ctx context.Context, i int) error {
		krs[i].Annotations = kr.Annotations
		krs[i].Spec = *kr.Spec.DeepCopy()
		return w.client.Update(ctx, krs[i])
	})
	l.status = w.rate(n, func(ctx context.Context, i int) error {
		krs[i].Status = *kr.Status.DeepCopy()
		return w.client.Status().Update(ctx, krs[i])
	})
	l.ncStatus = w.rate(n, func(ctx context.Context, i int) error {
		return w.client.Status().Patch(ctx, ncs[i], client.RawPatch(types.MergePatchType, status))
	})
	w.removeRaw(ncs, krs)
	l.add = w.rawAdds(3 * n)
	return l
}

// unpinned is a KeaReservation of a NetworkConfiguration as it is before it has an address.
func unpinned(kr *v1alpha1.KeaReservation, nc *vitistack.NetworkConfiguration) *v1alpha1.KeaReservation {
	out := &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{
		Namespace: nc.Namespace, Name: nc.Name, Labels: kr.Labels, Finalizers: kr.Finalizers, OwnerReferences: kr.DeepCopy().OwnerReferences,
		Annotations: map[string]string{"crossplane.io/external-name": kr.Spec.ForProvider.HWAddress},
	}}
	for i := range out.OwnerReferences {
		out.OwnerReferences[i].Name, out.OwnerReferences[i].UID = nc.Name, nc.UID
	}
	out.Spec = *kr.Spec.DeepCopy()
	out.Spec.ForProvider.IPAddress = ""
	return out
}

// rate calls do for 0 to n-1 by as many clients as the provider has workers, and returns how many
// were done in a second.
func (w *world) rate(n int, do func(ctx context.Context, i int) error) float64 {
	w.b.Helper()
	start := time.Now()
	w.parallel(n, workers, do)
	return float64(n) / time.Since(start).Seconds()
}

// removeRaw removes what was made to find out the limits, the machines last: nothing is left for the
// garbage collector then.
func (w *world) removeRaw(ncs []*vitistack.NetworkConfiguration, krs []*v1alpha1.KeaReservation) {
	w.b.Helper()
	w.parallel(len(krs), workers, func(ctx context.Context, i int) error {
		err := w.client.Patch(ctx, krs[i], client.RawPatch(types.MergePatchType, []byte(`{"metadata":{"finalizers":null}}`)))
		return errors.Join(err, w.client.Delete(ctx, krs[i]), w.client.Delete(ctx, ncs[i]))
	})
}

// rawAdds is how many of n reservations another Kea, which has none, takes in a second.
func (w *world) rawAdds(n int) float64 {
	w.b.Helper()
	k, stop, err := testenv.NewKea(w.b.TempDir(), testenv.KeaOptions{Subnets: []testenv.Subnet{{ID: 1, Prefix: prefix}}})
	if err != nil {
		w.b.Fatal(err)
	}
	defer stop()
	c := newKeaClient(k.URL)
	defer c.http.CloseIdleConnections()
	return w.rate(n, func(ctx context.Context, i int) error {
		return c.do(ctx, "reservation-add", object{"operation-target": "memory", "reservation": object{
			"subnet-id": 1, "hw-address": macOf(i), "ip-address": addressOf(i),
			"user-context": object{"crossplane": object{
				"cluster": "00000000-0000-0000-0000-000000000000", "manages": []string{}, "resource": fmt.Sprintf("%s/%s", namespace, nameOf(i)),
			}},
		}})
	})
}
