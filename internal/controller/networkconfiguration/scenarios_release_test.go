// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

func providerChange(s *site) {
	nn := s.network("net", "10.9.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:09:01"}, finalizedByKeaOperator)
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

func oldFinalizer(s *site) {
	s.network("net", "10.16.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:10:01"}, finalizedByKeaOperator)
	s.serve(nc, map[string]string{"02:00:00:00:10:01": "10.16.0.5"})
	s.same("finalizers", []string{vitistack.KeaOperatorFinalizer}, nc.Finalizers)
	s.delete(nc)
	s.untilGone(nc)
	s.untilGone(s.childKey(nc, "02:00:00:00:10:01"))
	oldest := s.machine("oldest", []string{"02:00:00:00:10:04"}, func(nc *vitistack.NetworkConfiguration) {
		nc.Finalizers = []string{vitistack.OldKeaOperatorFinalizer, vitistack.KeaOperatorFinalizer}
	})
	s.delete(oldest)
	s.untilGone(oldest)

	// No other component serves one whose network is not the provider's.
	if s.allocation {
		nn := s.network("static", "10.16.1.0/24")
		s.change(nn, func() { nn.Spec.IPAllocation = &vitistack.IPAllocation{Type: "static"} })
		unserved := s.machine("unserved", []string{"02:00:00:00:10:05"}, finalizedByKeaOperator, func(nc *vitistack.NetworkConfiguration) {
			nc.Spec.NetworkNamespaceName = "static"
		})
		s.delete(unserved)
		s.untilGone(unserved)
	}

	// One that another component serves is not touched.
	others := s.machine("others", []string{"02:00:00:00:10:02"}, finalizedByKeaOperator, func(nc *vitistack.NetworkConfiguration) {
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

func finalizedByKeaOperator(nc *vitistack.NetworkConfiguration) {
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
	s.phase(again, vitistack.PhaseReconciling, "is being deleted: waiting until it is gone")
	s.release(child)
	s.serve(again, map[string]string{"02:00:00:00:11:01": "10.17.0.5"})
}
