// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// buildProvider builds the program as it is released: without the race detector.
func buildProvider(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "provider")
	cmd := exec.Command("go", "build", "-trimpath", "-o", program, "./cmd/provider")
	cmd.Dir, cmd.Env = testenv.Root(), append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("cannot build the provider: %v\n%s", err, out)
	}
	return program
}

// provider is the provider's program, running with its default settings.
type provider struct {
	metrics, pprof string // addresses
	log            string
	cmd            *exec.Cmd
}

func (p *provider) pid() int { return p.cmd.Process.Pid }

func (w *world) startProvider() {
	w.b.Helper()
	dir := w.b.TempDir()
	file := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(file, w.plane.Kubeconfig, 0o600); err != nil {
		w.b.Fatal(err)
	}
	p := &provider{metrics: freeTCP(w.b), log: filepath.Join(dir, "provider.log")}
	log, err := os.Create(p.log)
	if err != nil {
		w.b.Fatal(err)
	}
	defer func() { _ = log.Close() }()
	health := freeTCP(w.b)
	p.cmd = exec.Command(w.program, "--metrics-bind-address="+p.metrics, "--health-probe-bind-address="+health)
	if *profilesFlag != "" {
		p.pprof = freeTCP(w.b)
		p.cmd.Args = append(p.cmd.Args, "--pprof-bind-address="+p.pprof)
	}
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+file)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	testenv.DieWithParent(p.cmd)
	if err := p.cmd.Start(); err != nil {
		w.b.Fatalf("cannot start the provider: %v", err)
	}
	w.provider = p
	if w.starts++; w.starts == 1 {
		w.b.Cleanup(w.stopProvider)
	}
	w.await("the provider to be ready", often, func(ctx context.Context) error {
		_, err := get(ctx, w.plainHTTP, "http://"+health+"/readyz")
		return err
	})
}

func (w *world) stopProvider() {
	if w.provider == nil {
		return
	}
	_ = w.provider.cmd.Process.Signal(syscall.SIGTERM)
	_ = w.provider.cmd.Wait()
	w.showLog("the provider", w.provider.log)
	w.provider = nil
}

// showLog shows the end of a program's log if the benchmark has failed.
func (w *world) showLog(program, file string) {
	w.b.Helper()
	if !w.b.Failed() {
		return
	}
	log, _ := os.ReadFile(file)
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	w.b.Logf("the log of %s ends:\n%s", program, strings.Join(lines[max(0, len(lines)-30):], "\n"))
}
