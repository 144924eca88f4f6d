// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	crds "github.com/vitistack/crds/pkg/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// world is a control plane, by way of its client, and the provider that serves it.
type world struct {
	client   client.WithWatch
	provider *provider
}

// shared is what almost all tests of the package share.
var shared struct {
	world

	plane   *testenv.ControlPlane
	program string // the provider's
	changes *changeLog
}

func TestMain(m *testing.M) {
	ctrl.SetLogger(klog.NewKlogr())
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func run(m *testing.M) (int, error) {
	crds, err := testenv.VitiStackCRDs()
	if err != nil {
		return 1, err
	}
	plane, stop, err := testenv.NewControlPlane(filepath.Join(testenv.Root(), "package", "crds"), crds)
	if err != nil {
		return 1, err
	}
	defer stop()
	if shared.client, err = newClient(plane); err != nil {
		return 1, err
	}
	shared.plane = plane
	dir, err := os.MkdirTemp("", "provider-kea")
	if err != nil {
		return 1, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if shared.program, err = build(dir); err != nil {
		return 1, err
	}
	if shared.changes, err = listenForChanges(filepath.Join(dir, "changelogs.sock")); err != nil {
		return 1, err
	}
	defer shared.changes.server.Stop()
	if shared.provider, err = startProvider(dir, plane.Kubeconfig, providerFlags(dir), nil); err != nil {
		return 1, err
	}
	defer shared.provider.stop()
	defer stopPostgres()
	// Tests wait far more than they compute.
	if err := flag.Set("test.parallel", "16"); err != nil {
		return 1, err
	}
	code := m.Run()
	if races := strings.Count(shared.provider.log(), "WARNING: DATA RACE"); races > 0 {
		return 1, fmt.Errorf("the provider has %d data races:\n%s", races, shared.provider.log())
	}
	if code != 0 {
		fmt.Fprintf(os.Stderr, "the provider's log ends:\n%s\n", tail(shared.provider.log(), 60))
	}
	return code, nil
}

func newClient(plane *testenv.ControlPlane) (client.WithWatch, error) {
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, rbacv1.AddToScheme, extv1.AddToScheme, v1alpha1.AddToScheme, vitistack.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	// Our type has only what the provider reads; these are what a user writes.
	s.AddKnownTypes(crds.GroupVersion, &crds.NetworkNamespace{}, &crds.NetworkNamespaceList{})
	cfg := rest.CopyConfig(plane.Config)
	cfg.QPS = -1 // Tests that wait ask often, and are not to wait for each other.
	return client.NewWithWatch(cfg, client.Options{Scheme: s})
}

// build builds the provider, with the race detector where the tests have it.
func build(dir string) (string, error) {
	program := filepath.Join(dir, "provider")
	args := append([]string{"build", "-o", program}, raceFlags...)
	cmd := exec.Command("go", append(args, "./cmd/provider")...)
	cmd.Dir = testenv.Root()
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("cannot build the provider: %w\n%s", err, out)
	}
	return program, nil
}

// provider is the provider's program, running.
type provider struct {
	metrics    string
	logFile    string
	cmd        *exec.Cmd
	counts     commandCounts
	reconciled reconcileLog
}

// providerFlags are those that the shared provider has, beside what every one has.
func providerFlags(dir string) []string {
	return []string{
		"--debug",                         // Tests read in the log what is reconciled.
		"--max-concurrent-reconciles=64",  // Tests whose Kea hangs must not make the others wait.
		"--allowed-kea-hosts=*,127.0.0.1", // Servers of tests are on this machine.
		"--enable-changelogs", "--changelogs-socket-path=" + filepath.Join(dir, "changelogs.sock"),
	}
}

// startProvider starts the provider's program and waits until it is ready. The
// folder is its own.
func startProvider(dir string, kubeconfig []byte, flags, env []string) (*provider, error) {
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return nil, err
	}
	metrics, err := testenv.FreeAddress()
	if err != nil {
		return nil, err
	}
	health, err := testenv.FreeAddress()
	if err != nil {
		return nil, err
	}
	p := &provider{logFile: filepath.Join(dir, "provider.log"), metrics: metrics}
	log, err := os.Create(p.logFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }()
	// A poll that never comes shows that changes come as events.
	p.cmd = exec.Command(shared.program, "--poll=24h", "--metrics-bind-address="+p.metrics, "--health-probe-bind-address="+health)
	p.cmd.Args = append(p.cmd.Args, flags...)
	p.cmd.Env = slices.Concat(os.Environ(), []string{"KUBECONFIG=" + file}, env)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.cmd.SysProcAttr = mortal()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the provider: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for ctx.Err() == nil {
		if _, err := get(ctx, "http://"+health+"/readyz"); err == nil {
			return p, nil
		}
		pause(ctx, 50*time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("the provider did not get ready:\n%s", tail(p.log(), 30))
}

func (p *provider) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	_ = p.cmd.Wait()
}

func (p *provider) log() string {
	b, _ := os.ReadFile(p.logFile)
	return string(b)
}

// get reads a URL; another status than 200 is an error.
func get(ctx context.Context, url string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	req.Header.Set("Accept-Encoding", "identity") // The provider is on this machine.
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = errors.New(resp.Status)
	}
	return string(b), err
}

func pause(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimSpace(s), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
