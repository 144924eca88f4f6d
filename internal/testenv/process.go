// SPDX-License-Identifier: Apache-2.0

package testenv

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// stopLimit is how long a process may take to end by itself.
const stopLimit = 20 * time.Second

// errGone says that a process ended before it was ready.
var errGone = errors.New("it has ended")

// A process is a running program whose output goes to a file.
type process struct {
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed once it has ended
}

// startProcess starts a program that ends with this one, even when this one is
// killed. Output is appended, so that a log tells of all starts.
func startProcess(log string, env []string, name string, args ...string) (*process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the log of %s: %w", name, err)
	}
	defer func() { _ = out.Close() }() // the process has its own

	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stdout, cmd.Stderr = out, out
	DieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("cannot start %s: %w", name, err)
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait() // how it ended is in cmd.ProcessState
		close(p.done)
	}()
	return p, nil
}

// ready waits until check succeeds. When the process ends before that, or time
// is up, the process is killed and the error carries the end of its log.
func (p *process) ready(check func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), startLimit)
	defer cancel()
	err := until(ctx, func(ctx context.Context) error {
		if p.ended() {
			return fmt.Errorf("%w with %s", errGone, p.cmd.ProcessState)
		}
		return check(ctx)
	})
	if err != nil {
		p.kill()
		return fmt.Errorf("%w; the end of its log:\n%s", err, tail(readLog(p.log), 30))
	}
	return nil
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// signal sends s and waits for the end of the process.
func (p *process) signal(s os.Signal, within time.Duration) {
	if p == nil {
		return
	}
	_ = p.cmd.Process.Signal(s) // it may have ended already
	select {
	case <-p.done:
	case <-time.After(within):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

func (p *process) stop()      { p.signal(syscall.SIGTERM, stopLimit) }
func (p *process) interrupt() { p.signal(os.Interrupt, stopLimit) }
func (p *process) kill()      { p.signal(os.Kill, stopLimit) }

func readLog(file string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func tail(s string, lines int) string {
	all := strings.Split(strings.TrimRight(s, "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
