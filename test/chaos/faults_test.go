// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// errFrozen says that something cannot be frozen.
var errFrozen = errors.New("it cannot be frozen")

func (s *server) kill() error {
	s.Kill()
	s.down = true
	return nil
}

func (s *server) start() error {
	if s.down {
		s.Start(s.t)
		s.down = false
	}
	return nil
}

func (s *server) freeze() error { s.Hang(s.t); return nil }
func (s *server) thaw() error   { s.Resume(s.t); return nil }

// database is the PostgreSQL. It has a process for each client: to freeze the first one means little.
type database struct {
	*testenv.Postgres

	t    testing.TB
	down bool
}

func (d *database) kill() error {
	d.Stop()
	d.down = true
	return nil
}

func (d *database) start() error {
	if d.down {
		d.Start(d.t)
		d.down = false
	}
	return nil
}

func (*database) freeze() error { return errFrozen }
func (*database) thaw() error   { return nil }

// program is a process that is started by a command line, and again as often as it ends by itself, as
// a kubelet does.
type program struct {
	args, env []string
	log       string

	mu      sync.Mutex // guards what follows
	down    bool
	process *os.Process
	running sync.WaitGroup
}

// restartDelay is how long after its end a program is started again.
const restartDelay = 500 * time.Millisecond

func (p *program) kill() error {
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
	return nil
}

func (p *program) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.down = false
	if p.process != nil {
		return nil
	}
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
		return nil, err
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

func (p *program) freeze() error { return p.signal(syscall.SIGSTOP) }
func (p *program) thaw() error   { return p.signal(syscall.SIGCONT) }

func (p *program) signal(s syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.process == nil {
		return nil
	}
	if err := p.process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
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
	p := &program{
		args: []string{
			binary, "--debug", "--leader-election", "--allowed-kea-hosts=*,127.0.0.1", "--max-removal-percent=100",
			"--metrics-bind-address=0", "--health-probe-bind-address=0",
		},
		env: []string{"KUBECONFIG=" + file, "POD_NAMESPACE=default"},
		log: filepath.Join(t.ArtifactDir(), name+".log"),
	}
	if err := p.start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.kill()
		p.report(t)
	})
	return p
}

// report fails the test for data races and panics.
func (p *program) report(t testing.TB) {
	t.Helper()
	b, err := os.ReadFile(p.log)
	if err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"WARNING: DATA RACE", "\npanic: "} {
		if _, after, found := strings.Cut(string(b), bad); found {
			t.Errorf("%s%s", bad, after[:min(len(after), 8000)])
		}
	}
}

// newAPIServer takes over the process of the API server, the only one that this test has started.
func newAPIServer(t testing.TB) *program {
	t.Helper()
	p := &program{log: filepath.Join(t.ArtifactDir(), "kube-apiserver.log")}
	pid, args, err := child("kube-apiserver")
	if err != nil {
		t.Fatal(err)
	}
	p.args = args
	first, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	p.process = first
	t.Cleanup(func() { _ = p.kill() })
	return p
}

// child finds the process of a program that this one has started, with its command line.
func child(name string) (pid int, args []string, err error) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err != nil {
			continue // It has ended.
		}
		args := strings.Split(strings.TrimRight(string(line), "\x00"), "\x00")
		stat, err := os.ReadFile(filepath.Join(filepath.Dir(file), "stat"))
		if err != nil || filepath.Base(args[0]) != name {
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
	return 0, nil, fmt.Errorf("there is no process %s", name)
}
