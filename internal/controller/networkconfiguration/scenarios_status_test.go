// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func messagesPassedUp(s *site) {
	s.network("net", "10.13.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:0d:01"})
	s.serve(nc, map[string]string{"02:00:00:00:0d:01": "10.13.0.5"})
	child := s.child(nc, "02:00:00:00:0d:01")
	for reason, message := range map[xpv2.ConditionReason]string{
		v1alpha1.ReasonAddressConflict: "10.13.0.5 belongs to another host",
		v1alpha1.ReasonOwnedByAnother:  "it is marked as cluster x's",
		v1alpha1.ReasonSubnetNotFound:  "Kea has no subnet 10.13.0.0/24",
	} {
		s.refuse(child, reason, message)
		s.phase(nc, vitistack.PhaseReconciling, message)
		s.same("interfaces", []vitistack.NetworkConfigurationInterface{
			s.pending("eth0", "02:00:00:00:0d:01", "10.13.0.0/24"),
		}, nc.Status.NetworkInterfaces)
	}

	// An error that passes does not remove what was last reported.
	s.reserve(child, "10.13.0.5")
	s.phase(nc, vitistack.PhaseReady)
	s.change(child, func() {
		child.SetConditions(xpv2.Creating(), xpv2.ReconcileError(errors.New("connection refused")))
	})
	s.phase(nc, vitistack.PhaseReconciling, "see its condition Synced")
	want := s.pending("eth0", "02:00:00:00:0d:01", "10.13.0.0/24")
	want.IPv4Addresses = []string{"10.13.0.5"}
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{want}, nc.Status.NetworkInterfaces)
}

// lossThatPasses keeps the last known addresses while Kea has no subnets for a
// moment, or ignores the reservation, and takes them back when they are gone.
func lossThatPasses(s *site) {
	const mac = "02:00:00:00:13:01"
	s.network("net", "10.19.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.19.0.5"})
	child := s.child(nc, mac)
	kept := s.pending("eth0", mac, "10.19.0.0/24")
	kept.IPv4Addresses = []string{"10.19.0.5"}
	for reason, message := range map[xpv2.ConditionReason]string{
		v1alpha1.ReasonSubnetNotFound: "Kea has no subnet 10.19.0.0/24",
		v1alpha1.ReasonIgnoredByKea:   "reservations-in-subnet is false",
	} {
		s.reserve(child, "10.19.0.5")
		s.phase(nc, vitistack.PhaseReady)
		s.change(child, func() { unready(reason, message)(child) })
		s.phase(nc, vitistack.PhaseReconciling, message)
		s.same("interfaces", []vitistack.NetworkConfigurationInterface{kept}, nc.Status.NetworkInterfaces)
	}

	s.change(child, func() { unready(v1alpha1.ReasonOpaqueOption, "option 43 would be erased")(child) })
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 1", "option 43 would be erased")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", mac, "10.19.0.5", "10.19.0.0/24"),
	}, nc.Status.NetworkInterfaces)

	s.refuse(child, v1alpha1.ReasonSubnetNotFound, "Kea has no subnet 10.19.0.0/24")
	s.phase(nc, vitistack.PhaseReconciling, "Kea has no subnet 10.19.0.0/24")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.pending("eth0", mac, "10.19.0.0/24"),
	}, nc.Status.NetworkInterfaces)
}

// quiet has passes in which nothing has changed. They write nothing, also where
// the CRD prunes what they would like to write.
func quiet(s *site) {
	nn := s.network("net", "10.14.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:0e:01"})
	s.serve(nc, map[string]string{"02:00:00:00:0e:01": "10.14.0.5"})
	child := s.child(nc, "02:00:00:00:0e:01")
	version := nc.ResourceVersion
	writes := s.writes.in(s.namespace).Load()

	// A missing label comes back, which shows that there was a pass, and that the
	// one before has ended.
	const passes = 3
	for range passes {
		s.change(nn, func() { nn.SetLabels(map[string]string{"pass": child.ResourceVersion}) })
		s.change(child, func() { delete(child.Labels, labelNetworkNamespace) })
		until(s, child, "the label", func(r *v1alpha1.KeaReservation) bool { return r.Labels[labelNetworkNamespace] == "net" })
	}
	if err := s.get(nc); err != nil {
		s.Fatal(err)
	}
	s.same("the NetworkConfiguration's version", version, nc.ResourceVersion)
	s.same("the pinned address", "10.14.0.5", child.Spec.ForProvider.IPAddress)
	s.same("finalizers, which are not applied", []string{managed.FinalizerName}, child.Finalizers)
	s.same("writes", int64(passes), s.writes.in(s.namespace).Load()-writes)
}

// othersStatus has another controller write a condition too.
func othersStatus(s *site) {
	nn := s.network("net", "")
	nc := s.machine("vm", []string{"02:00:00:00:0f:01"})
	s.phase(nc, vitistack.PhaseReconciling)
	other := metav1.Condition{
		Type: "Attached", Status: metav1.ConditionTrue, Reason: "Other", Message: "another controller's",
		LastTransitionTime: metav1.Now().Rfc3339Copy(),
	}
	s.change(nc, func() { nc.Status.Conditions = append(nc.Status.Conditions, other) })
	s.prefix(nn, "10.15.0.0/24")
	s.serve(nc, map[string]string{"02:00:00:00:0f:01": "10.15.0.5"})
	s.same("the other condition", other, nc.Status.Conditions[1])
}

// event waits until an object has an event.
func (s *site) event(o client.Object, reason, text string) {
	s.Helper()
	s.eventually("event "+reason, func() error {
		l := &corev1.EventList{}
		if err := s.kube.List(s.Context(), l, client.InNamespace(o.GetNamespace())); err != nil {
			return err
		}
		for _, e := range l.Items {
			if e.InvolvedObject.UID == o.GetUID() && e.Reason == reason && strings.Contains(e.Message, text) {
				return nil
			}
		}
		return errors.New("there is none yet")
	})
}
