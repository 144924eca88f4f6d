// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// within is how long a step waits for what should come.
const within = 60 * time.Second

// awaitCondition waits until an object has a condition with this status, and
// returns the object. Crossplane, whose objects these are, may rest for a minute
// before it tries again.
func (w *world) awaitCondition(t *testing.T, gvk schema.GroupVersionKind, key client.ObjectKey, condition string, status corev1.ConditionStatus) *unstructured.Unstructured {
	t.Helper()
	u := &unstructured.Unstructured{}
	u.SetGroupVersionKind(gvk)
	what := fmt.Sprintf("%s %s to be %s=%s", gvk.Kind, key, condition, status)
	testenv.Eventually(t, 3*within, what, func(ctx context.Context) error {
		if err := w.client.Get(ctx, key, u); err != nil {
			return err
		}
		conditions, _, err := unstructured.NestedSlice(u.Object, "status", "conditions")
		if err != nil {
			return err
		}
		for _, c := range conditions {
			if m, ok := c.(map[string]any); ok && m["type"] == condition && m["status"] == string(status) {
				return nil
			}
		}
		return fmt.Errorf("its conditions are %v", conditions)
	})
	return u
}

// awaitReserved waits until a KeaReservation is ready, and returns it.
func (w *world) awaitReserved(t *testing.T, namespace, name string) *v1alpha1.KeaReservation {
	t.Helper()
	r := &v1alpha1.KeaReservation{}
	testenv.Eventually(t, within, "KeaReservation "+namespace+"/"+name+" to be ready", func(ctx context.Context) error {
		if err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, r); err != nil {
			return err
		}
		return isReady(r)
	})
	return r
}

func isReady(r *v1alpha1.KeaReservation) error {
	c := r.GetCondition(xpv2.TypeReady)
	if c.Status != corev1.ConditionTrue {
		return fmt.Errorf("its conditions are %+v", r.Status.Conditions)
	}
	return nil
}

// awaitMachine waits until a NetworkConfiguration reports that its devices are
// pinned.
func (w *world) awaitMachine(t *testing.T, namespace, name string) *vitistack.NetworkConfiguration {
	t.Helper()
	nc := &vitistack.NetworkConfiguration{}
	testenv.Eventually(t, within, "NetworkConfiguration "+namespace+"/"+name+" to be ready", func(ctx context.Context) error {
		if err := w.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, nc); err != nil {
			return err
		}
		if nc.Status.Phase != vitistack.PhaseReady {
			return fmt.Errorf("its phase is %q: %s", nc.Status.Phase, nc.Status.Message)
		}
		return nil
	})
	return nc
}

// awaitGone waits until an object is no longer there.
func (w *world) awaitGone(t *testing.T, gvk schema.GroupVersionKind, key client.ObjectKey) {
	t.Helper()
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(gvk)
	testenv.Eventually(t, within, fmt.Sprintf("%s %s to be gone", gvk.Kind, key), func(ctx context.Context) error {
		err := w.client.Get(ctx, key, o)
		if kerrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("it is still there, with the finalizers %v", o.Finalizers))
	})
}

// held is the address that Kea has reserved for a device; not valid if none.
func (w *world) held(ctx context.Context, mac string) (netip.Addr, error) {
	r, err := w.at.Reservation(ctx, kea.TargetMemory, 1, kea.HWAddress(mac))
	if errors.Is(err, kea.ErrNotFound) {
		return netip.Addr{}, nil
	}
	if err != nil {
		return netip.Addr{}, err
	}
	return r.IPAddress, nil
}

// awaitHeld waits until Kea has this address reserved for a device.
func (w *world) awaitHeld(t *testing.T, mac string, want netip.Addr) {
	t.Helper()
	testenv.Eventually(t, within, fmt.Sprintf("Kea to hold %s for %s", want, mac), func(ctx context.Context) error {
		got, err := w.held(ctx, mac)
		if err == nil && got != want {
			err = fmt.Errorf("it holds %s", got)
		}
		return err
	})
}

// awaitFree waits until Kea has nothing reserved for a device.
func (w *world) awaitFree(t *testing.T, mac string) {
	t.Helper()
	w.awaitHeld(t, mac, netip.Addr{})
}
