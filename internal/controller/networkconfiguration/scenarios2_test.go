// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"
	"strings"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func providerChange(s *site) {
	nn := s.network("net", "10.9.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:09:01"}, heldByKeaOperator)
	s.serve(nc, map[string]string{"02:00:00:00:09:01": "10.9.0.5"})
	before := nc.Status.DeepCopy()

	s.change(nc, func() { nc.Spec.Provider = "other" })
	s.untilGone(s.childKey(nc, "02:00:00:00:09:01"))
	until(s, nc, "the end of kea-operator's finalizer", func(nc *vitistack.NetworkConfiguration) bool { return len(nc.Finalizers) == 0 })
	s.same("status", *before, nc.Status)

	s.change(nc, func() { nc.Spec.Provider = " KEA"[1:] })
	s.serve(nc, map[string]string{"02:00:00:00:09:01": "10.9.0.5"})
	if !s.allocation {
		return // an old CRD has no ipAllocation
	}
	s.change(nn, func() { nn.Spec.IPAllocation = &vitistack.IPAllocation{Type: "static"} })
	s.untilGone(s.childKey(nc, "02:00:00:00:09:01"))
}

func duplicate(s *site) {
	const mac = "02:00:00:00:0a:01"
	s.network("net", "10.10.0.0/24")
	other := newSite(s.T, s.kube)
	other.allocation = s.allocation
	other.network("net", "10.10.0.0/24")

	// Of two that were made in the same second, the namespace's name decides.
	a, b := s, other
	if other.namespace < s.namespace {
		a, b = other, s
	}
	first := a.machine("vm", []string{mac})
	a.serve(first, map[string]string{mac: "10.10.0.5"})
	second := b.machine("vm", []string{strings.ToUpper(mac), "02:00:00:00:0a:02"})
	b.phase(second, vitistack.PhaseReconciling, mac+" belongs to NetworkConfiguration "+a.namespace+"/vm")
	b.reserve(b.child(second, "02:00:00:00:0a:02"), "10.10.0.6")
	b.phase(second, vitistack.PhaseReconciling, "reserved in Kea: 1 of 2", mac+" belongs to")
	b.event(second, string(reasonDuplicate), a.namespace+"/vm")

	// It takes over once Kea has let go of the address, and not before.
	child := a.child(first, mac)
	a.hold(child)
	a.delete(first)
	a.untilGone(first)
	b.phase(second, vitistack.PhaseReconciling, "still has KeaReservation "+a.namespace+"/"+child.Name)
	if err := b.get(b.childKey(second, mac)); client.IgnoreNotFound(err) != nil || err == nil {
		b.Errorf("a second KeaReservation is there beside the first: %v", err)
	}
	a.release(child)
	b.serve(second, map[string]string{mac: "10.10.0.5"})
}

func foreignChild(s *site) {
	s.network("net", "10.11.0.0/24")
	foreign := &v1alpha1.KeaReservation{ObjectMeta: s.meta("vm-020000000b01")}
	foreign.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: "10.11.0.0/24", HWAddress: "02:00:00:00:0b:99"}
	s.create(foreign)
	nc := s.machine("vm", []string{"02:00:00:00:0b:01"})
	s.phase(nc, vitistack.PhaseReconciling, "KeaReservation vm-020000000b01 is not controlled by this NetworkConfiguration")
	version := foreign.ResourceVersion
	if err := s.get(foreign); err != nil {
		s.Fatal(err)
	}
	s.same("the foreign KeaReservation's version", version, foreign.ResourceVersion)
	s.delete(foreign)
	s.serve(nc, map[string]string{"02:00:00:00:0b:01": "10.11.0.5"})
}

func orphanAdopted(s *site) {
	s.network("net", "10.12.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:0c:01"})
	s.serve(nc, map[string]string{"02:00:00:00:0c:01": "10.12.0.5"})
	if err := s.kube.Delete(s.Context(), nc, client.PropagationPolicy(metav1.DeletePropagationOrphan)); err != nil {
		s.Fatal(err)
	}
	s.untilGone(nc)
	child := s.child(nc, "02:00:00:00:0c:01")
	again := s.machine("vm", []string{"02:00:00:00:0c:01"})
	s.phase(again, vitistack.PhaseReady)
	until(s, child, "the adoption", func(r *v1alpha1.KeaReservation) bool { return controls(again, r) })
	s.same("the pinned address", "10.12.0.5", child.Spec.ForProvider.IPAddress)
}

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

	// An error that passes does not take back what was told.
	s.reserve(child, "10.13.0.5")
	s.phase(nc, vitistack.PhaseReady)
	s.change(child, func() {
		child.SetConditions(xpv2.Creating(), xpv2.ReconcileError(errors.New("connection refused")))
	})
	s.phase(nc, vitistack.PhaseReconciling, "condition Synced tells why")
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
	s.same("writes", int64(passes), s.writes.in(s.namespace).Load()-writes)
}

// othersStatus has somebody else write conditions too.
func othersStatus(s *site) {
	nn := s.network("net", "")
	nc := s.machine("vm", []string{"02:00:00:00:0f:01"})
	s.phase(nc, vitistack.PhaseReconciling)
	other := metav1.Condition{
		Type: "Attached", Status: metav1.ConditionTrue, Reason: "Other", Message: "somebody else's",
		LastTransitionTime: metav1.Now().Rfc3339Copy(),
	}
	s.change(nc, func() { nc.Status.Conditions = append(nc.Status.Conditions, other) })
	s.prefix(nn, "10.15.0.0/24")
	s.serve(nc, map[string]string{"02:00:00:00:0f:01": "10.15.0.5"})
	s.same("the other condition", other, nc.Status.Conditions[1])
}

func oldFinalizer(s *site) {
	s.network("net", "10.16.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:10:01"}, heldByKeaOperator)
	s.serve(nc, map[string]string{"02:00:00:00:10:01": "10.16.0.5"})
	s.same("finalizers", []string{vitistack.KeaOperatorFinalizer}, nc.Finalizers)
	s.delete(nc)
	s.untilGone(nc)
	s.untilGone(s.childKey(nc, "02:00:00:00:10:01"))

	// One that is not ours is not touched.
	others := s.machine("others", []string{"02:00:00:00:10:02"}, heldByKeaOperator, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.Provider = "other"
	})
	s.delete(others)
	ours := s.machine("ours", []string{"02:00:00:00:10:03"}) // made later, and looked at by now
	s.serve(ours, map[string]string{"02:00:00:00:10:03": "10.16.0.6"})
	if err := s.get(others); err != nil {
		s.Fatal(err)
	}
	s.same("finalizers", []string{vitistack.KeaOperatorFinalizer}, others.Finalizers)
}

func heldByKeaOperator(nc *vitistack.NetworkConfiguration) {
	controllerutil.AddFinalizer(nc, vitistack.KeaOperatorFinalizer)
}

func deletion(s *site) {
	s.network("net", "10.17.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:11:01"})
	s.serve(nc, map[string]string{"02:00:00:00:11:01": "10.17.0.5"})
	child := s.child(nc, "02:00:00:00:11:01")
	s.hold(child)
	s.delete(nc)
	s.untilGone(nc) // does not wait for Kea
	until(s, child, "its deletion", func(r *v1alpha1.KeaReservation) bool { return !r.DeletionTimestamp.IsZero() })

	// One of the same name waits for the end of the one before.
	again := s.machine("vm", []string{"02:00:00:00:11:01"})
	s.phase(again, vitistack.PhaseReconciling, "waiting until that is gone")
	s.release(child)
	s.serve(again, map[string]string{"02:00:00:00:11:01": "10.17.0.5"})
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
