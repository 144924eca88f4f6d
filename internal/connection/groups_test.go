// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/mirror"
)

var ref = Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}

func serverAt(url string) group.Config {
	return group.Config{Interval: time.Second, Servers: []group.ServerConfig{{Name: "kea1", Kea: kea.Config{URL: url, Timeout: time.Minute}}}}
}

// listen counts how often all that use the provider configuration were notified.
func listen(g *Groups) *atomic.Int64 {
	n := &atomic.Int64{}
	g.Listen(func(r Ref, c mirror.Changes) {
		if r == ref && c.Everything {
			n.Add(1)
		}
	})
	return n
}

// TestGroupsNotify: users hear of each change once, and not of what they have heard.
func TestGroupsNotify(t *testing.T) {
	t.Parallel()
	g := NewGroups()
	notified := listen(g)
	for i, step := range []struct {
		what string
		do   func()
		want int64
	}{
		{"a failure", func() { g.Fail(ref, errors.New("no Secret")) }, 1},
		{"the same again", func() { g.Fail(ref, errors.New("no Secret")) }, 1},
		{"another", func() { g.Fail(ref, errors.New("no key")) }, 2},
		{"it is gone", func() { g.Close(ref) }, 3},
	} {
		step.do()
		if got := notified.Load(); got != step.want {
			t.Errorf("step %d, %s: notified %d times, want %d", i, step.what, got, step.want)
		}
	}
}

// TestGroupsWait: a caller that asks before a configuration was read gets the answer when it was, or
// the end of its own context.
func TestGroupsWait(t *testing.T) {
	t.Parallel()
	g := NewGroups()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Group(ctx, ref); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the end of the context", err)
	}
	got := make(chan error, 1)
	go func() {
		_, err := g.Group(t.Context(), ref)
		got <- err
	}()
	g.Fail(Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "a"}, errors.New("of another"))
	want := errors.New("no Secret")
	g.Fail(ref, want)
	if err := <-got; !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
	if _, ok := g.Running(ref); ok || g.Usable(ref) {
		t.Error("there is a group that can be used")
	}
}

// hanging is a server that accepts commands and does not answer them.
type hanging struct {
	url string
	// asked and left have a value for each command that came, and that was given up.
	asked, left chan struct{}
}

func newHanging(t *testing.T) *hanging {
	t.Helper()
	h := &hanging{asked: make(chan struct{}, 10), left: make(chan struct{}, 10)}
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		// The server sees the client go once the body is read.
		_, _ = r.Body.Read(make([]byte, 1<<10))
		h.asked <- struct{}{}
		<-r.Context().Done()
		h.left <- struct{}{}
	}))
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

// TestGroupsOpen: a group survives a change of its configuration, and users are not notified of it.
// When it ends, it ends at once, in the midst of a command.
func TestGroupsOpen(t *testing.T) {
	t.Parallel()
	h := newHanging(t)
	g := NewGroups()
	notified := listen(g)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()

	open := func(fingerprint string) *group.Group {
		t.Helper()
		opened, _, err := g.Open(ctx, ref, serverAt(h.url), fingerprint)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := g.Group(ctx, ref); got != opened || err != nil {
			t.Fatalf("users get %p and %v, want %p", got, err, opened)
		}
		return opened
	}
	first := open("a")
	<-h.asked
	for _, fingerprint := range []string{"a", "b", "b"} {
		if again := open(fingerprint); again != first || notified.Load() != 1 {
			t.Errorf("with the fingerprint %s it is another group, or users were notified: %d times", fingerprint, notified.Load())
		}
	}
	g.Fail(ref, errors.New("no Secret"))
	<-h.left
	if second := open("b"); second == first {
		t.Error("a group that has ended was opened again")
	}
	<-h.asked
	g.Close(ref)
	<-h.left
	open("c")
	<-h.asked
	cancel() // as the manager stops
	<-h.left
	g.Wait()
}

// TestGroupsInvalid: a configuration that no client can be made of is an error to its users, whether
// or not a group runs.
func TestGroupsInvalid(t *testing.T) {
	t.Parallel()
	h := newHanging(t)
	for name, before := range map[string]string{"None": "", "Running": h.url} {
		t.Run(name, func(t *testing.T) {
			g := NewGroups()
			if before != "" {
				if _, _, err := g.Open(t.Context(), ref, serverAt(before), "a"); err != nil {
					t.Fatal(err)
				}
				<-h.asked
			}
			_, _, err := g.Open(t.Context(), ref, serverAt("ftp://kea"), "b")
			if _, uerr := g.Group(t.Context(), ref); err == nil || uerr == nil || uerr.Error() != err.Error() {
				t.Errorf("got %v, users get %v", err, uerr)
			}
			if before != "" {
				<-h.left
			}
		})
	}
}

// TestMetrics: a server that is removed, and a configuration that is gone, leave no metrics behind.
func TestMetrics(t *testing.T) {
	t.Parallel()
	mine := Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "metrics", Name: "a"}
	two := serverAt("http://kea1.invalid:8000")
	two.Servers = append(two.Servers, group.ServerConfig{Name: "kea2", Kea: kea.Config{URL: "http://kea2.invalid:8000"}})
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // No command is sent: those that are counted below are the test's.
	g := NewGroups()
	send := func(cfg group.Config) {
		for _, s := range cfg.Servers {
			s.Kea.Observe("status-get", time.Second, nil)
		}
	}
	open := func(cfg group.Config, fingerprint string) group.Config {
		t.Helper()
		if _, _, err := g.Open(ctx, mine, cfg, fingerprint); err != nil {
			t.Fatal(err)
		}
		g.Wait()
		g.countCommands(&cfg, mine)
		send(cfg)
		return cfg
	}
	has := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, serversIn(t, "metrics/a")); diff != "" {
			t.Errorf("servers with metrics: -want +got:\n%s", diff)
		}
	}
	both := open(two, "two")
	has("kea1", "kea2")
	one := two
	one.Servers = two.Servers[:1]
	g.Fail(mine, errors.New("no Secret"))
	has("kea1", "kea2")
	open(one, "one")
	has("kea1")
	send(both) // They were under way.
	has("kea1")
	g.Close(mine)
	has()
	send(both)
	has()
}

// TestServerMetrics: a server that has been read has its number of reservations in the metrics, until
// the configuration is gone.
func TestServerMetrics(t *testing.T) {
	t.Parallel()
	server := keatest.New(t, keatest.Options{Subnets: []kea.SubnetDetail{keatest.Subnet(1, "10.64.0.0/16")}})
	client, err := kea.NewClient(server.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	for _, hw := range []kea.HWAddress{"02:00:00:01:00:01", "02:00:00:01:00:02"} {
		if err := client.AddReservation(t.Context(), kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: hw}); err != nil {
			t.Fatal(err)
		}
	}
	g := NewGroups()
	ctx, cancel := context.WithCancel(t.Context())
	defer func() { cancel(); g.Wait() }()
	opened, _, err := g.Open(ctx, ref, group.Config{Interval: time.Second, Servers: []group.ServerConfig{{Name: "kea1", Kea: server.ClientConfig()}}}, "a")
	if err != nil {
		t.Fatal(err)
	}
	opened.AwaitTried(ctx)
	got := gauges(t, g)
	if n := got["provider_kea_reservations"]; n != 2 {
		t.Errorf("%v reservations, want 2", n)
	}
	if age, known := got["provider_kea_mirror_age_seconds"]; !known || age < 0 || age > time.Hour.Seconds() {
		t.Errorf("the mirror is %v s old, known: %t", age, known)
	}
	g.Close(ref)
	if diff := cmp.Diff(map[string]float64{}, gauges(t, g)); diff != "" {
		t.Errorf("metrics of a configuration that is gone: -want +got:\n%s", diff)
	}
}

// gauges returns the metrics of the groups, by name.
func gauges(t *testing.T, g *Groups) map[string]float64 {
	t.Helper()
	r := prometheus.NewRegistry()
	r.MustRegister(g)
	families, err := r.Gather()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			out[f.GetName()] += m.GetGauge().GetValue()
		}
	}
	return out
}

// serversIn returns the servers of a configuration that have metrics.
func serversIn(t *testing.T, config string) []string {
	t.Helper()
	families, err := metrics.Registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range families {
		for _, m := range f.GetMetric() {
			labels := map[string]string{}
			for _, l := range m.GetLabel() {
				labels[l.GetName()] = l.GetValue()
			}
			if f.GetName() == "provider_kea_command_duration_seconds" && labels["config"] == config && m.GetHistogram().GetSampleCount() > 0 {
				out = append(out, labels["server"])
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// TestGroupsSharing: provider configurations that reach the same server are known by its URL,
// however that is spelled.
func TestGroupsSharing(t *testing.T) {
	t.Parallel()
	g := NewGroups()
	named := func(name string) Ref { return Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: name} }
	for name, url := range map[string]string{
		"a": "http://kea1.invalid:8000", "same": "http://kea1.invalid:8000", "slash": "HTTP://KEA1.invalid:8000/",
		"port": "http://kea1.invalid:8001", "path": "http://kea1.invalid:8000/kea2", "other": "http://kea2.invalid:8000",
		"plain": "http://kea3.invalid", "written": "http://kea3.invalid:80/",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		cancel() // It is about the configuration alone.
		if _, _, err := g.Open(ctx, named(name), serverAt(url), ""); err != nil {
			t.Fatal(err)
		}
	}
	defer g.Wait()
	g.Fail(named("failed"), errors.New("no Secret"))
	cases := map[string]struct {
		reason string
		of     Ref
		want   []string
	}{
		"Same":     {reason: "The same host, port and path is the same server.", of: named("a"), want: []string{"a", "same", "slash"}},
		"Default":  {reason: "A port that is left out is the scheme's.", of: named("plain"), want: []string{"plain", "written"}},
		"OtherOne": {reason: "Another host is another server.", of: named("other"), want: []string{"other"}},
		"Path":     {reason: "So is another path of a proxy.", of: named("path"), want: []string{"path"}},
		"Failed":   {reason: "A configuration without a group reaches none.", of: named("failed"), want: []string{"failed"}},
		"Unknown":  {reason: "So does one that is not there.", of: named("unknown"), want: []string{"unknown"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, r := range g.Sharing(tc.of) {
				got = append(got, r.Name)
			}
			slices.Sort(got)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nSharing(%s): -want, +got:\n%s", tc.reason, tc.of, diff)
			}
		})
	}
}
