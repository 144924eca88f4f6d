// SPDX-License-Identifier: Apache-2.0

package chaos

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

var fleetFlag = flag.Int("fleet", 5000, "how many machines and reservations a soak has")

// maxFleet is how many there are numbers for: each takes about two, and those that come later take
// more.
const maxFleet = 10_000

// soak is the shape of a soak: one in a hundred changes in a minute, and there is a fault every
// minute or so, which does not end the provider.
func soak(fleet int, length time.Duration) shape {
	start := time.Duration(fleet) * 30 * time.Millisecond
	return shape{
		first: firstDevice, fleet: fleet, start: start, length: start + length,
		change: 100 * time.Minute / time.Duration(fleet), fault: time.Minute,
		faults: slices.DeleteFunc(allFaults(), func(f fault) bool {
			return strings.HasPrefix(f.on, "provider1") || strings.HasPrefix(f.on, "provider2") || f.on == "apiserver"
		}),
	}
}

// BenchmarkSoak has a fleet live for the given time, and fails if the provider grows meanwhile.
func BenchmarkSoak(b *testing.B) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	if *fleetFlag > maxFleet {
		b.Fatalf("cannot soak FLEET=%d: there are addresses for %d", *fleetFlag, maxFleet)
	}
	of := soak(*fleetFlag, *timeFlag)
	h := plan(rand.New(rand.NewPCG(seed, 0)), of)
	counts := map[string]int{}
	h.count(counts)
	fmt.Printf("soak: SEED=%d:%s\n", seed, summary(counts))
	w := newWorld(b, build(b))
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	sampled := make(chan []sample, 1)
	go func() { sampled <- w.sample(ctx, of.start) }()
	if wrong := w.live(h); wrong != "" {
		b.Fatalf("SEED=%d: %s", seed, wrong)
	}
	cancel()
	samples := <-sampled
	if what := grown(samples); what != "" {
		b.Errorf("SEED=%d: %s", seed, what)
	}
	b.ReportMetric(0, "ns/op") // How long it took was given.
}

// A sample is what the replica that leads has at a time.
type sample struct {
	at                      time.Duration
	pid                     int
	resident                float64 // MB
	goroutines, descriptors float64
}

// sampleEvery is the time between two samples.
const sampleEvery = time.Minute

// sample takes samples from a time on, until ctx ends.
func (w *world) sample(ctx context.Context, from time.Duration) []sample {
	began := time.Now()
	var out []sample
	next := time.NewTimer(from)
	defer next.Stop()
	for {
		select {
		case <-ctx.Done():
			return out
		case <-next.C:
			next.Reset(sampleEvery)
		}
		s, err := w.leader(ctx)
		if err != nil {
			fmt.Printf("soak: no sample: %v\n", err)
			continue
		}
		s.at = time.Since(began)
		out = append(out, s)
		fmt.Printf("soak: %4.0f min: process %d, %.0f MB resident, %.0f goroutines, %.0f file descriptors\n", s.at.Minutes(), s.pid, s.resident, s.goroutines, s.descriptors)
	}
}

// leader returns a sample of the replica with the most goroutines: the other one has no
// controllers.
func (w *world) leader(ctx context.Context) (sample, error) {
	var most sample
	for _, name := range replicas {
		p, ok := w.targets[name].(*program)
		if !ok {
			return sample{}, fmt.Errorf("%s is no program", name)
		}
		s, err := p.sample(ctx)
		if err != nil {
			return sample{}, fmt.Errorf("%s: %w", name, err)
		}
		if s.goroutines > most.goroutines {
			most = s
		}
	}
	return most, nil
}

func (p *program) sample(ctx context.Context) (sample, error) {
	p.mu.Lock()
	process := p.process
	p.mu.Unlock()
	if process == nil {
		return sample{}, errors.New("it does not run")
	}
	out := sample{pid: process.Pid}
	open, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(out.pid), "fd"))
	if err != nil {
		return sample{}, err
	}
	out.descriptors = float64(len(open))
	metrics, err := readMetrics(ctx, "http://"+p.metrics+"/metrics")
	out.goroutines, out.resident = metrics["go_goroutines"], metrics["process_resident_memory_bytes"]/1e6
	return out, err
}

// readMetrics reads the metrics that have no labels.
func readMetrics(ctx context.Context, url string) (map[string]float64, error) {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	out := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, found := strings.Cut(lines.Text(), " "); found && !strings.ContainsAny(name, "#{") {
			out[name], _ = strconv.ParseFloat(value, 64)
		}
	}
	return out, nil
}

// grown says what has grown from the second quarter of the samples to the last, by more than a
// tenth and some that come and go; "" if nothing has. In the first quarter caches fill.
func grown(samples []sample) string {
	const quarters = 4
	n := len(samples) / quarters
	if n == 0 {
		return fmt.Sprintf("%d samples are too few: soak for longer", len(samples))
	}
	before, after := samples[n:2*n], samples[len(samples)-n:]
	var out []string
	for _, of := range []struct {
		what  string
		some  float64
		value func(sample) float64
	}{
		{"MB resident", 5, func(s sample) float64 { return s.resident }},
		{"goroutines", 10, func(s sample) float64 { return s.goroutines }},
		{"file descriptors", 5, func(s sample) float64 { return s.descriptors }},
	} {
		was, is := mean(before, of.value), mean(after, of.value)
		fmt.Printf("soak: %s: %.1f in the second quarter, %.1f in the last\n", of.what, was, is)
		if is > 1.1*was+of.some {
			out = append(out, fmt.Sprintf("%s have grown from %.1f to %.1f", of.what, was, is))
		}
	}
	if slices.ContainsFunc(samples, func(s sample) bool { return s.pid != samples[0].pid }) {
		out = append(out, "the provider was started again meanwhile, or another replica leads")
	}
	return strings.Join(out, "; ")
}

func mean(samples []sample, value func(sample) float64) float64 {
	sum := 0.0
	for _, s := range samples {
		sum += value(s)
	}
	return sum / float64(len(samples))
}
