// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/keareservation"
	"github.com/vitistack/provider-kea/internal/gate"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// patience is how long a test waits for something to come about. It is generous:
// other tests may run on the same machine.
const patience = 60 * time.Second

// keaReservationCRD is the CRD of what the controller makes.
func keaReservationCRD() string {
	return filepath.Join(testenv.Root(), "package", "crds", "kea.crossplane.io_keareservations.yaml")
}

// ownCRDs are those of the provider that the controller needs.
func ownCRDs() []string {
	crds := filepath.Join(testenv.Root(), "package", "crds")
	return []string{
		keaReservationCRD(),
		filepath.Join(crds, "kea.crossplane.io_providerconfigs.yaml"),
		filepath.Join(crds, "kea.crossplane.io_clusterproviderconfigs.yaml"),
	}
}

func newScheme(tb testing.TB) *runtime.Scheme {
	tb.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, rbacv1.AddToScheme, extv1.AddToScheme, v1alpha1.AddToScheme, vitistack.AddToScheme} {
		if err := add(s); err != nil {
			tb.Fatal(err)
		}
	}
	return s
}

// newClient returns a client for a test, which has NetworkNamespaces in a version. It asks often,
// and is not held back.
func newClient(tb testing.TB, cfg *rest.Config, version string) client.Client {
	tb.Helper()
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	s := newScheme(tb)
	vitistack.AddNetworkNamespaces(s, version)
	c, err := client.New(cfg, client.Options{Scheme: s})
	if err != nil {
		tb.Fatal(err)
	}
	return c
}

// startManager runs a provider with nothing but this controller. What it returns
// counts the writes of the controller, by namespace.
func startManager(tb testing.TB, cfg *rest.Config, o Options) *writes {
	tb.Helper()
	w := &writes{groups: connection.NewGroups()}
	o.Groups = w.groups
	o.places = w.places.places
	if o.MaxRemovalPercent == 0 {
		o.MaxRemovalPercent = 100
	}
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	mgr, err := ctrl.NewManager(cfg, ctrl.Options{
		Scheme:    newScheme(tb),
		Metrics:   metricsserver.Options{BindAddress: "0"},
		NewClient: w.newClient,
	})
	if err != nil {
		tb.Fatal(err)
	}
	// A change of CRDs is seen at once, so that only a permission waits for the
	// interval.
	g, err := gate.New(mgr, gate.Options{Logger: o.Logger, AskEvery: 200 * time.Millisecond})
	if err != nil {
		tb.Fatal(err)
	}
	o.Namespaces, o.Fleet = keareservation.NewNamespaces(mgr), keareservation.NewFleet(mgr)
	if err := Setup(mgr, g, o); err != nil {
		tb.Fatal(err)
	}

	ctx, cancel := context.WithCancel(context.Background())
	player, err := client.NewWithWatch(cfg, client.Options{Scheme: newScheme(tb)})
	if err != nil {
		tb.Fatal(err)
	}
	played := make(chan struct{})
	go func() {
		defer close(played)
		playReleases(ctx, player)
	}()
	ended := make(chan error, 1)
	go func() { ended <- mgr.Start(ctx) }()
	w.stop = sync.OnceFunc(func() {
		early := false
		select {
		case err := <-ended:
			early = true
			ended <- err
		default:
		}
		cancel()
		<-played
		if err := <-ended; err != nil || early {
			tb.Errorf("the manager ended by itself, or badly: %v", err)
		}
	})
	tb.Cleanup(w.stop)
	return w
}

// A site is a namespace that a test has to itself, and what it does there.
type site struct {
	*testing.T

	kube       client.Client
	namespace  string
	writes     *writes
	allocation bool // whether the CRDs have the fields that vitistack/common added
}

var sites atomic.Int64

func newSite(t *testing.T, kube client.Client) *site {
	t.Helper()
	s := &site{T: t, kube: kube, namespace: fmt.Sprintf("site-%d", sites.Add(1))}
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	return s
}

func (s *site) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

func (s *site) create(o client.Object) {
	s.Helper()
	if err := s.kube.Create(s.Context(), o); err != nil {
		s.Fatalf("cannot create %T: %v", o, err)
	}
}

// network creates a NetworkNamespace. One without a prefix is not ready yet.
func (s *site) network(name, prefix string) *vitistack.NetworkNamespace {
	s.Helper()
	nn := &vitistack.NetworkNamespace{ObjectMeta: s.meta(name)}
	gvk, err := s.kube.GroupVersionKindFor(nn)
	if err != nil {
		s.Fatal(err)
	}
	// Our type lacks the fields that an object must have.
	spec := map[string]any{"networkProvisioning": map[string]any{"provider": "nam"}}
	if gvk.Version == "v1alpha1" {
		spec = map[string]any{"datacenterIdentifier": "no-west-az1", "supervisorIdentifier": "test"}
	}
	if !s.allocation {
		maps.Copy(spec, map[string]any{"clusterIdentifier": "test", "provider": "test", "environment": "test"})
	}
	u := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	u.SetGroupVersionKind(gvk)
	u.SetNamespace(s.namespace)
	u.SetName(name)
	s.create(u)
	if err := s.get(nn); err != nil {
		s.Fatal(err)
	}
	if prefix != "" {
		s.prefix(nn, prefix)
	}
	return nn
}

// prefix makes a network ready. An old CRD has no phase, and drops it.
func (s *site) prefix(nn *vitistack.NetworkNamespace, prefix string) {
	s.Helper()
	s.change(nn, func() { nn.Status.IPv4Prefix, nn.Status.ProvisioningPhase = prefix, vitistack.ProvisioningPhaseReady })
}

// machine creates a NetworkConfiguration with an interface for each address.
func (s *site) machine(name string, macs []string, with ...func(*vitistack.NetworkConfiguration)) *vitistack.NetworkConfiguration {
	s.Helper()
	nc := &vitistack.NetworkConfiguration{ObjectMeta: s.meta(name)}
	nc.Spec.Name = "test"
	nc.Spec.NetworkInterfaces = interfaces(macs...)
	for _, w := range with {
		w(nc)
	}
	s.create(nc)
	return nc
}

func interfaces(macs ...string) []vitistack.NetworkConfigurationInterface {
	out := make([]vitistack.NetworkConfigurationInterface, len(macs))
	for i, mac := range macs {
		out[i].Name, out[i].MacAddress = fmt.Sprintf("eth%d", i), mac
	}
	return out
}

// change changes an object and its status, whoever else writes to it.
func (s *site) change(o client.Object, how func()) {
	s.Helper()
	if err := s.get(o); err != nil {
		s.Fatal(err)
	}
	before := o.DeepCopyObject().(client.Object)
	how()
	status := o.DeepCopyObject().(client.Object)
	if err := s.kube.Patch(s.Context(), o, client.MergeFrom(before)); err != nil {
		s.Fatalf("cannot change %s: %v", o.GetName(), err)
	}
	// The change may have been what it was held by, so that it is gone.
	if err := s.kube.Status().Patch(s.Context(), status, client.MergeFrom(before)); client.IgnoreNotFound(err) != nil {
		s.Fatalf("cannot change the status of %s: %v", o.GetName(), err)
	}
}

func (s *site) get(o client.Object) error {
	return s.kube.Get(s.Context(), client.ObjectKeyFromObject(o), o)
}

// delete deletes an object, and does not wait until it is gone.
func (s *site) delete(o client.Object) {
	s.Helper()
	if err := s.kube.Delete(s.Context(), o); err != nil {
		s.Fatalf("cannot delete %s: %v", o.GetName(), err)
	}
}

func (s *site) eventually(what string, check func() error) {
	s.Helper()
	testenv.Eventually(s, patience, what, func(context.Context) error { return check() })
}

// until waits until an object is as it should be.
func until[T client.Object](s *site, o T, what string, is func(T) bool) {
	s.Helper()
	s.eventually(what, func() error {
		if err := s.get(o); err != nil {
			return err
		}
		if !is(o) {
			return fmt.Errorf("%s is not yet so: %+v", o.GetName(), o)
		}
		return nil
	})
}

func (s *site) untilGone(o client.Object) {
	s.Helper()
	s.eventually("the end of "+o.GetName(), func() error {
		err := s.get(o)
		if kerrors.IsNotFound(err) {
			return nil
		}
		return errors.Join(errors.New("it is still there"), err)
	})
}
