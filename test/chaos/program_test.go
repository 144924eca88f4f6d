// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// program is a process that is started by a command line, and again as often as it ends by itself,
// as a kubelet does.
type program struct {
	args, env []string
	log       string
	metrics   string // its address, if it has metrics

	mu      sync.Mutex // guards what follows
	down    bool
	process *os.Process
	running sync.WaitGroup
}

// restartDelay is how long after its end a program is started again: what a kubelet does, not what a
// test waits for.
const restartDelay = 500 * time.Millisecond

func (p *program) kill() {
	p.mu.Lock()
	p.down = true
	process := p.process
	p.mu.Unlock()
	if process != nil {
		_ = process.Kill() // It may have ended by itself.
	}
	p.running.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.process = nil
}

func (p *program) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.down {
		return nil // It runs, or is started again in a moment.
	}
	p.down = false
	cmd, err := p.run()
	if err != nil {
		return err
	}
	p.running.Go(func() { p.watch(cmd) })
	return nil
}

// run starts the process. Its output is added to the log.
func (p *program) run() (*exec.Cmd, error) {
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of %s: %w", p.args[0], err)
	}
	defer func() { _ = log.Close() }()
	cmd := exec.Command(p.args[0], p.args[1:]...)
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), p.env...), log, log
	testenv.DieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", p.args[0], err)
	}
	p.process = cmd.Process
	return cmd, nil
}

// watch starts the program again when it ends, unless it is to be down.
func (p *program) watch(cmd *exec.Cmd) {
	for {
		_ = cmd.Wait()
		p.mu.Lock()
		p.process = nil
		down := p.down
		p.mu.Unlock()
		if down {
			return
		}
		time.Sleep(restartDelay)
		p.mu.Lock()
		if p.down {
			p.mu.Unlock()
			return
		}
		next, err := p.run()
		p.mu.Unlock()
		if err != nil {
			return
		}
		cmd = next
	}
}

func (p *program) freeze() { p.signal(syscall.SIGSTOP) }
func (p *program) thaw()   { p.signal(syscall.SIGCONT) }

func (p *program) signal(s syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process != nil {
		_ = p.process.Signal(s) // It may have ended by itself.
	}
}

// newReplica starts a replica of the provider that reaches the API server at an address.
func newReplica(t testing.TB, name, binary, address string, kubeconfig []byte) *program {
	t.Helper()
	config, err := clientcmd.Load(kubeconfig)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range config.Clusters {
		c.Server = "https://" + address
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "kubeconfig")
	if err := clientcmd.WriteToFile(*config, file); err != nil {
		t.Fatal(err)
	}
	metrics, err := testenv.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	p := &program{
		down:    true,
		metrics: metrics,
		args: []string{
			binary, "--debug", "--leader-election", "--allowed-kea-hosts=*,127.0.0.1", "--max-removal-percent=100",
			"--metrics-bind-address=" + metrics, "--health-probe-bind-address=0",
		},
		env: []string{"KUBECONFIG=" + file, "POD_NAMESPACE=default"},
		log: filepath.Join(t.ArtifactDir(), name+".log"),
	}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	return p
}

// broken returns what a replica has logged that it must not: a data race, or a panic.
func (p *program) broken() string {
	b, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	for _, bad := range []string{"WARNING: DATA RACE", "\npanic: ", "\nfatal error: ", "Observed a panic", "[recovered]"} {
		if _, after, found := strings.Cut(string(b), bad); found {
			return bad + after[:min(len(after), 8000)]
		}
	}
	return ""
}

// newAPIServer takes over the process of a control plane's API server.
func newAPIServer(t testing.TB, plane *testenv.ControlPlane) *program {
	t.Helper()
	api, err := url.Parse(plane.Config.Host)
	if err != nil {
		t.Fatal(err)
	}
	p := &program{log: filepath.Join(t.ArtifactDir(), "kube-apiserver.log")}
	pid, args, err := child("kube-apiserver", "--secure-port="+api.Port())
	if err != nil {
		t.Fatal(err)
	}
	p.args = args
	first, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	p.process = first
	t.Cleanup(p.kill)
	return p
}

// child finds the process of a program that this one has started, by an argument that it has, and
// returns its command line.
func child(name, argument string) (pid int, args []string, err error) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended.
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil || filepath.Base(args[0]) != name || !slices.Contains(args, argument) {
			continue
		}
		// The fields after the name in parentheses are the state and the parent.
		_, rest, _ := strings.Cut(string(stat), ") ")
		f := strings.Fields(rest)
		if len(f) > 1 && f[1] == strconv.Itoa(os.Getpid()) {
			pid, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			return pid, args, err
		}
	}
	return 0, nil, fmt.Errorf("cannot find the process of %s %s", name, argument)
}
