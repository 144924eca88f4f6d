// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// Labels of metrics.
const (
	labelConfig = "config"
	labelServer = "server"
)

// commandDuration counts the commands to each server by duration and result.
var commandDuration = prometheus.NewHistogramVec(prometheus.HistogramOpts{
	Name:    "provider_kea_command_duration_seconds",
	Help:    "How long Kea's commands took, by provider configuration, server, command and result (ok or error).",
	Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, 1, 5, 10},
}, []string{labelConfig, labelServer, "command", "result"})

// orphans has how many orphans each provider configuration has.
var orphans = prometheus.NewGaugeVec(prometheus.GaugeOpts{
	Name: "provider_kea_orphans",
	Help: "Devices with host reservations in Kea that are marked as those of KeaReservations of this cluster which do not exist, by provider configuration.",
}, []string{labelConfig})

// SetOrphans sets the metric of how many orphans a provider configuration has.
func SetOrphans(ref Ref, n int64) { orphans.WithLabelValues(metricName(ref)).Set(float64(n)) }

// ForgetOrphans drops that metric of a provider configuration that is gone.
func ForgetOrphans(ref Ref) { orphans.DeleteLabelValues(metricName(ref)) }

func init() { //nolint:gochecknoinits // controller-runtime's registry is a global one too.
	metrics.Registry.MustRegister(commandDuration, orphans)
}

var (
	reservationsDesc = prometheus.NewDesc("provider_kea_reservations",
		"Host reservations that a server had when it was last read, of this cluster or not.", []string{labelConfig, labelServer}, nil)
	mirrorAgeDesc = prometheus.NewDesc("provider_kea_mirror_age_seconds",
		"How long ago all that a server holds was last read.", []string{labelConfig, labelServer}, nil)
)

// Describe implements prometheus.Collector.
func (g *Groups) Describe(out chan<- *prometheus.Desc) {
	out <- reservationsDesc
	out <- mirrorAgeDesc
}

// Collect implements prometheus.Collector: of each server that has been read, what is known of it.
func (g *Groups) Collect(out chan<- prometheus.Metric) {
	g.mu.Lock()
	entries := maps.Clone(g.entries)
	g.mu.Unlock()
	for ref, e := range entries {
		if e.group == nil {
			continue
		}
		for _, f := range e.group.Servers() {
			if f.LastRead.IsZero() {
				continue
			}
			labels := []string{metricName(ref), f.Name}
			out <- prometheus.MustNewConstMetric(reservationsDesc, prometheus.GaugeValue, float64(f.Reservations), labels...)
			out <- prometheus.MustNewConstMetric(mirrorAgeDesc, prometheus.GaugeValue, time.Since(f.LastRead).Seconds(), labels...)
		}
	}
}

// forgetCommands drops the metrics of a provider configuration that is gone.
func forgetCommands(ref Ref) {
	commandDuration.DeletePartialMatch(prometheus.Labels{labelConfig: metricName(ref)})
}

// forgetServers drops the metrics of servers that a provider configuration no longer has.
func forgetServers(ref Ref, before, now []string) {
	for _, server := range before {
		if !slices.Contains(now, server) {
			commandDuration.DeletePartialMatch(prometheus.Labels{labelConfig: metricName(ref), labelServer: server})
		}
	}
}

// metricName returns a unique name: a Kubernetes name has no slash in it.
func metricName(ref Ref) string {
	if ref.Namespace == "" {
		return ref.Name
	}
	return ref.Namespace + "/" + ref.Name
}

// countCommands has the clients of a group count their commands, for as long as the provider configuration
// has the server: one may be under way when the server goes, and would leave a metric behind.
func (g *Groups) countCommands(cfg *group.Config, ref Ref) {
	name := metricName(ref)
	cfg.Servers = slices.Clone(cfg.Servers)
	for i := range cfg.Servers {
		server := cfg.Servers[i].Name
		cfg.Servers[i].Kea.Observe = func(command string, took time.Duration, err error) {
			result := "ok"
			if err != nil && !errors.Is(err, kea.ErrNotFound) {
				result = "error"
			}
			g.mu.Lock()
			defer g.mu.Unlock()
			if slices.Contains(g.entries[ref].servers, server) {
				commandDuration.WithLabelValues(name, server, command, result).Observe(took.Seconds())
			}
		}
	}
}
