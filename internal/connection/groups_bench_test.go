// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/mirror"
)

var (
	benchGroups = flag.Int("groups", 20, "provider configurations that BenchmarkGroups opens")
	benchHosts  = flag.Int("hosts", 50_000, "host reservations, and leases, that each of them has")
	benchRest   = flag.Duration("rest", 5*time.Minute, "how long they are watched at rest")
)

// benchInterval is the snapshot interval that provider configurations have by default.
const benchInterval = 30 * time.Second

// fleetPages are the pages of hosts and leases that Kea answers with, encoded once: all servers of the
// benchmark send the same bytes, so that what they hold is not counted as the groups'.
type fleetPages struct{ hosts, leases [][]byte }

const benchPage = 1000

func newFleetPages(n int) *fleetPages {
	out := &fleetPages{}
	cltt := time.Now().Unix()
	for first := 0; first < n; first += benchPage {
		var hosts, leases []string
		for i := first; i < min(n, first+benchPage); i++ {
			hw, ip := fmt.Sprintf("00:02:12:%02x:%02x:%02x", i>>16, i>>8&0xff, i&0xff), benchAddress(i)
			hosts = append(hosts, fmt.Sprintf(`{ "boot-file-name": "", "client-classes": [  ], "hostname": "", "hw-address": "%s", "ip-address": "%s", "next-server": "0.0.0.0", `+
				`"option-data": [  ], "server-hostname": "", "subnet-id": 1, "user-context": { "crossplane": { "cluster": "c1", "resource": "tenant-a/vm%06d-%s" } } }`,
				hw, ip, i, strings.ReplaceAll(hw, ":", "")))
			leases = append(leases, fmt.Sprintf(`{ "cltt": %d, "fqdn-fwd": false, "fqdn-rev": false, "hostname": "", "hw-address": "%s", "ip-address": "%s", "state": 0, "subnet-id": 1, "valid-lft": 86400 }`, cltt, hw, ip))
		}
		out.hosts = append(out.hosts, fmt.Appendf(nil, `[ { "arguments": { "count": %d, "hosts": [ %s ], "next": { "from": %d, "source-index": 0 } }, "result": 0, "text": "%d IPv4 host(s) found." } ]`,
			len(hosts), strings.Join(hosts, ", "), first+len(hosts), len(hosts)))
		out.leases = append(out.leases, fmt.Appendf(nil, `[ { "arguments": { "count": %d, "leases": [ %s ] }, "result": 0, "text": "%d IPv4 lease(s) found." } ]`,
			len(leases), strings.Join(leases, ", "), len(leases)))
	}
	return out
}

func benchAddress(i int) string { return fmt.Sprintf("10.%d.%d.%d", i>>16, i>>8&0xff, i&0xff) }

// pagingServer answers pages from what is encoded, and the rest as keatest does.
type pagingServer struct {
	kea   *keatest.Server
	pages *fleetPages

	mu   sync.Mutex // guards sent
	sent map[string]int
}

// RoundTrip implements http.RoundTripper.
func (s *pagingServer) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var c struct {
		Command   string
		Arguments struct{ From any }
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.sent[c.Command]++
	s.mu.Unlock()
	var all [][]byte
	next := 0
	switch c.Command {
	case "reservation-get-page":
		all = s.pages.hosts
		if from, ok := c.Arguments.From.(float64); ok {
			next = (int(from) + benchPage - 1) / benchPage
		}
	case "lease4-get-page":
		all = s.pages.leases
		var b, c1, d int
		if n, _ := fmt.Sscanf(fmt.Sprint(c.Arguments.From), "10.%d.%d.%d", &b, &c1, &d); n == 3 {
			next = (b<<16 + c1<<8 + d + benchPage) / benchPage
		}
	default:
		r.Body = io.NopCloser(bytes.NewReader(body))
		return s.kea.RoundTrip(r)
	}
	answer := []byte(`[ { "arguments": { "count": 0, "hosts": [  ], "leases": [  ] }, "result": 3, "text": "0 found." } ]`)
	if next < len(all) {
		answer = all[next]
	}
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader(answer)),
	}, nil
}

// usage is what the process has used so far, and what it holds.
type usage struct {
	at   time.Time
	cpu  time.Duration
	heap uint64
}

func usageNow() usage {
	debug.FreeOSMemory() // It collects, too, and the kernel has back what is free.
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{at: time.Now(), cpu: cpuTime(), heap: m.HeapAlloc}
}

func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident returns a line of Linux's /proc/self/status in MB, as VmRSS; 0 elsewhere.
func resident(line string) float64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for l := range strings.Lines(string(status)) {
		var kb float64
		if rest, ok := strings.CutPrefix(l, line+":"); ok {
			_, _ = fmt.Sscan(rest, &kb)
			return kb / 1000
		}
	}
	return 0
}

// BenchmarkGroups opens many provider configurations in one process, reads all that their servers have,
// and measures what that costs, and what they cost at rest. It does so once: make bench-groups.
func BenchmarkGroups(b *testing.B) {
	pages := newFleetPages(*benchHosts)
	servers := make([]*pagingServer, *benchGroups)
	for i := range servers {
		servers[i] = &pagingServer{kea: keatest.NewOffline(b, keatest.Options{Subnets: []kea.SubnetDetail{keatest.Subnet(1, "10.0.0.0/8")}}), pages: pages, sent: map[string]int{}}
	}
	for b.Loop() {
		measureGroups(b, servers)
	}
}

func measureGroups(b *testing.B, servers []*pagingServer) {
	b.Helper()
	before, rss := usageNow(), resident("VmRSS")
	g := NewGroups()
	read := make(chan struct{}, 1)
	g.Listen(func(_ Ref, c mirror.Changes) {
		if c.Servers {
			select {
			case read <- struct{}{}:
			default:
			}
		}
	})
	ctx, stop := context.WithCancel(b.Context())
	defer g.Wait()
	defer stop()
	var refs []Ref
	for i, s := range servers {
		name := fmt.Sprintf("kea%02d", i)
		ref := Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: name}
		cfg := group.Config{Interval: benchInterval, Cluster: "c1", Storage: group.StorageAuto, Servers: []group.ServerConfig{{Name: name, Kea: kea.Config{URL: "http://" + name + ":8000", Transport: s}}}}
		if _, _, err := g.Open(ctx, ref, cfg, name); err != nil {
			b.Fatal(err)
		}
		refs = append(refs, ref)
	}
	for slices.ContainsFunc(refs, func(ref Ref) bool { return !isRead(b, g, ref) }) {
		<-read
	}
	took, cpu := time.Since(before.at), cpuTime()-before.cpu
	after := usageNow()
	reservations := len(servers) * *benchHosts
	report := func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
	report("%d groups of %d host reservations and as many leases: %d reservations, %d cores, Go %s", len(servers), *benchHosts, reservations, runtime.NumCPU(), strings.TrimPrefix(runtime.Version(), "go"))
	report("all read after %.1f s, %.1f s of CPU: %.2f s for each group", took.Seconds(), cpu.Seconds(), cpu.Seconds()/float64(len(servers)))
	report("heap of the groups %.0f MB: %.0f bytes for each reservation", mb(after.heap-before.heap), float64(after.heap-before.heap)/float64(reservations))
	report("resident: %.0f MB before (%.0f MB of it the pages that the servers send), %.0f MB after, at most %.0f MB", rss, pages(servers), resident("VmRSS"), resident("VmHWM"))

	sent := sentBy(servers)
	time.Sleep(*benchRest) // What is at rest is measured over time.
	rested := cpuTime() - after.cpu
	commands := sentBy(servers)
	for name, n := range sent {
		commands[name] -= n
	}
	hours := time.Since(after.at).Hours()
	// Some have been read in part; a listing ends with an empty page.
	snapshots := float64(commands["reservation-get-page"]+commands["lease4-get-page"]) / float64(len(servers[0].pages.hosts)+len(servers[0].pages.leases)+2)
	report("at rest for %s: %.2f %% of one core, %.3f s of CPU for each of %.1f snapshots", benchRest, 100*rested.Seconds()/time.Since(after.at).Seconds(), rested.Seconds()/snapshots, snapshots)
	total := 0
	for _, name := range slices.Sorted(maps.Keys(commands)) {
		if n := commands[name]; n > 0 {
			total += n
			report("  %-22s %8.0f commands an hour, %7.0f for each group", name, float64(n)/hours, float64(n)/hours/float64(len(servers)))
		}
	}
	report("  all %.0f commands an hour: %.3f for each reservation", float64(total)/hours, float64(total)/hours/float64(reservations))
	end := usageNow()
	report("at the end, while some are read: heap of the groups %.0f MB, resident %.0f MB, at most %.0f MB", mb(end.heap-before.heap), resident("VmRSS"), resident("VmHWM"))
}

// isRead reports whether all servers of a group have been read, with all that they have.
func isRead(b *testing.B, g *Groups, ref Ref) bool {
	b.Helper()
	running, ok := g.Running(ref)
	return ok && !slices.ContainsFunc(running.Servers(), func(f group.ServerFacts) bool {
		if f.Err != nil {
			b.Fatal(f.Err)
		}
		return f.LastRead.IsZero() || f.Reservations != *benchHosts
	})
}

// sentBy adds up what was sent to servers.
func sentBy(servers []*pagingServer) map[string]int {
	out := map[string]int{}
	for _, s := range servers {
		s.mu.Lock()
		for name, n := range s.sent {
			out[name] += n
		}
		s.mu.Unlock()
	}
	return out
}

// pages returns how large the pages are that servers share, in MB.
func pages(servers []*pagingServer) float64 {
	n := 0
	for _, page := range slices.Concat(servers[0].pages.hosts, servers[0].pages.leases) {
		n += len(page)
	}
	return mb(uint64(n))
}

func mb(n uint64) float64 { return float64(n) / 1e6 }
