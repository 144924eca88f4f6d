// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// cost is what has been spent so far, and with since, what was spent in between.
type cost struct {
	at time.Time
	// writes are the API server's own count of requests that write, by verb and resource. Creating
	// the NetworkConfigurations is not among them: that is what makes the machines.
	writes    map[string]float64
	conflicts float64 // of these
	// commands that Kea got from the provider, and the time that the provider waited for them.
	commands map[string]float64
	waited   float64
	// reconciles of KeaReservations, and how many objects wait for one of any kind.
	reconciles, queued float64
	// CPU seconds of each program.
	cpu map[string]float64
}

const (
	providerProgram  = "provider"
	apiServerProgram = "API server"
	etcdProgram      = "etcd"
	keaProgram       = "Kea"
)

// writing are the verbs of requests that change something.
var writing = []string{"POST", "PUT", "PATCH", "APPLY", "DELETE", "DELETECOLLECTION"}

// ours are the API groups that the provider writes to. The API server and the controllers beside it
// write to others: leases, flow schemas, service accounts.
var ours = []string{"kea.crossplane.io", "vitistack.io", "events.k8s.io"}

func (w *world) cost() cost {
	w.b.Helper()
	c, err := w.readCost(w.b.Context())
	if err != nil {
		w.b.Fatal(err)
	}
	return c
}

func newCost() cost {
	return cost{at: time.Now(), writes: map[string]float64{}, commands: map[string]float64{}, cpu: map[string]float64{}}
}

func (w *world) readCost(ctx context.Context) (cost, error) {
	c := newCost()
	text, err := get(ctx, w.apiHTTP, w.apiURL()+"/metrics")
	if err != nil {
		return c, err
	}
	for _, s := range samples(text, "apiserver_request_total", "process_cpu_seconds_total") {
		c.addAPI(s)
	}
	if text, err = get(ctx, w.plainHTTP, w.plane.Env.ControlPlane.Etcd.URL.String()+"/metrics"); err == nil {
		for _, s := range samples(text, "process_cpu_seconds_total") {
			c.cpu[etcdProgram] = s.value
		}
	}
	c.cpu[keaProgram] = cpuSeconds(w.kea.PID())
	return c, w.readProvider(ctx, &c)
}

// readProvider adds what the provider's own metrics have, if it runs.
func (w *world) readProvider(ctx context.Context, c *cost) error {
	if w.provider == nil {
		return nil
	}
	text, err := get(ctx, w.plainHTTP, "http://"+w.provider.metrics+"/metrics")
	if err != nil {
		return err
	}
	for _, s := range samples(text, "provider_kea_command_duration_seconds", "controller_runtime_reconcile_total", "workqueue_depth", "process_cpu_seconds_total") {
		c.addProvider(s)
	}
	return nil
}

func (c *cost) addAPI(s sample) {
	l := s.labels
	resource := l["resource"]
	if l["subresource"] != "" {
		resource += "/" + l["subresource"]
	}
	event := l["group"] == "" && resource == "events"
	switch {
	case s.name == "process_cpu_seconds_total":
		c.cpu[apiServerProgram] = s.value
	case !slices.Contains(writing, l["verb"]) || (!event && !slices.Contains(ours, l["group"])):
	case l["verb"] == "POST" && resource == "networkconfigurations":
	default:
		c.writes[l["verb"]+" "+resource] += s.value
		if l["code"] == "409" {
			c.conflicts += s.value
		}
	}
}

func (c *cost) addProvider(s sample) {
	switch s.name {
	case "provider_kea_command_duration_seconds_count":
		c.commands[s.labels["command"]] += s.value
	case "provider_kea_command_duration_seconds_sum":
		c.waited += s.value
	case "controller_runtime_reconcile_total":
		if strings.Contains(s.labels["controller"], "keareservation") {
			c.reconciles += s.value
		}
	case "workqueue_depth":
		c.queued += s.value
	case "process_cpu_seconds_total":
		c.cpu[providerProgram] = s.value
	}
}

// since returns what was spent since an earlier cost of the same processes.
func (c *cost) since(before cost) cost {
	return cost{
		at: before.at, writes: minus(c.writes, before.writes), conflicts: c.conflicts - before.conflicts,
		commands: minus(c.commands, before.commands), waited: c.waited - before.waited,
		reconciles: c.reconciles - before.reconciles, queued: c.queued, cpu: minus(c.cpu, before.cpu),
	}
}

func minus(a, b map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for k, v := range a {
		if d := v - b[k]; d > 0 {
			out[k] = d
		}
	}
	return out
}

func total(m map[string]float64) (sum float64) {
	for _, v := range m {
		sum += v
	}
	return sum
}

// each writes counts for one of n machines: the total, and the parts that are 2 % of it or more.
func each(m map[string]float64, n int) string {
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(m), func(a, b string) int { return compareDown(m[a], m[b], a, b) }) {
		if m[k] >= total(m)/50 {
			parts = append(parts, fmt.Sprintf("%s %.2f", k, m[k]/float64(n)))
		}
	}
	out := fmt.Sprintf("%.2f", total(m)/float64(n))
	if len(parts) > 0 {
		out += " (" + strings.Join(parts, ", ") + ")"
	}
	return out
}

// counted writes counts as they are, the largest first.
func counted(m map[string]float64) string {
	if len(m) == 0 {
		return "0"
	}
	var parts []string
	for _, k := range slices.SortedFunc(maps.Keys(m), func(a, b string) int { return compareDown(m[a], m[b], a, b) }) {
		parts = append(parts, fmt.Sprintf("%s %.0f", k, m[k]))
	}
	return fmt.Sprintf("%.0f (%s)", total(m), strings.Join(parts, ", "))
}

func compareDown(a, b float64, nameA, nameB string) int {
	switch {
	case a > b:
		return -1
	case a < b:
		return 1
	default:
		return strings.Compare(nameA, nameB)
	}
}

// cpuSeconds returns the CPU time of a process as Linux counts it, 0 elsewhere.
func cpuSeconds(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(b), ") ") // the program's name may have blanks in it
	f := strings.Fields(rest)
	if len(f) < 13 {
		return 0
	}
	user, _ := strconv.ParseFloat(f[11], 64)
	system, _ := strconv.ParseFloat(f[12], 64)
	return (user + system) / 100 // Linux counts in hundredths of a second for programs, always.
}

// memory returns a process's resident memory in MB as Linux counts it: at present, what of that is its
// own file, and the most since it started. All are 0 elsewhere.
func memory(pid int) (now, file, peak float64) {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) != 3 {
			continue
		}
		v, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			now = v / 1000
		case "RssFile:":
			file = v / 1000
		case "VmHWM:":
			peak = v / 1000
		}
	}
	return now, file, peak
}
