// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// A Kea is a real kea-dhcp4.
type Kea struct {
	URL    string // of its API
	Port   int    // of its API
	Dir    string // what it reads and writes
	Config string // its configuration file, in Dir

	options KeaOptions
	process *process
	hung    bool
}

// StartKea starts a Kea that is stopped when the test ends.
func StartKea(tb testing.TB, o KeaOptions) *Kea {
	tb.Helper()
	k, stop, err := NewKea(tb.TempDir(), o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(stop)
	return k
}

// NewKea starts a Kea that keeps its files in dir, and returns it with the
// function that stops it.
func NewKea(dir string, o KeaOptions) (*Kea, func(), error) {
	if _, err := hackBin("kea"); err != nil { // apart from the start, which has a time limit
		return nil, nil, err
	}
	k := &Kea{Port: o.Port, Dir: dir, Config: filepath.Join(dir, "kea-dhcp4.json"), options: o}
	if k.Port == 0 {
		port, err := freePort()
		if err != nil {
			return nil, nil, err
		}
		k.Port = port
	}
	k.URL = "http://" + k.hostport()
	if o.TLS != nil {
		k.URL = "https://" + k.hostport()
	}
	if err := writeKeaConfig(k.Config, o, k.Port); err != nil {
		return nil, nil, err
	}
	if err := k.start(); err != nil {
		return nil, nil, err
	}
	return k, k.Stop, nil
}

// Start starts a Kea that was stopped or killed, with the configuration file as
// it is now and on the same port.
func (k *Kea) Start(tb testing.TB) {
	tb.Helper()
	if err := k.start(); err != nil {
		tb.Fatal(err)
	}
}

// TryStart is Start, and returns its error.
func (k *Kea) TryStart() error { return k.start() }

// Ended reports whether Kea does not run, as it was stopped or killed, or has ended by itself.
func (k *Kea) Ended() bool { return k.process.ended() }

// Stop has Kea end in good order, also one that hangs.
func (k *Kea) Stop() {
	if k.hung {
		_ = k.process.cmd.Process.Signal(syscall.SIGCONT) // it may have ended already
		k.hung = false
	}
	k.process.stop()
}

// Kill ends Kea at once, as a crash would.
func (k *Kea) Kill() {
	k.process.kill()
	k.hung = false
}

// Hang stops Kea where it is: its sockets accept connections, and nothing answers.
func (k *Kea) Hang(tb testing.TB) { tb.Helper(); k.hang(tb, true) }

// Resume has a Kea that hangs go on, with all that it had in memory.
func (k *Kea) Resume(tb testing.TB) { tb.Helper(); k.hang(tb, false) }

func (k *Kea) hang(tb testing.TB, hang bool) {
	tb.Helper()
	s := syscall.SIGCONT
	if hang {
		s = syscall.SIGSTOP
	}
	if err := k.process.cmd.Process.Signal(s); err != nil {
		tb.Fatalf("cannot send Kea %s: %v", s, err)
	}
	k.hung = hang
}

// Restart kills Kea and starts it again. Hosts in memory are gone then.
func (k *Kea) Restart(tb testing.TB) {
	tb.Helper()
	k.Kill()
	k.Start(tb)
}

// PID is Kea's process, the same that its status-get tells.
func (k *Kea) PID() int { return k.process.cmd.Process.Pid }

// Log returns what Kea has written so far, over all starts.
func (k *Kea) Log() string { return readLog(k.logFile()) }

func (k *Kea) logFile() string { return filepath.Join(k.Dir, "kea.log") }

func (k *Kea) hostport() string {
	return net.JoinHostPort(k.options.address(), strconv.Itoa(k.Port))
}

func (k *Kea) start() error {
	// A killed Kea leaves its pid file. Kea would refuse to start if some other
	// process had that pid by now.
	stale, _ := filepath.Glob(filepath.Join(k.Dir, "*.pid")) // the pattern is a good one
	for _, file := range stale {
		_ = os.Remove(file) // if that fails, Kea says so
	}
	p, err := startProcess(k.logFile(), nil, hack("kea"), append([]string{"run", k.Config}, k.options.arguments()...)...)
	if err != nil {
		return err
	}
	if err := p.ready(k.answers); err != nil {
		return fmt.Errorf("cannot start Kea: %w\nIf Kea itself is at fault, run hack/kea up and see what it says", err)
	}
	k.process = p
	return nil
}

// answers asks the API for anything. With TLS a handshake is enough: the test
// has the client certificate that a request may need.
func (k *Kea) answers(ctx context.Context) error {
	if k.options.TLS != nil {
		d := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
		conn, err := d.DialContext(ctx, "tcp", k.hostport())
		if err != nil {
			return fmt.Errorf("its API does not answer: %w", err)
		}
		return conn.Close()
	}
	body := bytes.NewReader([]byte(`{"command": "version-get", "service": ["dhcp4"]}`))
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, k.URL, body)
	if err != nil {
		return fmt.Errorf("cannot make a request: %w", err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true // an idle connection would keep Kea busy when it stops
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("its API does not answer: %w", err)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	_ = resp.Body.Close()
	return err
}
