// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// machines is how many NetworkConfigurations the benchmark makes.
const machines = 1000

// BenchmarkMachines makes NetworkConfigurations of machines that have a lease,
// and tells how long it takes until all are Ready, and what it costs: commands
// that Kea got, requests that the API server got from the provider, and the
// provider's memory. The API server, etcd, Kea and the client share the machine.
func BenchmarkMachines(b *testing.B) {
	for b.Loop() {
		b.StopTimer()
		s := newSite(b, testenv.KeaOptions{Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.123.0.0/16"}}})
		config := s.config()
		edit(s, config, func(c *v1alpha1.ClusterProviderConfig) {
			c.Spec.SnapshotInterval = metav1.Duration{Duration: 30 * time.Second}
		})
		s.networkNamespace("10.123.0.0/16")
		for i := range machines {
			s.lease(benchMAC(i), fmt.Sprintf("10.123.%d.%d", 1+i/200, 1+i%200))
		}
		before := scrape(b)
		b.StartTimer()
		start := time.Now()
		s.createMachines()
		s.awaitMachines()
		took := time.Since(start)
		b.StopTimer()
		after := scrape(b)
		b.ReportMetric(took.Seconds(), "s-until-ready")
		b.ReportMetric(after.rss/1e6, "MB-RSS")
		report(b, "API requests", before.requests, after.requests)
		report(b, "Kea commands", before.commands, after.commands)
		b.StartTimer()
	}
}

func benchMAC(i int) string { return fmt.Sprintf("00:02:12:01:%02x:%02x", i/256, i%256) }

func (s *site) createMachines() {
	s.t.Helper()
	var wg sync.WaitGroup
	numbers := make(chan int)
	for range 16 {
		wg.Go(func() {
			for i := range numbers {
				s.create(s.networkConfiguration(fmt.Sprintf("vm%04d", i), benchMAC(i)))
			}
		})
	}
	for i := range machines {
		numbers <- i
	}
	close(numbers)
	wg.Wait()
}

// awaitMachines waits until all are Ready. It watches: to list them time and
// again would cost the API server more than what is measured.
func (s *site) awaitMachines() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), 10*time.Minute)
	defer cancel()
	w, err := shared.client.Watch(ctx, &vitistack.NetworkConfigurationList{}, client.InNamespace(s.namespace))
	if err != nil {
		s.t.Fatal(err)
	}
	defer w.Stop()
	ready := map[string]bool{}
	for e := range w.ResultChan() {
		if nc, ok := e.Object.(*vitistack.NetworkConfiguration); ok {
			ready[nc.Name] = nc.Status.Phase == vitistack.PhaseReady
		}
		n := 0
		for _, r := range ready {
			if r {
				n++
			}
		}
		if n == machines {
			return
		}
	}
	s.t.Fatalf("the watch ended with %d of %d machines known", len(ready), machines)
}

// costs is what the provider's metrics say that it has cost so far.
type costs struct {
	rss                float64
	requests, commands map[string]float64
}

var (
	requestMetric = regexp.MustCompile(`^rest_client_requests_total\{.*method="([A-Z]+)".*\} (\S+)$`)
	commandMetric = regexp.MustCompile(`^provider_kea_command_duration_seconds_count\{command="([^"]+)".*\} (\S+)$`)
	rssMetric     = regexp.MustCompile(`^process_resident_memory_bytes(\{\})? (\S+)$`)
)

func scrape(tb testing.TB) costs {
	tb.Helper()
	return scrapeOf(tb, shared.provider)
}

func scrapeOf(tb testing.TB, p *provider) costs {
	tb.Helper()
	text, err := get(tb.Context(), "http://"+p.metrics+"/metrics")
	if err != nil {
		tb.Fatal(err)
	}
	c := costs{requests: map[string]float64{}, commands: map[string]float64{}}
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		for re, into := range map[*regexp.Regexp]map[string]float64{requestMetric: c.requests, commandMetric: c.commands} {
			if m := re.FindStringSubmatch(line); m != nil {
				v, _ := strconv.ParseFloat(m[2], 64)
				into[m[1]] += v
			}
		}
		if m := rssMetric.FindStringSubmatch(line); m != nil {
			c.rss, _ = strconv.ParseFloat(m[2], 64)
		}
	}
	return c
}

// report logs what came to the counters in between, the total first.
func report(b *testing.B, what string, before, after map[string]float64) {
	b.Helper()
	total, lines := 0.0, []string{}
	for name, v := range after {
		if d := v - before[name]; d > 0 {
			total += d
			lines = append(lines, fmt.Sprintf("%s %.0f", name, d))
		}
	}
	slices.Sort(lines)
	b.ReportMetric(total, strings.ReplaceAll(what, " ", "-"))
	b.Logf("%s: %.0f in all: %s", what, total, strings.Join(lines, ", "))
}
