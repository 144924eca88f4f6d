// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func duplicate(s *site) {
	const mac = "02:00:00:00:0a:01"
	s.network("net", "10.10.0.0/24")
	other := newSite(s.T, s.kube)
	other.allocation, other.writes = s.allocation, s.writes
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

	// Once the first machine is gone, the second one has a KeaReservation. It waits
	// for Kea, where the reservation is marked as the first one's, until that is free.
	child := a.child(first, mac)
	a.hold(child)
	a.delete(first)
	a.untilGone(first)
	next := b.child(second, mac)
	b.refuse(next, v1alpha1.ReasonOwnedByAnother, "it is marked as KeaReservation "+a.namespace+"/"+child.Name)
	b.phase(second, vitistack.PhaseReconciling, "it is marked as KeaReservation "+a.namespace+"/"+child.Name)
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
