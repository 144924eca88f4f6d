// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"fmt"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	rbacv1 "k8s.io/api/rbac/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// TestStarting has the controller start when it can, whatever comes first.
func TestStarting(t *testing.T) {
	t.Parallel()
	plane := testenv.StartControlPlane(t, keaReservationCRD())
	kube := newClient(t, plane.Config)
	user := restrictedUser(t, plane, kube)
	t.Run("ComeAndGo", func(t *testing.T) { comeAndGo(t, plane, kube, user) })
	t.Run("Strict", func(t *testing.T) { strict(t, kube, user) })
}

func comeAndGo(t *testing.T, plane *testenv.ControlPlane, kube client.Client, user *rest.Config) {
	log := newLineLog()
	w := startManager(t, user, Options{Logger: log})
	s := newSite(t, kube)
	const notInstalled = "CustomResourceDefinition networkconfigurations.vitistack.io, networknamespaces.vitistack.io is missing: install VitiStack's CRDs"
	s.says(log, notInstalled, 1)

	installCRDs(t, plane, oldCRDs(t)...)
	s.says(log, "Missing permissions: list, watch, patch networkconfigurations.vitistack.io; patch networkconfigurations.vitistack.io/status; list, watch networknamespaces.vitistack.io", 1)
	s.network("net", "10.50.0.0/24")
	nc := s.machine("vm", []string{"02:00:00:00:50:01"}, finalizedByKeaOperator)
	allow(t, kube, "vitistack", rbacv1.PolicyRule{
		APIGroups: []string{"vitistack.io"},
		Resources: []string{"networkconfigurations", "networkconfigurations/status", "networknamespaces"},
		Verbs:     []string{"get", "list", "watch", "patch"},
	})
	s.serve(nc, map[string]string{"02:00:00:00:50:01": "10.50.0.5"})
	s.says(log, "Missing permissions", 1)

	// A newer CRD keeps what the old one pruned.
	version := nc.ResourceVersion
	installCRDs(t, plane, newCRDs()...)
	s.allocation = true
	want := []vitistack.NetworkConfigurationInterface{s.reserved("eth0", "02:00:00:00:50:01", "10.50.0.5", "10.50.0.0/24")}
	until(s, nc, "the successor's fields", func(nc *vitistack.NetworkConfiguration) bool {
		return nc.ResourceVersion != version
	})
	s.same("interfaces", want, nc.Status.NetworkInterfaces)

	// Nothing keeps the CRDs from going. Without them the provider lives on, and with them again it serves.
	if err := envtest.UninstallCRDs(plane.Config, envtest.CRDInstallOptions{Paths: newCRDs()}); err != nil {
		t.Fatal(err)
	}
	s.says(log, "Not serving NetworkConfigurations", 2)
	for _, r := range []schema.GroupResource{vitistack.NetworkConfigurationResource, vitistack.NetworkNamespaceResource} {
		s.untilGone(&extv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: r.String()}})
	}
	installCRDs(t, plane, newCRDs()...)
	s.network("net", "10.50.0.0/24")
	// Another one: the garbage collector takes its time to find out that a kind
	// was gone, and the first one's KeaReservation is there until then.
	another := s.machine("another", []string{"02:00:00:00:50:02"})
	s.serve(another, map[string]string{"02:00:00:00:50:02": "10.50.0.6"})
	s.says(log, "failed, trying again", 0)
	w.stop()
}

func strict(t *testing.T, kube client.Client, user *rest.Config) {
	s := newSite(t, kube)
	s.allocation = true
	s.network("net", "10.51.0.0/24")
	deleted := s.machine("deleted", []string{"02:00:00:00:51:01"}, finalizedByKeaOperator)
	s.delete(deleted)
	unset := s.machine("unset", []string{"02:00:00:00:51:02"})

	startManager(t, user, Options{
		StrictProvider:        true,
		DefaultProviderConfig: connection.Ref{Kind: "ProviderConfig", Name: "kea"},
	})
	ours := s.machine("ours", []string{"02:00:00:00:51:03"}, func(nc *vitistack.NetworkConfiguration) { nc.Spec.Provider = "Kea" })
	s.serve(ours, map[string]string{"02:00:00:00:51:03": "10.51.0.5"})
	s.same("provider configuration", &xpv2.ProviderConfigReference{Kind: "ProviderConfig", Name: "kea"},
		s.child(ours, "02:00:00:00:51:03").Spec.ProviderConfigReference)

	for _, nc := range []*vitistack.NetworkConfiguration{deleted, unset} {
		if err := s.get(nc); err != nil {
			t.Fatal(err)
		}
		s.same("status", vitistack.NetworkConfigurationStatus{}, nc.Status)
	}
	s.same("finalizers", []string{vitistack.KeaOperatorFinalizer}, deleted.Finalizers)
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

func installCRDs(t *testing.T, plane *testenv.ControlPlane, paths ...string) {
	t.Helper()
	_, err := envtest.InstallCRDs(plane.Config, envtest.CRDInstallOptions{Paths: paths, ErrorIfPathMissing: true, MaxTime: patience})
	if err != nil {
		t.Fatal(err)
	}
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
