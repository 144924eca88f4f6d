// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

type object = client.Object

// Each scenario has a namespace to itself, and hardware addresses, since those
// are compared over all namespaces.
var scenarios = map[string]func(*site){
	"HappyPath":           happyPath,
	"InvalidMAC":          invalidMAC,
	"InfiniBand":          infiniBand,
	"LossThatPasses":      lossThatPasses,
	"NetworkComesLater":   networkComesLater,
	"SeveralNetworks":     severalNetworks,
	"PrefixChange":        prefixChange,
	"ConfigChange":        configChange,
	"MalformedAnnotation": malformedAnnotation,
	"MACRemoved":          macRemoved,
	"ProviderChange":      providerChange,
	"Duplicate":           duplicate,
	"ForeignChild":        foreignChild,
	"OrphanAdopted":       orphanAdopted,
	"MessagesPassedUp":    messagesPassedUp,
	"Quiet":               quiet,
	"OthersStatus":        othersStatus,
	"OldFinalizer":        oldFinalizer,
	"Deletion":            deletion,
	"TypoInAnnotation":    typoInAnnotation,
	"UnknownPrefix":       unknownPrefix,
	"PlaceComes":          placeComes,
	"MoveBack":            moveBack,
	"HandOver":            handOver,
	"NetworkRecreated":    networkRecreated,
	"OlderAddsMAC":        olderAddsMAC,
	"ForgedOwner":         forgedOwner,
}

func happyPath(s *site) {
	nn := s.network("net", "10.1.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:01:01", "02-00-00-00-01-0A"}, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.NetworkInterfaces[0].Vlan = "7"
	})

	first := s.child(nc, "02:00:00:00:01:01")
	second := s.child(nc, "02:00:00:00:01:0a")
	s.same("name", "vm-02000000010a", second.Name)
	s.same("spec", v1alpha1.KeaReservationParameters{Subnet: "10.1.0.0/24", HWAddress: "02:00:00:00:01:0a"}, second.Spec.ForProvider)
	s.same("provider configuration", &xpv2.ProviderConfigReference{Kind: "ClusterProviderConfig", Name: "default"}, second.Spec.ProviderConfigReference)
	s.same("owners", []metav1.OwnerReference{controllerRef(nc)}, second.OwnerReferences)
	s.same("labels", map[string]string{labelNetworkConfiguration: nc.Name, labelNetworkNamespace: nn.Name}, second.Labels)
	s.same("finalizers", []string{managed.FinalizerName}, second.Finalizers)
	s.same("annotations", map[string]string{"crossplane.io/external-name": "02:00:00:00:01:0a"}, second.Annotations)

	s.refuse(first, v1alpha1.ReasonAwaitingLease, "no lease")
	s.phase(nc, vitistack.PhaseReconciling, "eth0: 02:00:00:00:01:01 waits for its DHCP lease")
	created := nc.Status.Created

	s.change(first, func() {
		first.Status.AtProvider.Gateway, first.Status.AtProvider.DNSServers = "10.1.0.1", []string{"10.0.0.2", "10.0.0.3"}
	})
	s.reserve(first, "10.1.0.5")
	s.phase(nc, vitistack.PhaseReconciling, "reserved in Kea: 1 of 2", "eth1")
	s.reserve(second, "10.1.0.6")
	s.phase(nc, vitistack.PhaseReady, "reserved in Kea: 2 of 2")

	want := []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", "02:00:00:00:01:01", "10.1.0.5", "10.1.0.0/24"),
		s.reserved("eth1", "02-00-00-00-01-0A", "10.1.0.6", "10.1.0.0/24"),
	}
	want[0].Vlan, want[0].IPv4Gateway, want[0].DNS = "7", "10.1.0.1", []string{"10.0.0.2", "10.0.0.3"}
	s.same("interfaces", want, nc.Status.NetworkInterfaces)
	s.same("created", created, nc.Status.Created)
}

func invalidMAC(s *site) {
	s.network("net", "10.2.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:02:01", "nonsense", "02:00:00:00:02:01"})
	s.phase(nc, vitistack.PhaseReconciling, `eth1: cannot read "nonsense"`)
	s.event(nc, string(reasonInvalidMAC), `cannot read "nonsense"`)
	s.reserve(s.child(nc, "02:00:00:00:02:01"), "10.2.0.5")
	s.phase(nc, vitistack.PhaseReady, `eth1: cannot read "nonsense"`, "reserved in Kea: 2 of 3")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", "02:00:00:00:02:01", "10.2.0.5", "10.2.0.0/24"),
		s.pending("eth1", "nonsense", "10.2.0.0/24"),
		s.reserved("eth2", "02:00:00:00:02:01", "10.2.0.5", "10.2.0.0/24"),
	}, nc.Status.NetworkInterfaces)

	s.change(nc, func() { nc.Spec.NetworkInterfaces = interfaces("02:00:00:00:02:01") })
	s.phase(nc, vitistack.PhaseReady, "reserved in Kea: 1 of 1")
}

// infiniBand is a machine with an InfiniBand card, whose address has 20 bytes,
// beside its Ethernet cards.
func infiniBand(s *site) {
	const address = "80:00:02:08:fe:80:00:00:00:00:00:00:00:02:c9:03:00:00:00:01"
	s.network("net", "10.18.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:12:01", address, "02:00:00:00:12:02"})
	s.phase(nc, vitistack.PhaseReconciling, "eth1", address)
	s.serve(nc, map[string]string{"02:00:00:00:12:01": "10.18.0.5", "02:00:00:00:12:02": "10.18.0.6"})
	s.phase(nc, vitistack.PhaseReady, "reserved in Kea: 2 of 3", `eth1: cannot read "`+address+`"`, "it has 20 bytes")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", "02:00:00:00:12:01", "10.18.0.5", "10.18.0.0/24"),
		s.pending("eth1", address, "10.18.0.0/24"),
		s.reserved("eth2", "02:00:00:00:12:02", "10.18.0.6", "10.18.0.0/24"),
	}, nc.Status.NetworkInterfaces)

	alone := s.machine("alone", []string{address})
	s.phase(alone, vitistack.PhaseError, `eth0: cannot read "`+address+`"`)
}

func networkComesLater(s *site) {
	nc := s.machine("vm", []string{"02:00:00:00:03:01"})
	s.phase(nc, vitistack.PhaseReconciling, "waiting for a NetworkNamespace in namespace "+s.namespace)
	nn := s.network("net", "")
	s.phase(nc, vitistack.PhaseReconciling, "waiting for NetworkNamespace net to get its status.ipv4Prefix")
	s.prefix(nn, "10.3.0.0/24")
	s.serve(nc, map[string]string{"02:00:00:00:03:01": "10.3.0.5"})

	// What was reached stays when the network goes for a while.
	s.delete(nn)
	s.phase(nc, vitistack.PhaseReconciling, "waiting for a NetworkNamespace", "reserved in Kea: 1 of 1")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", "02:00:00:00:03:01", "10.3.0.5", "10.3.0.0/24"),
	}, nc.Status.NetworkInterfaces)
	s.network("net", "10.3.0.0/24")
	s.phase(nc, vitistack.PhaseReady)
}

func severalNetworks(s *site) {
	s.network("b", "10.4.0.0/24")
	s.network("c", "10.4.1.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:04:01"})
	// Both were made in the same second, or b was before c.
	s.same("subnet", "10.4.0.0/24", s.child(nc, "02:00:00:00:04:01").Spec.ForProvider.Subnet)
	s.event(nc, string(reasonNetworkGuess), "taking the oldest, b")

	if !s.allocation {
		return // an old CRD has no networkNamespaceName
	}
	named := s.machine("named", []string{"02:00:00:00:04:02"}, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.NetworkNamespaceName = "c"
	})
	s.same("subnet", "10.4.1.0/24", s.child(named, "02:00:00:00:04:02").Spec.ForProvider.Subnet)
	missing := s.machine("missing", []string{"02:00:00:00:04:03"}, func(nc *vitistack.NetworkConfiguration) {
		nc.Spec.NetworkNamespaceName = "d"
	})
	s.phase(missing, vitistack.PhaseReconciling, "waiting for NetworkNamespace d")
}

func malformedAnnotation(s *site) {
	nn := s.network("net", "10.7.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:07:01"})
	s.serve(nc, map[string]string{"02:00:00:00:07:01": "10.7.0.5"})
	child := s.child(nc, "02:00:00:00:07:01")

	annotate(s, nn, "other")
	s.phase(nc, vitistack.PhaseError, `is "other": write <Kind>/<name>, for example ClusterProviderConfig/default`)
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth0", "02:00:00:00:07:01", "10.7.0.5", "10.7.0.0/24"),
	}, nc.Status.NetworkInterfaces)
	annotate(s, nn, "ClusterProviderConfig/default")
	s.phase(nc, vitistack.PhaseReady)
	s.same("KeaReservation", child.UID, s.child(nc, "02:00:00:00:07:01").UID)
}

func annotate(s *site, o object, config string) {
	s.Helper()
	s.change(o, func() { o.SetAnnotations(map[string]string{annotationProviderConfig: config}) })
}

func macRemoved(s *site) {
	s.network("net", "10.8.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:08:01", "02:00:00:00:08:02"})
	s.serve(nc, map[string]string{"02:00:00:00:08:01": "10.8.0.5", "02:00:00:00:08:02": "10.8.0.6"})
	s.change(nc, func() { nc.Spec.NetworkInterfaces = nc.Spec.NetworkInterfaces[1:] })
	s.untilGone(s.childKey(nc, "02:00:00:00:08:01"))
	s.phase(nc, vitistack.PhaseReady, "1 of 1")
	s.same("interfaces", []vitistack.NetworkConfigurationInterface{
		s.reserved("eth1", "02:00:00:00:08:02", "10.8.0.6", "10.8.0.0/24"),
	}, nc.Status.NetworkInterfaces)
}
