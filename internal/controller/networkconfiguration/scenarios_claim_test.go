// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// ordered returns two sites with a network each. Of two machines that are made in the same second,
// that of the first site counts as the older one.
func ordered(s *site, prefix string) (older, younger *site) {
	other := newSite(s.T, s.kube)
	other.allocation, other.writes = s.allocation, s.writes
	s.network("net", prefix)
	other.network("net", prefix)
	if other.namespace < s.namespace {
		return other, s
	}
	return s, other
}

// olderAddsMAC has an older machine name the hardware address of one that runs.
func olderAddsMAC(s *site) {
	const mac = "02:00:00:00:17:01"
	a, b := ordered(s, "10.23.0.0/24")
	older := a.machine("older", []string{"02:00:00:00:17:02"})
	a.serve(older, map[string]string{"02:00:00:00:17:02": "10.23.0.6"})
	running := b.machine("running", []string{mac})
	b.serve(running, map[string]string{mac: "10.23.0.5"})
	child := b.child(running, mac)

	a.change(older, func() { older.Spec.NetworkInterfaces = interfaces("02:00:00:00:17:02", mac) })
	a.phase(older, vitistack.PhaseReconciling, mac+" belongs to NetworkConfiguration "+b.namespace+"/running, which has it reserved")
	b.phase(running, vitistack.PhaseReady)
	b.stays(running, child, b.reserved("eth0", mac, "10.23.0.5", "10.23.0.0/24"))

	// It takes over when the address is free.
	b.delete(running)
	b.untilGone(running)
	a.serve(older, map[string]string{mac: "10.23.0.5"})
}

// forgedOwner has KeaReservations in another namespace that say to be a NetworkConfiguration's.
func forgedOwner(s *site) {
	const mac1, mac2, mac3 = "02:00:00:00:18:01", "02:00:00:00:18:02", "02:00:00:00:18:03"
	tenant := newSite(s.T, s.kube)
	s.network("net", "10.24.0.0/24")
	running := s.machine("running", []string{mac1})
	s.serve(running, map[string]string{mac1: "10.24.0.5"})
	child := s.child(running, mac1)

	forge := func(name, mac string, ref metav1.OwnerReference) *v1alpha1.KeaReservation {
		r := &v1alpha1.KeaReservation{ObjectMeta: tenant.meta(name)}
		r.OwnerReferences, r.Finalizers = []metav1.OwnerReference{ref}, []string{playedFinalizer} // or the garbage collector deletes it
		r.Spec.ForProvider = v1alpha1.KeaReservationParameters{Subnet: "10.24.0.0/24", HWAddress: mac}
		tenant.create(r)
		return r
	}
	owner := controllerRef(running)
	invented := controllerRef(running)
	invented.Name, invented.UID = "invented", "00000000-0000-0000-0000-000000000001"
	for name, f := range map[string]*v1alpha1.KeaReservation{
		"takes":      forge("takes", mac1, invented),
		"blocks":     forge("blocks", mac2, invented),
		"blocks-too": forge("blocks-too", mac3, owner),
	} {
		if name == "blocks" {
			tenant.delete(f)
		}
		defer tenant.release(f)
	}
	s.change(running, func() { running.Spec.NetworkInterfaces = interfaces(mac1, mac2, mac3) })
	s.serve(running, map[string]string{mac2: "10.24.0.6", mac3: "10.24.0.7"})
	s.same("the first KeaReservation", child.UID, s.child(running, mac1).UID)
}
