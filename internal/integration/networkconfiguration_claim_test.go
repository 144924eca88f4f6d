// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestMachinesAddress: an older NetworkConfiguration that names a running machine's
// hardware address takes nothing from it, and gets it when it is free. A
// KeaReservation that says to be a NetworkConfiguration's blocks nothing.
func TestMachinesAddress(t *testing.T) {
	t.Parallel()
	const hw, otherHW = "00:02:12:00:00:0a", "00:02:12:00:00:0b"
	s := newSite(t, testenv.KeaOptions{})
	s.networkNamespace(subnet)
	older := s.networkConfiguration("older", otherHW)
	s.create(older)
	s.lease(otherHW, "10.123.0.111")
	s.awaitPhase(older, vitistack.PhaseReady)

	forged := s.reservation("forged", v1alpha1.KeaReservationParameters{HWAddress: hw})
	forged.OwnerReferences = []metav1.OwnerReference{{
		APIVersion: "vitistack.io/v1alpha1", Kind: "NetworkConfiguration", Name: "older", UID: "00000000-0000-0000-0000-000000000001", Controller: new(true),
	}}
	forged.Finalizers = []string{"test.example.com/stays"}
	s.create(forged)
	s.delete(forged)
	running := s.networkConfiguration("running", hw)
	s.create(running)
	s.lease(hw, "10.123.0.110")
	s.awaitPhase(running, vitistack.PhaseReady)
	s.awaitMarked(hw, "running-00021200000a")
	before := fmt.Sprintf("%+v", *s.held(hw))

	edit(s, older, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.NetworkInterfaces = append(nc.Spec.NetworkInterfaces, running.Spec.NetworkInterfaces...)
		nc.Spec.NetworkInterfaces[1].Name = "eth1"
	})
	s.awaitMessage(older, hw+" belongs to NetworkConfiguration "+s.namespace+"/running, which has it reserved", "10.123.0.111")
	s.awaitPhase(running, vitistack.PhaseReady)
	equal(t, "what Kea holds", fmt.Sprintf("%+v", *s.held(hw)), before)

	s.delete(running)
	s.awaitPhase(older, vitistack.PhaseReady)
	s.awaitMarked(hw, "older-00021200000a")
	s.awaitHeld(hw, "10.123.0.110")
}
