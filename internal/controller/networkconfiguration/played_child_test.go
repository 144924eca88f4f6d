// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// The tests play the controller of KeaReservations.

const playedFinalizer = "test.example.com/kea"

// child waits for the KeaReservation of a device.
func (s *site) child(nc *vitistack.NetworkConfiguration, mac string) *v1alpha1.KeaReservation {
	s.Helper()
	r := s.childKey(nc, mac)
	until(s, r, "KeaReservation "+r.Name, func(*v1alpha1.KeaReservation) bool { return true })
	return r
}

func (s *site) childKey(nc *vitistack.NetworkConfiguration, mac string) *v1alpha1.KeaReservation {
	s.Helper()
	parsed, err := kea.ParseHWAddress(mac)
	if err != nil {
		s.Fatal(err)
	}
	return &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: nc.Namespace, Name: reservationName(nc.Name, parsed)}}
}

// reserve has Kea hold an address for a device: it is pinned, and reported.
func (s *site) reserve(r *v1alpha1.KeaReservation, address string) {
	s.Helper()
	s.change(r, func() {
		r.Spec.ForProvider.IPAddress = address
		r.Status.AtProvider.IPAddress = address
		r.SetConditions(xpv2.Available(), xpv2.ReconcileSuccess())
	})
}

// refuse has a KeaReservation tell why it is not ready.
func (s *site) refuse(r *v1alpha1.KeaReservation, reason xpv2.ConditionReason, message string) {
	s.Helper()
	s.change(r, func() {
		r.Status.AtProvider.IPAddress = ""
		r.SetConditions(xpv2.Condition{
			Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reason, Message: message,
			LastTransitionTime: metav1.Now(),
		}, xpv2.ReconcileSuccess())
	})
}

// playReleases lets deleted KeaReservations go that Kea has nothing for, until the context ends.
func playReleases(ctx context.Context, kube client.WithWatch) {
	release := func() {
		w, err := kube.Watch(ctx, &v1alpha1.KeaReservationList{})
		if err != nil {
			return // The CRD is not there.
		}
		defer w.Stop()
		for e := range w.ResultChan() {
			if r, ok := e.Object.(*v1alpha1.KeaReservation); ok && meta.WasDeleted(r) && meta.FinalizerExists(r, managed.FinalizerName) {
				without := r.DeepCopy()
				meta.RemoveFinalizer(without, managed.FinalizerName)
				_ = kube.Patch(ctx, without, client.MergeFromWithOptions(r, client.MergeFromWithOptimisticLock{})) // Another event follows a conflict.
			}
		}
	}
	wait.UntilWithContext(ctx, func(context.Context) { release() }, 100*time.Millisecond)
}

// hold keeps a deleted KeaReservation until Kea lets go of it.
func (s *site) hold(r *v1alpha1.KeaReservation) {
	s.Helper()
	s.setFinalizers(r, func() { controllerutil.AddFinalizer(r, playedFinalizer) })
}

func (s *site) release(r *v1alpha1.KeaReservation) {
	s.Helper()
	s.setFinalizers(r, func() { controllerutil.RemoveFinalizer(r, playedFinalizer) })
}

// setFinalizers changes finalizers, which playReleases may do at the same time.
func (s *site) setFinalizers(r *v1alpha1.KeaReservation, change func()) {
	s.Helper()
	s.eventually("a change of the finalizers of "+r.Name, func() error {
		if err := s.get(r); err != nil {
			return err
		}
		before := r.DeepCopy()
		change()
		return s.kube.Patch(s.Context(), r, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	})
}

// serve makes and reserves everything that a machine needs, and returns its
// KeaReservations.
func (s *site) serve(nc *vitistack.NetworkConfiguration, addresses map[string]string) {
	s.Helper()
	for mac, address := range addresses {
		s.reserve(s.child(nc, mac), address)
	}
	s.phase(nc, vitistack.PhaseReady)
}

// phase waits until a NetworkConfiguration is in a phase, with everything that
// belongs to it, and its message has some texts in it.
func (s *site) phase(nc *vitistack.NetworkConfiguration, phase string, texts ...string) {
	s.Helper()
	want := map[string][3]string{
		vitistack.PhaseReady:       {vitistack.StatusSuccess, "True", vitistack.ReasonConfigured},
		vitistack.PhaseReconciling: {vitistack.StatusInProgress, "False", vitistack.ReasonReconciling},
		vitistack.PhaseError:       {vitistack.StatusFailed, "False", vitistack.ReasonError},
	}[phase]
	until(s, nc, fmt.Sprintf("phase %s with %q", phase, texts), func(nc *vitistack.NetworkConfiguration) bool {
		st := nc.Status
		if st.Phase != phase || st.Status != want[0] || st.Created.IsZero() || len(st.Conditions) == 0 {
			return false
		}
		for _, text := range texts {
			if !strings.Contains(st.Message, text) {
				return false
			}
		}
		c := st.Conditions[0]
		return c.Type == "Ready" && string(c.Status) == want[1] && c.Reason == want[2] &&
			c.ObservedGeneration == nc.Generation && c.Message == st.Message
	})
}

// reserved returns what a NetworkConfiguration's status tells of a device that
// has its address reserved.
func (s *site) reserved(name, mac, address, prefix string) vitistack.NetworkConfigurationInterface {
	out := s.pending(name, mac, prefix)
	out.IPv4Addresses = []string{address}
	out.DHCPReserved = true
	if s.allocation {
		out.IPAllocated, out.AllocationMethod = true, vitistack.AllocationMethodDHCP
	}
	return out
}

// pending returns what it tells of one that has not.
func (s *site) pending(name, mac, prefix string) vitistack.NetworkConfigurationInterface {
	out := vitistack.NetworkConfigurationInterface{}
	out.Name, out.MacAddress, out.IPv4Subnet = name, mac, prefix
	return out
}
