// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"slices"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	rbacv1 "k8s.io/api/rbac/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestStarting has the controller start when it can, whatever comes first, and follow the CRDs as
// they change.
func TestStarting(t *testing.T) {
	t.Parallel()
	plane := testenv.StartControlPlane(t, ownCRDs()...)
	kube := newClient(t, plane.Config, v035.networkNamespaces)
	user := restrictedUser(t, plane, kube)
	log := newLineLog()
	w := startManager(t, user, Options{Logger: log})
	s := newSite(t, kube)
	const notInstalled = "CustomResourceDefinition networkconfigurations.vitistack.io, networknamespaces.vitistack.io is missing: install VitiStack's CRDs"
	s.says(log, notInstalled, 1)

	v035.install(t, plane)
	s.says(log, "Missing permissions: list, watch, patch networkconfigurations.vitistack.io; patch networkconfigurations.vitistack.io/status; list, watch networknamespaces.vitistack.io", 1)
	// What it makes has a finalizer, which only what needs Secrets removes.
	s.says(log, "list, watch secrets", 1)
	nn := s.network("net", "10.50.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:50:01"}, finalizedByKeaOperator)
	allow(t, kube, "vitistack", rbacv1.PolicyRule{
		APIGroups: []string{"vitistack.io"},
		Resources: []string{"networkconfigurations", "networkconfigurations/status", "networknamespaces"},
		Verbs:     []string{"get", "list", "watch", "patch"},
	}, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"list", "watch"}})
	s.serve(nc, map[string]string{"02:00:00:00:50:01": "10.50.0.5"})
	s.says(log, "Missing permissions", 1)

	// A newer CRD keeps what the old one pruned.
	version := nc.ResourceVersion
	v08.install(t, plane)
	s.allocation = true
	want := []vitistack.NetworkConfigurationInterface{s.reserved("eth0", "02:00:00:00:50:01", "10.50.0.5", "10.50.0.0/24")}
	until(s, nc, "the successor's fields", func(nc *vitistack.NetworkConfiguration) bool {
		return nc.ResourceVersion != version
	})
	s.same("interfaces", want, nc.Status.NetworkInterfaces)

	followVersions(s, plane, log, nn, nc)

	before := log.count("Not serving NetworkConfigurations") // our own CRDs may come a moment late, too
	// Nothing keeps the CRDs from going. Without them the provider lives on, and with them again it
	// serves.
	if err := envtest.UninstallCRDs(plane.Config, envtest.CRDInstallOptions{Paths: v1.crds(t)}); err != nil {
		t.Fatal(err)
	}
	s.says(log, "Not serving NetworkConfigurations", before+1)
	for _, r := range []schema.GroupResource{vitistack.NetworkConfigurationResource, vitistack.NetworkNamespaceResource} {
		s.untilGone(&extv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: r.String()}})
	}
	v1.install(t, plane)
	s.network("net", "10.50.0.0/24")
	// Another one: the garbage collector takes its time to find out that a kind
	// was gone, and the first one's KeaReservation is there until then.
	another := s.machine("another", []string{"02:00:00:00:50:02"})
	s.serve(another, map[string]string{"02:00:00:00:50:02": "10.50.0.6"})
	s.says(log, "failed, trying again", 0)
	w.stop()
}

// strict runs a strict provider. What it refuses it says, and what was reserved before stays.
func strict(t *testing.T, r release, cfg *rest.Config, kube client.Client) {
	s := newSite(t, kube)
	s.allocation = r.allocation
	nn := s.network("net", "10.51.0.0/24")
	asKea := func(nc *vitistack.NetworkConfiguration) { nc.Spec.Provider = "Kea" }
	deleted := s.machine("deleted", []string{"02:00:00:00:51:01"}, finalizedByKeaOperator)
	s.delete(deleted)
	unset := s.machine("unset", []string{"02:00:00:00:51:02"})

	w := startManager(t, cfg, Options{
		StrictProvider:        true,
		DefaultProviderConfig: connection.Ref{Kind: "ProviderConfig", Name: "kea"},
	})
	defer w.stop()
	ours := s.machine("ours", []string{"02:00:00:00:51:03"}, asKea)
	const refused = "NetworkNamespace net has no spec.ipAllocation"
	if r.allocation { // an old CRD has none, so that it cannot be asked for
		s.phase(ours, vitistack.PhaseError, refused)
		s.change(nn, func() { nn.Spec.IPAllocation = &vitistack.IPAllocation{Type: "dhcp"} })
	}
	s.serve(ours, map[string]string{"02:00:00:00:51:03": "10.51.0.5"})
	child := s.child(ours, "02:00:00:00:51:03")
	s.same("provider configuration", &xpv2.ProviderConfigReference{Kind: "ProviderConfig", Name: "kea"}, child.Spec.ProviderConfigReference)
	s.phase(unset, vitistack.PhaseError, "spec.provider is not set")
	s.untilGone(deleted)

	kept := []vitistack.NetworkConfigurationInterface{s.reserved("eth0", "02:00:00:00:51:03", "10.51.0.5", "10.51.0.0/24")}
	s.change(ours, func() { ours.Spec.Provider = "" })
	s.phase(ours, vitistack.PhaseError, "spec.provider is not set", "reserved in Kea: 1 of 1")
	s.same("interfaces", kept, ours.Status.NetworkInterfaces)
	if r.allocation {
		s.change(ours, func() { asKea(ours) })
		s.phase(ours, vitistack.PhaseReady)
		s.change(nn, func() { nn.Spec.IPAllocation = nil })
		s.phase(ours, vitistack.PhaseError, refused, "reserved in Kea: 1 of 1")
		s.same("interfaces", kept, ours.Status.NetworkInterfaces)
	}
	s.same("KeaReservation", child.UID, s.child(ours, "02:00:00:00:51:03").UID)
}

// removalsAreHeld has eight machines that lose their reservations as their NetworkNamespace is given to
// another component.
func removalsAreHeld(t *testing.T, cfg *rest.Config, kube client.Client) {
	s := newSite(t, kube)
	s.allocation = true
	nn := s.network("net", "10.52.0.0/24")
	o := Options{MaxRemovalPercent: 10, DefaultProviderConfig: connection.Ref{Kind: "ProviderConfig", Name: "guarded"}}
	w := startManager(t, cfg, o)
	var all []*vitistack.NetworkConfiguration
	const machines = 8
	for i := range machines {
		mac := fmt.Sprintf("02:00:00:00:52:%02x", i)
		nc := s.machine(fmt.Sprintf("vm%d", i), []string{mac})
		s.serve(nc, map[string]string{mac: fmt.Sprintf("10.52.0.%d", 5+i)})
		all = append(all, nc)
	}
	s.change(nn, func() { nn.Spec.IPAllocation = &vitistack.IPAllocation{Type: "static"} })
	s.remain(machines - minRemovals)
	held := func() []*vitistack.NetworkConfiguration {
		return slices.DeleteFunc(slices.Clone(all), func(nc *vitistack.NetworkConfiguration) bool { return s.get(nc) != nil || !removalsHeld(nc) })
	}
	s.eventually("the condition of those that are held", func() error {
		if n := len(held()); n != machines-minRemovals {
			return fmt.Errorf("%d have it", n)
		}
		return nil
	})
	one := held()[0]
	s.event(one, string(reasonRemovalsHeld), "by its NetworkNamespace")
	s.same("interfaces", 1, len(one.Status.NetworkInterfaces[0].IPv4Addresses))
	w.stop()

	// A restart does not let more of them go, and the rest is served.
	w = startManager(t, cfg, o)
	s.network("more", "10.52.0.0/24")
	ours := s.machine("ours", []string{"02:00:00:00:52:99"}, func(nc *vitistack.NetworkConfiguration) { nc.Spec.NetworkNamespaceName = "more" })
	s.serve(ours, map[string]string{"02:00:00:00:52:99": "10.52.0.99"})
	s.remain(1 + machines - minRemovals)

	s.change(nn, func() { nn.Annotations = map[string]string{annotationConfirmRemovals: "true"} })
	s.remain(1)
	until(s, one, "the end of the condition", func(nc *vitistack.NetworkConfiguration) bool { return !removalsHeld(nc) })
	w.stop()
}

// remain waits until a number of KeaReservations remain.
func (s *site) remain(want int) {
	s.Helper()
	s.eventually(fmt.Sprintf("%d KeaReservations", want), func() error {
		l := &v1alpha1.KeaReservationList{}
		if err := s.kube.List(s.Context(), l, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		if len(l.Items) != want {
			return fmt.Errorf("there are %d", len(l.Items))
		}
		return nil
	})
}

// says waits until a text was logged a number of times.
func (s *site) says(log *lineLog, text string, times int) {
	s.Helper()
	s.eventually("the log line "+text, func() error {
		if log.count(text) != times {
			return fmt.Errorf("the log is %q", log.all())
		}
		return nil
	})
}

// restrictedUser may what a provider may that runs without VitiStack.
func restrictedUser(t *testing.T, plane *testenv.ControlPlane, kube client.Client) *rest.Config {
	t.Helper()
	user, err := plane.Env.AddUser(envtest.User{Name: providerUser}, nil)
	if err != nil {
		t.Fatal(err)
	}
	allow(t, kube, "provider",
		rbacv1.PolicyRule{APIGroups: []string{"apiextensions.k8s.io"}, Resources: []string{"customresourcedefinitions"}, Verbs: []string{"list", "watch"}},
		rbacv1.PolicyRule{APIGroups: []string{"kea.crossplane.io"}, Resources: []string{"keareservations"}, Verbs: []string{"*"}},
		rbacv1.PolicyRule{APIGroups: []string{"kea.crossplane.io"}, Resources: []string{"providerconfigs", "clusterproviderconfigs"}, Verbs: []string{"list", "watch"}},
		rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	)
	return user.Config()
}

const providerUser = "provider"

func allow(t *testing.T, kube client.Client, name string, rules ...rbacv1.PolicyRule) {
	t.Helper()
	meta := metav1.ObjectMeta{Name: name}
	for _, o := range []client.Object{
		&rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: meta,
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: providerUser}},
		},
	} {
		if err := kube.Create(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
}
