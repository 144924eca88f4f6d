// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	crds "github.com/vitistack/crds/pkg/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

const (
	namespace  = "machines"
	configName = "default"
	// prefix is the subnet of the machines. It has room for 130,000, and no pool: leases are put
	// into Kea rather than asked for.
	prefix = "10.128.0.0/15"
	// probed is the subnet that perfdhcp gets its offers from.
	probed = "10.250.0.0/16"
)

// workers is how many of each kind the provider reconciles at the same time by default.
const workers = 16

// world is what is measured: a control plane, a Kea, and the provider when it runs.
type world struct {
	b                  *testing.B
	plane              *testenv.ControlPlane
	client             client.Client
	apiHTTP, plainHTTP *http.Client
	kea                *testenv.Kea
	keaPort, relayPort int // of DHCP
	program            string
	provider           *provider
	starts             int
	machines           *tracker
	made               int // machines so far
}

// newWorld starts everything but the provider. Kea finds leases of the first n machines.
func newWorld(b *testing.B, n int) *world {
	b.Helper()
	vitistackCRDs, err := testenv.VitiStackCRDs()
	if err != nil {
		b.Fatal(err)
	}
	w := &world{b: b, plainHTTP: &http.Client{Transport: &http.Transport{DisableCompression: true}}}
	w.program = buildProvider(b)
	w.plane = testenv.StartControlPlane(b, filepath.Join(testenv.Root(), "package", "crds"), vitistackCRDs)
	w.client = newClient(b, w.plane.Config)
	uncompressed := rest.CopyConfig(w.plane.Config)
	uncompressed.DisableCompression = true // Compression would cost it more than the rest.
	if w.apiHTTP, err = rest.HTTPClientFor(uncompressed); err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	writeLeases(b, dir, 0, n)
	w.keaPort, w.relayPort = freeUDP(b), freeUDP(b)
	kea, stop, err := testenv.NewKea(dir, w.keaOptions())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(stop)
	w.kea = kea
	w.network()
	w.machines = track(b, w.plane.Config)
	return w
}

func (w *world) keaOptions() testenv.KeaOptions {
	return testenv.KeaOptions{
		Subnets: []testenv.Subnet{
			{ID: 1, Prefix: prefix},
			{ID: 2, Prefix: probed, Pools: []string{"10.250.1.0 - 10.250.250.0"}, Extra: map[string]any{
				"relay": map[string]any{"ip-addresses": []string{"127.0.0.1"}},
			}},
		},
		PersistLeases: true,
		DHCPPort:      w.keaPort,
		RelayPort:     w.relayPort,
		Extra: map[string]any{"interfaces-config": map[string]any{
			"interfaces": []string{"lo/127.0.0.1"}, "dhcp-socket-type": "udp",
		}},
	}
}

// network makes what machines need beside themselves, with the defaults that users get.
func (w *world) network() {
	w.b.Helper()
	w.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	w.create(&v1alpha1.ClusterProviderConfig{
		ObjectMeta: metav1.ObjectMeta{Name: configName},
		Spec: v1alpha1.ClusterProviderConfigSpec{ProviderConfigSpec: v1alpha1.ProviderConfigSpec{
			Servers: []v1alpha1.Server{{Name: "kea1", URL: w.kea.URL}},
		}},
	})
	nn := &crds.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "net"}}
	nn.Spec.DatacenterIdentifier, nn.Spec.SupervisorIdentifier = "dc1", "sv1"
	nn.Spec.ClusterIdentifier, nn.Spec.Environment, nn.Spec.Provider = "cluster1", "test", "example"
	w.create(nn)
	nn.Status.IPv4Prefix, nn.Status.Created = prefix, metav1.Now()
	if err := w.client.Status().Update(w.b.Context(), nn); err != nil {
		w.b.Fatal(err)
	}
}

func (w *world) create(o client.Object) {
	w.b.Helper()
	if err := w.client.Create(w.b.Context(), o); err != nil {
		w.b.Fatalf("cannot create %T %s: %v", o, o.GetName(), err)
	}
}

func newScheme(b *testing.B) *runtime.Scheme {
	b.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, v1alpha1.AddToScheme, vitistack.AddToScheme} {
		if err := add(s); err != nil {
			b.Fatal(err)
		}
	}
	s.AddKnownTypes(crds.GroupVersion, &crds.NetworkNamespace{})
	return s
}

func newClient(b *testing.B, cfg *rest.Config) client.Client {
	b.Helper()
	cfg = rest.CopyConfig(cfg)
	cfg.QPS = -1
	cfg.WarningHandler = rest.NoWarnings{} // They are about names that Crossplane has chosen.
	c, err := client.New(cfg, client.Options{Scheme: newScheme(b)})
	if err != nil {
		b.Fatal(err)
	}
	return c
}

// How often await checks: seldom where a check costs the API server something.
const (
	often     = 50 * time.Millisecond
	sometimes = 250 * time.Millisecond // For what costs the provider some milliseconds to say.
	seldom    = time.Second
)

// await waits until check returns nil.
func (w *world) await(what string, every time.Duration, check func(context.Context) error) {
	w.b.Helper()
	ctx, cancel := context.WithTimeout(w.b.Context(), patience)
	defer cancel()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			w.b.Fatalf("%s did not happen in %s: %v", what, patience, err)
		case <-tick.C:
		}
	}
}

// errBusy is returned while something is still done.
var errBusy = errors.New("there is still work")

// quiet waits until the provider has nothing left to do, and for three seconds has written nothing.
// It returns what was spent until the last write.
func (w *world) quiet() cost {
	w.b.Helper()
	last := w.cost()
	w.await("the provider to be quiet", seldom, func(ctx context.Context) error {
		now, err := w.readCost(ctx)
		if err != nil {
			return err
		}
		if now.queued > 0 || total(now.writes) != total(last.writes) || now.reconciles != last.reconciles {
			last = now
			return errBusy
		}
		if now.at.Sub(last.at) < 3*time.Second {
			return errBusy
		}
		return nil
	})
	return last
}

// spentSince waits until the provider is quiet, and returns what was spent until then.
func (w *world) spentSince(before cost) cost {
	w.b.Helper()
	now := w.quiet()
	return now.since(before)
}

func freeTCP(b *testing.B) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

func freeUDP(b *testing.B) int {
	b.Helper()
	c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	addr, _ := c.LocalAddr().(*net.UDPAddr)
	return addr.Port
}

// about describes what is measured, and on what.
func (w *world) about() string {
	w.b.Helper()
	return fmt.Sprintf("%s; Kea %s, Kubernetes %s; load average before it began: %s",
		machine(), w.keaVersion(), w.kubernetesVersion(), loadAverage())
}

// apiURL is the API server's, without a slash at the end.
func (w *world) apiURL() string { return strings.TrimSuffix(w.plane.Config.Host, "/") }
