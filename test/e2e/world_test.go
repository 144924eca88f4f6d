// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

const (
	// username and password are what Kea wants. The password must turn up
	// nowhere else.
	username = "provider-kea"
	password = "a-secret-that-nobody-logs"

	// subnet is what Kea serves, and poolStart and poolEnd what it leases of it
	// to anybody.
	subnet    = "10.123.0.0/24"
	poolStart = "10.123.0.100"
	poolEnd   = "10.123.0.120"
)

// A world is what the steps share: a cluster with Crossplane, a registry that it
// pulls from, a Kea that its pods reach, and a wire with DHCP clients on it.
type world struct {
	client   client.WithWatch
	registry string
	kea      *testenv.Kea
	at       *kea.Client // talks to Kea behind the provider's back
	wire     *wire
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{registry: os.Getenv("REGISTRY")}
	if os.Getenv("KUBECONFIG") == "" || w.registry == "" {
		t.Fatal("run hack/cluster up, and then make e2e without KUBECONFIG and REGISTRY; or set KUBECONFIG to a disposable cluster that has Crossplane v2.0 or newer, and REGISTRY to host:port of a registry that this machine pushes to and the cluster pulls from")
	}
	c, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	w.client = c
	w.wire = layWire(t, "kea-e2e", "10.123.0.1/24")
	address, err := w.reachable(t)
	if err != nil {
		t.Fatal(err)
	}
	w.kea = testenv.StartKea(t, testenv.KeaOptions{
		Address:    address,
		Username:   username,
		Password:   password,
		Interfaces: []string{w.wire.serverEnd},
		Subnets:    []testenv.Subnet{{ID: 1, Prefix: subnet, Pools: []string{poolStart + " - " + poolEnd}}},
		Extra:      map[string]any{"valid-lifetime": 600},
	})
	if w.at, err = kea.NewClient(kea.Config{URL: w.kea.URL, Username: username, Password: password}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.at.Close)
	return w
}

func connect() (client.WithWatch, error) {
	cfg, err := ctrl.GetConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot read KUBECONFIG: %w", err)
	}
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, vitistack.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, err
		}
	}
	c, err := client.NewWithWatch(cfg, client.Options{Scheme: scheme})
	if err != nil {
		return nil, fmt.Errorf("cannot talk to the cluster: %w", err)
	}
	return c, nil
}

// reachable is this machine's address on the way to the cluster's first node:
// pods reach the machine by it.
func (w *world) reachable(t *testing.T) (string, error) {
	nodes := &corev1.NodeList{}
	if err := w.client.List(t.Context(), nodes); err != nil {
		return "", fmt.Errorf("cannot list the cluster's nodes: %w", err)
	}
	for _, n := range nodes.Items {
		for _, a := range n.Status.Addresses {
			if a.Type != corev1.NodeInternalIP {
				continue
			}
			conn, err := net.Dial("udp", net.JoinHostPort(a.Address, "9")) // sends nothing
			if err != nil {
				return "", fmt.Errorf("cannot find the way to the node %s: %w", n.Name, err)
			}
			defer conn.Close()
			host, _, err := net.SplitHostPort(conn.LocalAddr().String())
			return host, err
		}
	}
	return "", errors.New("the cluster has no node with an internal address")
}

// kubectl runs kubectl as a user does, and returns what it printed.
func kubectl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := tryKubectl("", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// apply has kubectl apply a manifest.
func apply(t *testing.T, manifest string) {
	t.Helper()
	if _, err := tryKubectl(manifest, "apply", "-f", "-"); err != nil {
		t.Fatal(err)
	}
}

func tryKubectl(stdin string, args ...string) (string, error) {
	cmd := exec.Command("kubectl", args...)
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return string(out), fmt.Errorf("kubectl %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// file reads a file of the repository.
func file(t *testing.T, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(append([]string{testenv.Root()}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
