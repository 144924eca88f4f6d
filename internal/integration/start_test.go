// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/yaml"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// lacks is what the provider says that it lacks without the ClusterRole.
const lacks = "Missing permissions: get, list, watch namespaces; list, watch, patch networkconfigurations.vitistack.io; " +
	"patch networkconfigurations.vitistack.io/status; list, watch networknamespaces.vitistack.io; delete keareservations.kea.crossplane.io: " +
	"apply the ClusterRole provider-kea of cluster/rbac, and bind it to the provider's ServiceAccount"

// TestStart: the provider starts where its CRDs have not been applied yet, where Crossplane has not
// activated its managed resource, and where its ClusterRole has not been applied, says so, and goes
// on when they come. It goes on, too, when CRDs are gone for a while. Its pod is one that
// Crossplane makes: with a leader election, and nothing to write to.
func TestStart(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	s := &site{t: t, world: c.world, kea: testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}}), namespace: "machines"}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})

	// The CRDs that come with the package come after the provider has started.
	const missing = " is missing: it comes with the package in Crossplane; apply package/crds without Crossplane"
	c.awaitLog("Not serving ProviderConfigs: CustomResourceDefinition providerconfigs.kea.crossplane.io"+missing, 1)
	c.awaitLog("Not serving ClusterProviderConfigs: CustomResourceDefinition clusterproviderconfigs.kea.crossplane.io"+missing, 1)
	c.install(packaged...)
	config := s.config()
	s.create(config)

	// Without activation and role.
	const noPermission = "cannot get the namespace kube-system, whose UID marks reservations as this cluster's: apply the ClusterRole provider-kea of cluster/rbac"
	s.await(config, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: v1alpha1.ReasonNoPermission, Message: noPermission})
	c.awaitLog("Not serving KeaReservations: CustomResourceDefinition keareservations.kea.crossplane.io is missing: have a ManagedResourceActivationPolicy", 1)
	c.awaitEvents(lacks)
	// Without the kind nothing uses a configuration.
	s.delete(config)
	s.awaitGone(config)
	config = s.config()
	s.create(config)

	// The CRD comes.
	c.install("kea.crossplane.io_keareservations.yaml")
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: noPermission})
	s.lease(other, "10.123.0.110")
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm02", other)
	s.create(nc)

	// The role comes.
	c.allow("provider-kea", clusterRole(t).Rules...)
	s.await(config, isReady)
	s.await(r, isReady, isSynced)
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.awaitHeld(mac, "10.123.0.50")
	s.awaitHeld(other, "10.123.0.110")

	// The CRD goes, and comes back.
	before := c.logged("Not serving NetworkConfigurations")
	c.uninstall("kea.crossplane.io_keareservations.yaml")
	s.awaitNotHeld(mac)
	c.awaitLog("Not serving NetworkConfigurations", before+1)
	c.awaitRefusals(3)
	c.install("kea.crossplane.io_keareservations.yaml")
	r = s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, isReady, isSynced)
	s.awaitHeld(other, "10.123.0.110")

	// All CRDs go, and come back.
	s.delete(nc)
	s.awaitGone(nc)
	s.delete(r)
	s.awaitGone(r)
	c.uninstall(packaged...)
	c.install(packaged...)
	config = s.config()
	s.create(config)
	s.await(config, isReady)
	r = s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, isReady, isSynced)

	// All of it was told once.
	c.awaitLog(lacks, 1)
	c.awaitLog("Failed to watch", 0)
	c.awaitEvents(lacks)

	// A provider that starts while the CRD goes lets it go.
	c.provider.stop()
	crd := &extv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: v1alpha1.KeaReservationGroupResource.String()}}
	s.delete(crd)
	c.start()
	s.awaitGone(crd)
	s.awaitNotHeld(mac)
}

// cluster is a control plane of its own, with a provider that may there what
// Crossplane lets every provider do.
type cluster struct {
	*world

	t     *testing.T
	plane *testenv.ControlPlane

	kubeconfig []byte // the provider's
}

const revisionName, revisionUID = "provider-kea-0123456789ab", "5c3f0f3e-5d3c-4a86-9a0c-0d8a7f0e5a11"

// packaged are the CRDs that Crossplane creates with the package. That of KeaReservations comes
// when it is activated.
var packaged = []string{"kea.crossplane.io_clusterproviderconfigs.yaml", "kea.crossplane.io_providerconfigs.yaml"}

// newCluster starts a cluster with VitiStack's CRDs and some of ours.
func newCluster(t *testing.T, crds ...string) *cluster {
	t.Helper()
	c, _ := clusterIn(t, "", crds...)
	c.allowAll()
	c.start()
	return c
}

// clusterIn starts a cluster without a provider whose etcd keeps its data in a folder, and returns
// it with the function that stops it before the test ends.
func clusterIn(t *testing.T, data string, crds ...string) (c *cluster, stop func()) {
	t.Helper()
	theirs, err := testenv.VitiStackCRDs()
	if err != nil {
		t.Fatal(err)
	}
	plane, stop, err := testenv.NewControlPlaneIn(data, append(crdFiles(crds), theirs)...)
	if err != nil {
		t.Fatal(err)
	}
	stop = sync.OnceFunc(stop)
	t.Cleanup(stop)
	kube, err := newClient(plane)
	if err != nil {
		t.Fatal(err)
	}
	c = &cluster{world: &world{client: kube}, t: t, plane: plane}
	user, err := plane.Env.AddUser(envtest.User{Name: "provider"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if c.kubeconfig, err = user.KubeConfig(); err != nil {
		t.Fatal(err)
	}
	return c, stop
}

// allowAll lets the provider do what Crossplane lets it.
func (c *cluster) allowAll() {
	c.t.Helper()
	// The rules of the ClusterRole that Crossplane's RBAC manager makes.
	system := []string{"get", "list", "watch", "update", "patch", "create"}
	c.allow("crossplane:provider:"+revisionName+":system",
		rbacv1.PolicyRule{APIGroups: []string{v1alpha1.Group}, Verbs: system, Resources: []string{
			"clusterproviderconfigs", "clusterproviderconfigs/status", "keareservations", "keareservations/status",
			"providerconfigs", "providerconfigs/status",
		}},
		rbacv1.PolicyRule{APIGroups: []string{v1alpha1.Group}, Verbs: []string{"update"}, Resources: []string{"*/finalizers"}},
		rbacv1.PolicyRule{APIGroups: []string{"", "coordination.k8s.io"}, Verbs: []string{"*"}, Resources: []string{"secrets", "configmaps", "events", "leases"}},
		rbacv1.PolicyRule{APIGroups: []string{extv1.GroupName}, Verbs: []string{"get", "list", "watch"}, Resources: []string{"customresourcedefinitions"}},
	)
}

// start starts the provider, with leader election unless the flags say otherwise.
func (c *cluster) start(flags ...string) {
	c.t.Helper()
	env := []string{"REVISION_NAME=" + revisionName, "REVISION_UID=" + revisionUID, "POD_NAMESPACE=default", "TMPDIR=/nowhere", "HOME=/nowhere"}
	p, err := startProvider(c.t.TempDir(), c.kubeconfig, append([]string{"--leader-election", "--allowed-kea-hosts=*,127.0.0.1"}, flags...), env)
	if err != nil {
		c.t.Fatal(err)
	}
	c.provider = p
	c.t.Cleanup(func() {
		p.stop()
		if c.t.Failed() {
			c.t.Logf("the provider's log ends:\n%s", tail(p.log(), 40))
		}
		if strings.Contains(p.log(), "WARNING: DATA RACE") {
			c.t.Errorf("the provider has data races:\n%s", p.log())
		}
	})
}

func crdFiles(names []string) []string {
	out := make([]string, 0, len(names))
	for _, n := range names {
		out = append(out, filepath.Join(testenv.Root(), "package", "crds", n))
	}
	return out
}

func (c *cluster) install(files ...string) {
	c.t.Helper()
	_, err := envtest.InstallCRDs(c.plane.Config, envtest.CRDInstallOptions{Paths: crdFiles(files), ErrorIfPathMissing: true, MaxTime: within})
	if err != nil {
		c.t.Fatal(err)
	}
}

// uninstall removes CRDs and waits until they are gone, with all that there was.
func (c *cluster) uninstall(files ...string) {
	c.t.Helper()
	o := envtest.CRDInstallOptions{Paths: crdFiles(files), MaxTime: within}
	if err := envtest.UninstallCRDs(c.plane.Config, o); err != nil {
		c.t.Fatal(err)
	}
	for _, file := range files {
		group, resource, _ := strings.Cut(strings.TrimSuffix(file, ".yaml"), "_")
		testenv.Eventually(c.t, within, "the CRD to be gone", func(ctx context.Context) error {
			crd := &extv1.CustomResourceDefinition{}
			err := c.client.Get(ctx, client.ObjectKey{Name: resource + "." + group}, crd)
			if kerrors.IsNotFound(err) {
				return nil
			}
			return errors.Join(err, errors.New("it is still there"))
		})
	}
}

// allow lets the provider do something in all namespaces.
func (c *cluster) allow(name string, rules ...rbacv1.PolicyRule) {
	c.t.Helper()
	meta := metav1.ObjectMeta{Name: name}
	for _, o := range []client.Object{
		&rbacv1.ClusterRole{ObjectMeta: meta, Rules: rules},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: meta,
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.UserKind, APIGroup: rbacv1.GroupName, Name: "provider"}},
		},
	} {
		if err := c.client.Create(c.t.Context(), o); err != nil {
			c.t.Fatal(err)
		}
	}
}

// clusterRole is the one that users are told to apply.
func clusterRole(t *testing.T) *rbacv1.ClusterRole {
	t.Helper()
	manifest, err := os.ReadFile(filepath.Join(testenv.Root(), "cluster", "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for doc := range strings.SplitSeq(string(manifest), "\n---\n") {
		role := &rbacv1.ClusterRole{}
		if err := yaml.Unmarshal([]byte(doc), role); err == nil && role.Kind == "ClusterRole" && role.Name == "provider-kea" {
			return role
		}
	}
	t.Fatal("cluster/install.yaml has no ClusterRole provider-kea")
	return nil
}

// logged returns how often a text was logged.
func (c *cluster) logged(text string) int { return strings.Count(c.provider.log(), text) }

// awaitLog waits until a text was logged a number of times.
func (c *cluster) awaitLog(text string, times int) {
	c.t.Helper()
	testenv.Eventually(c.t, within, fmt.Sprintf("%d times %q in the log", times, text), func(context.Context) error {
		if got := c.logged(text); got != times {
			return fmt.Errorf("it is there %d times", got)
		}
		return nil
	})
}

// awaitRefusals waits until the provider has asked this many times more for what
// is not there.
func (c *cluster) awaitRefusals(n int) {
	c.t.Helper()
	line := regexp.MustCompile(`(?m)^rest_client_requests_total\{code="404",[^}]*method="GET"\} (\d+)$`)
	count := func(ctx context.Context) (int, error) {
		text, err := get(ctx, "http://"+c.provider.metrics+"/metrics")
		if err != nil {
			return 0, err
		}
		m := line.FindStringSubmatch(text)
		if m == nil {
			return 0, errors.New("the metrics do not tell of refusals")
		}
		return strconv.Atoi(m[1])
	}
	before, err := count(c.t.Context())
	if err != nil {
		c.t.Fatal(err)
	}
	testenv.Eventually(c.t, within, "refusals", func(ctx context.Context) error {
		now, err := count(ctx)
		if err == nil && now < before+n {
			err = fmt.Errorf("there are %d more", now-before)
		}
		return err
	})
}

// awaitEvents waits until there is one event about the provider's revision, and
// fails the test when there are more.
func (c *cluster) awaitEvents(message string) {
	c.t.Helper()
	l := &corev1.EventList{}
	testenv.Eventually(c.t, within, "an event", func(ctx context.Context) error {
		err := c.client.List(ctx, l, client.InNamespace(metav1.NamespaceDefault), client.MatchingFields{"involvedObject.uid": revisionUID})
		if err == nil && len(l.Items) == 0 {
			err = errors.New("there is none")
		}
		return err
	})
	e := l.Items[0]
	if len(l.Items) != 1 || e.Count != 1 || e.Message != message || e.Type != corev1.EventTypeWarning || e.InvolvedObject.Name != revisionName || e.InvolvedObject.Kind != "ProviderRevision" {
		c.t.Errorf("the events are %+v", l.Items)
	}
}
