// SPDX-License-Identifier: Apache-2.0

package functions

import (
	"bytes"
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// startLimit is how long a function may take to listen.
const startLimit = 30 * time.Second

// run gives what a program prints. The test fails, and tells what it said, where
// the program does.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("cannot run %s %s: %v\n%s%s", name, strings.Join(args, " "), err, &stdout, &stderr)
	}
	return stdout.String()
}

// crossplane gives the folder of Crossplane's programs.
func crossplane(t *testing.T) string {
	t.Helper()
	return strings.TrimSpace(run(t, "../../hack/crossplane", "bin"))
}

// moduleDir gives the folder of a module that the module in dir requires, after
// downloading it where it is not in the cache yet.
func moduleDir(t *testing.T, dir, module string) string {
	t.Helper()
	var m struct{ Dir string }
	out := run(t, "go", "-C", dir, "mod", "download", "-json", module)
	if err := json.Unmarshal([]byte(out), &m); err != nil {
		t.Fatalf("cannot read what go says about %s: %v", module, err)
	}
	return m.Dir
}

// startFunctions builds and starts the functions that the example names, until the
// test ends. It gives a copy of the example's manifests that says where they listen.
func startFunctions(t *testing.T) string {
	t.Helper()
	in, err := os.ReadFile(filepath.Join(composition, "functions.yaml"))
	if err != nil {
		t.Fatalf("cannot read the example's functions: %v", err)
	}
	// Not t.TempDir: its paths are too long for sockets on some systems.
	dir, err := os.MkdirTemp("", "fn")
	if err != nil {
		t.Fatalf("cannot make a folder: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })

	var out bytes.Buffer
	for doc := range strings.SplitSeq(string(in), "\n---\n") {
		f := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(doc), &f.Object); err != nil {
			t.Fatalf("cannot read the example's functions: %v", err)
		}
		socket := filepath.Join(dir, f.GetName()+".sock")
		startFunction(t, f.GetName(), socket)
		f.SetAnnotations(map[string]string{
			"render.crossplane.io/runtime":                    "Development",
			"render.crossplane.io/runtime-development-target": "unix://" + socket,
		})
		y, err := yaml.Marshal(f.Object)
		if err != nil {
			t.Fatalf("cannot write a function: %v", err)
		}
		out.WriteString("---\n")
		out.Write(y)
	}
	path := filepath.Join(dir, "functions.yaml")
	if err := os.WriteFile(path, out.Bytes(), 0o600); err != nil {
		t.Fatalf("cannot write the functions: %v", err)
	}
	return path
}

// startFunction returns when the function listens on the socket. A socket has no
// number that another program may take in the meantime.
func startFunction(t *testing.T, name, socket string) {
	t.Helper()
	program := strings.TrimSuffix(socket, ".sock")
	run(t, "./build", name, program)

	var log bytes.Buffer // Read only after the function has ended.
	cmd := exec.Command(program, "--insecure", "--network", "unix", "--address", socket)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("cannot start %s: %v", name, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		if err := cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("cannot stop %s: %v", name, err)
		}
		<-ended
	})

	limit := time.After(startLimit)
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if c, err := net.Dial("unix", socket); err == nil {
			_ = c.Close()
			return
		}
		select {
		case <-ended:
			t.Fatalf("cannot start %s, which ended with %s:\n%s", name, cmd.ProcessState, &log)
		case <-limit:
			t.Fatalf("cannot start %s: it does not listen after %s", name, startLimit)
		case <-again.C:
		}
	}
}
