// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// filter is an HTTP proxy in front of a Kea, as sites have one that gives an account reads alone.
// It answers 403 to the commands that it refuses and records all that reach it.
type filter struct {
	refuses func(command string) bool

	mu  sync.Mutex
	got []string // command names, in order; a refused one has an exclamation mark
}

// changesKea reports whether a command may change what Kea has or how it runs.
func changesKea(command string) bool {
	reads := []string{"list-commands", "build-report", "leases-reclaim-status"}
	for _, suffix := range []string{"-get", "-get-page", "-get-all", "-list", "-get-by-hw-address", "-get-by-address", "-get-by-id", "-hash-get"} {
		if strings.HasSuffix(command, suffix) {
			return false
		}
	}
	return !slices.Contains(reads, command)
}

// front has a provider configuration lead to the filter instead of to Kea.
func (f *filter) front(t *testing.T) func(*v1alpha1.ClusterProviderConfig) {
	t.Helper()
	return func(c *v1alpha1.ClusterProviderConfig) {
		kea := c.Spec.Servers[0].URL
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(w, r, kea) }))
		t.Cleanup(server.Close)
		c.Spec.Servers[0].URL = server.URL
	}
}

func (f *filter) serve(w http.ResponseWriter, r *http.Request, kea string) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	var c struct {
		Command string `json:"command"`
	}
	_ = json.Unmarshal(body, &c) // what is no command is refused as such
	refused := f.refuses(c.Command)
	f.record(c.Command, refused)
	w.Header().Set("Content-Type", "application/json")
	if refused {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, `{ "result": 403, "text": "Forbidden" }`)
		return
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodPost, kea, strings.NewReader(string(body)))
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.WriteHeader(http.StatusBadGateway)
		return
	}
	defer func() { _ = resp.Body.Close() }()
	w.WriteHeader(resp.StatusCode)
	_, _ = io.Copy(w, resp.Body)
}

func (f *filter) record(command string, refused bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if refused {
		command += "!"
	}
	f.got = append(f.got, command)
}

// refused counts the commands that were refused, and names them.
func (f *filter) refused() (n int, names []string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.got {
		if name, ok := strings.CutSuffix(c, "!"); ok {
			n++
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return n, names
}
