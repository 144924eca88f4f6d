// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"errors"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// In these scenarios no Kea has a subnet in 10.99.0.0/16, until a test says so, and the provider
// configuration named missing does not exist: see played.

// typoInAnnotation names a provider configuration that does not exist.
func typoInAnnotation(s *site) {
	const mac = "02:00:00:00:14:01"
	nn := s.network("net", "10.20.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.20.0.5"})
	child := s.child(nc, mac)

	annotate(s, nn, "ClusterProviderConfig/missing")
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 1", `cannot move to 10.20.0.0/24 with ClusterProviderConfig missing`, "does not exist")
	s.event(nc, string(reasonCannotMove), "does not exist")
	s.stays(nc, child, s.reserved("eth0", mac, "10.20.0.5", "10.20.0.0/24"))

	annotate(s, nn, "ClusterProviderConfig/default")
	s.phase(nc, vitistack.PhaseReady)
	s.stays(nc, child, s.reserved("eth0", mac, "10.20.0.5", "10.20.0.0/24"))
}

// unknownPrefix has a NetworkNamespace report a prefix that Kea does not have.
func unknownPrefix(s *site) {
	const mac = "02:00:00:00:15:01"
	nn := s.network("net", "10.21.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.21.0.5"})
	child := s.child(nc, mac)

	s.prefix(nn, "10.99.21.0/24")
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 1", "cannot move to 10.99.21.0/24")
	s.stays(nc, child, s.reserved("eth0", mac, "10.21.0.5", "10.21.0.0/24"))
	s.prefix(nn, "10.21.0.0/24")
	s.phase(nc, vitistack.PhaseReady)
	s.stays(nc, child, s.reserved("eth0", mac, "10.21.0.5", "10.21.0.0/24"))
}

// networkRecreated deletes a NetworkNamespace and creates it again: its status is empty for a while,
// and then has another prefix.
func networkRecreated(s *site) {
	const mac = "02:00:00:00:16:01"
	nn := s.network("net", "10.22.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.22.0.5"})
	child := s.child(nc, mac)

	s.delete(nn)
	s.phase(nc, vitistack.PhaseReconciling, "waiting for a NetworkNamespace", "reserved in Kea: 1 of 1")
	nn = s.network("net", "")
	s.phase(nc, vitistack.PhaseReconciling, "status.ipv4Prefix", "reserved in Kea: 1 of 1")
	s.prefix(nn, "10.99.22.0/24")
	s.phase(nc, vitistack.PhaseReconciling, "cannot move to 10.99.22.0/24", "reserved in Kea: 1 of 1")
	s.stays(nc, child, s.reserved("eth0", mac, "10.22.0.5", "10.22.0.0/24"))
	s.prefix(nn, "10.22.0.0/24")
	s.phase(nc, vitistack.PhaseReady)
	s.stays(nc, child, s.reserved("eth0", mac, "10.22.0.5", "10.22.0.0/24"))
}

// placeComes has a machine move as soon as Kea has the subnet.
func placeComes(s *site) {
	const mac = "02:00:00:00:19:01"
	nn := s.network("net", "10.25.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.25.0.5"})
	s.prefix(nn, "10.99.25.0/24")
	s.phase(nc, vitistack.PhaseReconciling, "cannot move to 10.99.25.0/24")

	s.writes.places.opened.Store("10.99.25.0/24", true)
	// Each is news of the servers.
	s.writes.groups.Fail(clusterConfig("default"), errors.New(s.namespace))
	s.reserve(s.movedChild(nc, mac, at("10.99.25.0/24")), "10.99.25.5")
	s.phase(nc, vitistack.PhaseReady)
	s.untilGone(s.childKey(nc, mac))
}

// prefixChange moves a machine to another subnet: it has its address until it has
// another one.
func prefixChange(s *site) {
	const mac = "02:00:00:00:05:01"
	nn := s.network("net", "10.5.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.5.0.5"})
	old := s.child(nc, mac)
	s.hold(old)

	s.prefix(nn, "10.55.0.7/24") // a prefix with host bits is the same network
	again := s.movedChild(nc, mac, at("10.55.0.0/24"))
	s.same("spec", v1alpha1.KeaReservationParameters{Subnet: "10.55.0.0/24", HWAddress: mac}, again.Spec.ForProvider)
	s.refuse(again, v1alpha1.ReasonSubnetNotFound, "Kea has no subnet 10.55.0.0/24")
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 1", "Kea has no subnet 10.55.0.0/24")
	s.stays(nc, old, s.reserved("eth0", mac, "10.5.0.5", "10.5.0.0/24"))

	// When the new one is served, the old one goes.
	s.refuse(again, v1alpha1.ReasonAwaitingLease, "no lease")
	until(s, old, "its deletion", func(r *v1alpha1.KeaReservation) bool { return !r.DeletionTimestamp.IsZero() })
	s.release(old)
	s.untilGone(old)
	until(s, nc, "the end of the old address", func(nc *vitistack.NetworkConfiguration) bool {
		return len(nc.Status.NetworkInterfaces[0].IPv4Addresses) == 0
	})
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{s.pending("eth0", mac, "10.55.0.7/24")}, nc.Status.NetworkInterfaces)
	s.reserve(again, "10.55.0.5")
	s.phase(nc, vitistack.PhaseReady)
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{s.reserved("eth0", mac, "10.55.0.5", "10.55.0.7/24")}, nc.Status.NetworkInterfaces)
}

// configChange moves a machine to another Kea.
func configChange(s *site) {
	const mac = "02:00:00:00:06:01"
	nn := s.network("net", "10.6.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.6.0.5"})

	annotate(s, nn, "ProviderConfig/other")
	there := at("10.6.0.0/24")
	there.config = connection.Ref{Kind: "ProviderConfig", Namespace: s.namespace, Name: "other"}
	again := s.movedChild(nc, mac, there)
	s.same("provider configuration", &xpv2.ProviderConfigReference{Kind: "ProviderConfig", Name: "other"}, again.Spec.ProviderConfigReference)
	s.reserve(again, "10.6.0.9")
	s.untilGone(s.childKey(nc, mac))
	s.phase(nc, vitistack.PhaseReady)
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{s.reserved("eth0", mac, "10.6.0.9", "10.6.0.0/24")}, nc.Status.NetworkInterfaces)
}

// moveBack moves a machine and changes its mind half-way.
func moveBack(s *site) {
	const mac = "02:00:00:00:1a:01"
	nn := s.network("net", "10.26.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.26.0.5"})
	child := s.child(nc, mac)
	s.prefix(nn, "10.27.0.0/24")
	again := s.movedChild(nc, mac, at("10.27.0.0/24"))
	s.prefix(nn, "10.26.0.0/24")
	s.untilGone(again)
	s.phase(nc, vitistack.PhaseReady)
	s.stays(nc, child, s.reserved("eth0", mac, "10.26.0.5", "10.26.0.0/24"))
}

// handOver moves a machine to another name of the same Kea and subnet.
func handOver(s *site) {
	const mac = "02:00:00:00:1b:01"
	nn := s.network("net", "10.28.0.0/24")
	nc := s.machine("vm", []string{mac})
	s.serve(nc, map[string]string{mac: "10.28.0.5"})
	old := s.child(nc, mac)
	s.hold(old)
	s.writes.places.marked.Store(kea.HWAddress(mac), old.Namespace+"/"+old.Name)

	annotate(s, nn, "ClusterProviderConfig/alias")
	there := at("10.28.0.0/24")
	there.config = clusterConfig("alias")
	again := s.movedChild(nc, mac, there)
	s.refuse(again, v1alpha1.ReasonOwnedByAnother, "it is marked as KeaReservation "+old.Name)
	until(s, again, "the address that it takes over", func(r *v1alpha1.KeaReservation) bool { return r.Spec.ForProvider.IPAddress == "10.28.0.5" })
	until(s, old, "its deletion", func(r *v1alpha1.KeaReservation) bool { return !r.DeletionTimestamp.IsZero() })
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 1")
	s.release(old)
	s.reserve(again, "10.28.0.5")
	s.phase(nc, vitistack.PhaseReady)

	// What is applied later leaves the address alone.
	s.change(again, func() { delete(again.Labels, labelNetworkNamespace) })
	until(s, again, "the label", func(r *v1alpha1.KeaReservation) bool { return r.Labels[labelNetworkNamespace] == "net" })
	s.same("the address", "10.28.0.5", again.Spec.ForProvider.IPAddress)
}

// movedChild waits for the KeaReservation that a device gets beside its first one.
func (s *site) movedChild(nc *vitistack.NetworkConfiguration, mac string, p *place) *v1alpha1.KeaReservation {
	s.Helper()
	r := &v1alpha1.KeaReservation{ObjectMeta: s.meta(movedName(nc.Name, kea.HWAddress(mac), p))}
	until(s, r, "KeaReservation "+r.Name, func(*v1alpha1.KeaReservation) bool { return true })
	return r
}

// stays checks that a machine has the same KeaReservation as before, and the status of its interface.
func (s *site) stays(nc *vitistack.NetworkConfiguration, child *v1alpha1.KeaReservation, want vitistack.NetworkConfigurationInterface) {
	s.Helper()
	now := child.DeepCopy()
	if err := s.get(now); err != nil {
		s.Fatal(err)
	}
	if now.UID != child.UID || !now.DeletionTimestamp.IsZero() {
		s.Errorf("KeaReservation %s is another one, or is being deleted", child.Name)
	}
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{want}, nc.Status.NetworkInterfaces)
}
