// SPDX-License-Identifier: Apache-2.0

// Package testenv gives tests real servers: ISC Kea, PostgreSQL with Kea's
// schema, and a Kubernetes control plane. The programs come from hack/kea and
// hack/kubernetes, which get what the machine lacks.
//
// A test that cannot get its server fails, with the remedy in the message. It
// is not skipped: a suite that skips what it cannot test passes on a broken
// machine.
//
// Each server has a Start function for tests, which stops it when the test
// ends, and a New function for TestMain, which returns the function that stops
// it.
package testenv

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

// startLimit is how long a server may take to get ready. It is generous: on a
// machine that runs many tests at once, a slow start is no failure.
const startLimit = 90 * time.Second

// Root returns the folder of the repository's go.mod.
func Root() string {
	_, file, _, _ := runtime.Caller(0)
	for _, dir := range []string{filepath.Dir(file), "."} { // the second for binaries built with -trimpath
		if root, ok := findRoot(dir); ok {
			return root
		}
	}
	panic("cannot find the repository's go.mod above " + filepath.Dir(file))
}

func findRoot(dir string) (string, bool) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", false
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, true
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", false
		}
		dir = parent
	}
}

// Eventually waits until check returns nil, and fails the test with check's
// last error when that takes too long.
func Eventually(tb testing.TB, within time.Duration, what string, check func(context.Context) error) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	if err := until(ctx, check); err != nil {
		tb.Fatalf("%s did not happen in %s: %v", what, within, err)
	}
}

// until calls check until it returns nil or ctx ends, then it returns check's last error. One that
// is due to the end of ctx says nothing: then it is the one before. It asks less and less often:
// what many tests ask at a time costs the machine more than what they wait for.
func until(ctx context.Context, check func(context.Context) error) error {
	const first, longest = 50 * time.Millisecond, 500 * time.Millisecond
	var last error
	for wait := first; ; wait = min(wait*3/2, longest) {
		err := check(ctx)
		if err == nil || errors.Is(err, errGone) {
			return err
		}
		if last == nil || ctx.Err() == nil {
			last = err
		}
		select {
		case <-ctx.Done():
			return last
		case <-time.After(wait):
		}
	}
}

// hackBin returns the folder that `hack/<script> bin` prints. Its progress goes
// to stderr, because the first call on a machine takes minutes.
func hackBin(script string) (string, error) {
	var out bytes.Buffer
	cmd := exec.Command(hack(script), "bin")
	cmd.Stdout, cmd.Stderr = &out, os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("cannot get the programs: run hack/%s bin and see what it says: %w", script, err)
	}
	return strings.TrimSpace(out.String()), nil
}

func hack(script string) string {
	return filepath.Join(Root(), "hack", script)
}

// FreeAddress returns an address on 127.0.0.1 where nothing listens; see freePort.
func FreeAddress() (string, error) {
	port, err := freePort()
	return loopback(port), err
}

// claims are the sockets that hold the ports which freePort has returned.
var claims sync.Map

// freePort returns a port on 127.0.0.1 where nothing listens. It is picked at
// random below the range that the kernel gives to outgoing connections, so that
// they do not take it before its server does. Nor do other tests, also those of
// another process: a port is claimed by its UDP socket, which servers do not use,
// until the process ends. Two Keas on one port would each be taken for the other.
func freePort() (int, error) {
	for range 100 {
		port := 20000 + rand.IntN(12000)
		claim, err := net.ListenPacket("udp", loopback(port))
		if err != nil {
			continue
		}
		claims.Store(port, claim)
		l, err := net.Listen("tcp", loopback(port))
		if err != nil {
			continue
		}
		if err := l.Close(); err != nil {
			return 0, fmt.Errorf("cannot give back port %d: %w", port, err)
		}
		return port, nil
	}
	return 0, errors.New("cannot find a free port on 127.0.0.1")
}

func loopback(port int) string {
	return fmt.Sprintf("127.0.0.1:%d", port)
}
