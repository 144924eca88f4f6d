// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/vitistack/provider-kea/internal/testenv"
)

// machine describes the computer, and of what the provider was built.
func machine() string {
	cpu := runtime.GOARCH
	b, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(b)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			cpu = strings.TrimSpace(value)
			break
		}
	}
	return fmt.Sprintf("provider-kea %s, %s, %d cores (%s), Go %s",
		commit(), time.Now().UTC().Format(time.DateOnly), runtime.NumCPU(), cpu, strings.TrimPrefix(runtime.Version(), "go"))
}

// commit is read once, before the first run changes the document.
var commit = sync.OnceValue(func() string {
	cmd := exec.Command("git", "describe", "--tags", "--always", "--dirty")
	cmd.Dir = testenv.Root()
	out, err := cmd.Output()
	if err != nil {
		return "of an unknown commit"
	}
	return strings.TrimSpace(string(out))
})

// loadAverage is the machine's load over one minute, "unknown" where Linux does not say.
func loadAverage() string {
	b, _ := os.ReadFile("/proc/loadavg")
	one, _, ok := strings.Cut(string(b), " ")
	if !ok {
		return "unknown"
	}
	return one
}

func (w *world) keaVersion() string {
	w.b.Helper()
	k := newKeaClient(w.kea.URL)
	defer k.http.CloseIdleConnections()
	a, err := k.ask(w.b.Context(), "version-get", nil)
	if err != nil {
		w.b.Fatal(err)
	}
	return a.Text
}

func (w *world) kubernetesVersion() string {
	w.b.Helper()
	text, err := get(w.b.Context(), w.apiHTTP, w.apiURL()+"/version")
	if err != nil {
		w.b.Fatal(err)
	}
	var v struct {
		GitVersion string `json:"gitVersion"`
	}
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		w.b.Fatal(err)
	}
	return strings.TrimPrefix(v.GitVersion, "v")
}

// otherMemory says what the API server, etcd and Kea have resident.
func (w *world) otherMemory() string {
	w.b.Helper()
	keaNow, _, _ := memory(w.kea.PID())
	var parts []string
	for _, of := range []struct{ name, url string }{
		{apiServerProgram, w.apiURL()}, {etcdProgram, w.plane.Env.ControlPlane.Etcd.URL.String()},
	} {
		c := w.plainHTTP
		if of.name == apiServerProgram {
			c = w.apiHTTP
		}
		text, err := get(w.b.Context(), c, of.url+"/metrics")
		if err != nil {
			w.b.Fatal(err)
		}
		for _, s := range samples(text, "process_resident_memory_bytes") {
			parts = append(parts, fmt.Sprintf("%s %.0f", of.name, s.value/1e6))
		}
	}
	return strings.Join(append(parts, fmt.Sprintf("%s %.0f", keaProgram, keaNow)), ", ")
}

// sleep lets time pass in which nothing is to happen: that is what is measured.
func (w *world) sleep(d time.Duration) {
	select {
	case <-w.b.Context().Done():
	case <-time.After(d):
	}
}

// profile writes CPU profiles of the provider until the returned function is called, and then a heap
// profile, into the folder of -profiles. `go tool pprof` adds up several files.
func (w *world) profile(step string) func() {
	w.b.Helper()
	if *profilesFlag == "" {
		return func() {}
	}
	p := w.provider
	stop, done := make(chan struct{}), make(chan struct{})
	save := func(name, query string) {
		text, err := get(w.b.Context(), w.plainHTTP, "http://"+p.pprof+"/debug/pprof/"+query)
		if err == nil {
			err = os.WriteFile(filepath.Join(*profilesFlag, step+"."+name), []byte(text), 0o600)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	go func() {
		defer close(done)
		for i := 0; ; i++ {
			select {
			case <-stop:
				save("heap", "heap")
				return
			default:
				save(fmt.Sprintf("cpu%02d", i), "profile?seconds=5")
			}
		}
	}()
	return func() { close(stop); <-done }
}
