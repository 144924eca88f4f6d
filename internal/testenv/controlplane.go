// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
)

// A ControlPlane is a real Kubernetes API server with etcd, and the controllers
// that collect garbage and empty deleted namespaces. It has no nodes.
type ControlPlane struct {
	Config     *rest.Config // of an administrator
	Kubeconfig []byte       // the same, for programs
	Env        *envtest.Environment
}

// StartControlPlane starts a control plane that is stopped when the test ends,
// with the CRDs in the given files and folders.
func StartControlPlane(tb testing.TB, crdPaths ...string) *ControlPlane {
	tb.Helper()
	c, stop, err := NewControlPlane(crdPaths...)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return c
}

// NewControlPlane starts a control plane and returns it with the function that
// stops it.
func NewControlPlane(crdPaths ...string) (*ControlPlane, func(), error) {
	return NewControlPlaneIn("", crdPaths...)
}

// NewControlPlaneIn starts a control plane whose etcd keeps its data in a folder,
// where another one may have left it before; in one of its own if that is empty.
func NewControlPlaneIn(data string, crdPaths ...string) (*ControlPlane, func(), error) {
	bin, err := hackBin("kubernetes")
	if err != nil {
		return nil, nil, err
	}
	dir, err := os.MkdirTemp("", "controlplane")
	if err != nil {
		return nil, nil, fmt.Errorf("cannot make a folder for the control plane: %w", err)
	}
	removeDir := func() { _ = os.RemoveAll(dir) }
	env, err := startAPIServer(bin, dir, data, crdPaths)
	if err != nil {
		removeDir()
		return nil, nil, err
	}
	stopAPIServer := func() {
		_ = env.Stop()
		removeDir()
	}
	c, manager, err := startControllers(env, bin, dir)
	if err != nil {
		stopAPIServer()
		return nil, nil, err
	}
	return c, func() {
		manager.stop()
		stopAPIServer()
	}, nil
}

func startAPIServer(bin, dir, data string, crdPaths []string) (*envtest.Environment, error) {
	assets, err := mortalAssets(bin, dir)
	if err != nil {
		return nil, err
	}
	env := &envtest.Environment{
		BinaryAssetsDirectory:    assets,
		CRDDirectoryPaths:        crdPaths,
		ErrorIfCRDPathMissing:    true,
		ControlPlaneStartTimeout: startLimit,
		ControlPlaneStopTimeout:  stopLimit,
	}
	env.ControlPlane.Etcd = &envtest.Etcd{DataDir: data}
	if _, err := env.Start(); err != nil {
		// Start leaves what it had started before it failed.
		return nil, fmt.Errorf("cannot start a Kubernetes API server: run hack/kubernetes up and see what it says: %w", errors.Join(err, env.Stop()))
	}
	return env, nil
}

func administrator(env *envtest.Environment) (*ControlPlane, error) {
	user, err := env.AddUser(envtest.User{Name: "administrator", Groups: []string{"system:masters"}}, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot make an administrator: %w", err)
	}
	kubeconfig, err := user.KubeConfig()
	if err != nil {
		return nil, fmt.Errorf("cannot make a kubeconfig: %w", err)
	}
	return &ControlPlane{Config: user.Config(), Kubeconfig: kubeconfig, Env: env}, nil
}

func startControllers(env *envtest.Environment, bin, dir string) (*ControlPlane, *process, error) {
	c, err := administrator(env)
	if err != nil {
		return nil, nil, err
	}
	p, err := startManager(bin, dir, c.Kubeconfig)
	if err != nil {
		return nil, nil, err
	}
	return c, p, nil
}

// startManager runs the two controllers whose work tests can see. They need not
// save requests: nothing else uses this API server.
func startManager(bin, dir string, kubeconfig []byte) (*process, error) {
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, kubeconfig, 0o600); err != nil {
		return nil, fmt.Errorf("cannot write a kubeconfig: %w", err)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p, err := startProcess(filepath.Join(dir, "kube-controller-manager.log"), nil,
		filepath.Join(bin, "kube-controller-manager"),
		"--kubeconfig", file,
		"--controllers", "garbage-collector-controller,namespace-controller",
		"--leader-elect=false",
		"--bind-address", "127.0.0.1",
		"--secure-port", strconv.Itoa(port),
		"--cert-dir", dir,
		"--kube-api-qps", "1000", "--kube-api-burst", "1000")
	if err != nil {
		return nil, err
	}
	if err := p.ready(func(ctx context.Context) error { return healthy(ctx, port) }); err != nil {
		return nil, fmt.Errorf("cannot start kube-controller-manager: %w", err)
	}
	return p, nil
}

func healthy(ctx context.Context, port int) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+loopback(port)+"/healthz", nil)
	if err != nil {
		return fmt.Errorf("cannot make a request: %w", err)
	}
	resp, err := client.Do(req)
	if err != nil {
		return fmt.Errorf("its health cannot be asked: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("its health is %s", resp.Status)
	}
	return nil
}
