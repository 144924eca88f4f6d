// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// slow makes Kea take its time for each command, and counts how many are sent at a time.
type slow struct {
	http.RoundTripper

	takes time.Duration
	// one has room for the command that Kea works on.
	one chan struct{}

	mu         sync.Mutex // guards what follows
	sent, most int
}

// RoundTrip sends a command when those before it are done.
func (s *slow) RoundTrip(r *http.Request) (*http.Response, error) {
	s.count(1)
	defer s.count(-1)
	select {
	case s.one <- struct{}{}:
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	defer func() { <-s.one }()
	select {
	case <-time.After(s.takes):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	return s.RoundTripper.RoundTrip(r)
}

func (s *slow) count(n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent += n
	s.most = max(s.most, s.sent)
}

// TestSlowKea: a Kea that needs long for each command, and works on one at a time, is not taken for
// one that hangs, however many callers there are. All of them get their turn.
func TestSlowKea(t *testing.T) {
	const workers, timeout = 16, 10 * time.Second
	for _, takes := range []time.Duration{800 * time.Millisecond, 2 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.startKeas()
				k := &slow{RoundTripper: w.config.Servers[0].Kea.Transport, takes: takes, one: make(chan struct{}, 1)}
				w.config.Servers[0].Kea.Transport, w.config.Servers[0].Kea.Timeout = k, timeout
				w.start()
				defer w.stop()
				time.Sleep(time.Minute)
				since := w.group.Servers()[0].Since

				var all sync.WaitGroup
				for i := range workers {
					all.Go(func() { applyOne(t, w.group, i) })
				}
				all.Wait()
				if f := w.group.Servers()[0]; f.Err != nil || !f.Since.Equal(since) {
					t.Errorf("the server is %s since %s: %v", f.State, f.Since, f.Err)
				}
				if got := len(w.kea.Reservations(kea.TargetMemory)); got != workers {
					t.Errorf("Kea has %d reservations, want %d", got, workers)
				}
				if k.most > 4 {
					t.Errorf("%d commands were sent at a time, want 4 at most", k.most)
				}
			})
		})
	}
}

func applyOne(t *testing.T, g *group.Group, i int) {
	t.Helper()
	in := reservation.Intent{
		Resource: fmt.Sprintf("ns/vm%d", i), HWAddress: kea.HWAddress(fmt.Sprintf("02:00:00:01:00:%02x", i)),
		Subnet:  reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.64.0.0/16")},
		Address: netip.AddrFrom4([4]byte{10, 64, 0, byte(50 + i)}),
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	if _, err := g.Apply(ctx, in); err != nil {
		t.Errorf("%s: %v", in.Resource, err)
	}
}

// late holds every other answer back.
type late struct {
	http.RoundTripper

	by time.Duration
	n  atomic.Int64
}

// RoundTrip sends a command, and may be late with the answer.
func (l *late) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if l.n.Add(1)%2 == 0 {
		time.Sleep(l.by)
	}
	return resp, err
}

// TestLateAnswers: when Kea has started is computed from its uptime. Answers that come late make
// that uncertain, and are not taken for those of another process, nor for a restart.
func TestLateAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.startKeas()
		w.config.Servers[0].Kea.Transport = &late{RoundTripper: w.config.Servers[0].Kea.Transport, by: 5 * time.Second}
		w.start()
		defer w.stop()
		time.Sleep(time.Minute)
		since := w.group.Servers()[0].Since
		time.Sleep(10 * time.Minute)
		if f := w.group.Servers()[0]; f.State != group.Up || !f.Since.Equal(since) {
			t.Errorf("the server is %s since %s, and was Up since %s: %v", f.State, f.Since, since, f.Err)
		}
	})
}

// slowPages makes Kea take its time for each page.
type slowPages struct {
	http.RoundTripper

	takes time.Duration
}

// RoundTrip sends a command, that for a page after a while.
func (s *slowPages) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.Body = io.NopCloser(bytes.NewReader(body))
	if bytes.Contains(body, []byte("get-page")) {
		time.Sleep(s.takes) // in a bubble: it takes no time
	}
	return s.RoundTripper.RoundTrip(r)
}

// TestUntilTried: devices are left alone while a server is read for the first time, however long
// that takes, but not for one that does not answer.
func TestUntilTried(t *testing.T) {
	const hosts, takes = 3000, 3 * time.Second // for each of four pages
	for name, tc := range map[string]struct {
		reason string
		fault  string
		after  time.Duration
		left   bool
	}{
		"Large":   {"Page after page comes.", "", 8 * time.Second, true},
		"Read":    {"All is read.", "", 30 * time.Second, false},
		"Hanging": {"There is no answer.", "kea fail any Hang", 6 * time.Second, false},
		"Hangs":   {"There are no more answers.", "kea fail lease4-get-page Hang", 25 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.startKeas()
				w.config.Servers[0].Kea.Timeout = time.Minute
				w.config.Servers[0].Kea.Transport = &slowPages{RoundTripper: w.config.Servers[0].Kea.Transport, takes: takes}
				for i := range hosts {
					hw, ip := machine(i)
					w.keas[0].PutReservation(kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: hw, IPAddress: netip.MustParseAddr(ip)})
				}
				if tc.fault != "" {
					w.step(tc.fault)
				}
				g, err := group.New(w.config)
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				var done sync.WaitGroup
				defer done.Wait()
				defer cancel()
				done.Go(func() { g.Run(ctx) })
				time.Sleep(tc.after) // in a bubble: it takes no time
				hw, _ := machine(0)
				if got := g.UntilTried(hw); (got > 0) != tc.left {
					t.Errorf("%s After %s UntilTried(...) is %s, want more than 0: %t", tc.reason, tc.after, got, tc.left)
				}
				for _, k := range w.keas {
					k.ClearFaults()
				}
			})
		})
	}
}

// TestLookAtOnce: a device that begins to wait for a lease which it has already is looked up at
// once, also while a snapshot is read, and after one that has taken long.
func TestLookAtOnce(t *testing.T) {
	const hosts, takes = 3000, 2 * time.Second // for each of four pages, and one of leases
	for name, tc := range map[string]struct {
		reason        string
		others        int // that wait for a lease from the beginning
		after, within time.Duration
	}{
		"During": {"It is looked up when the page that is read has come.", 0, 31 * time.Second, takes + maxPause},
		"Others": {"Those that have waited for long do not count.", 5, 31 * time.Second, takes + maxPause},
		"After":  {"What the snapshot has taken is no reason to wait.", 0, 42 * time.Second, 200 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.startKeas()
				w.putMany(hosts)
				var slow atomic.Bool
				h := &hostile{RoundTripper: w.config.Servers[0].Kea.Transport, sent: map[string]int{}, reply: func(command string, _ int) string {
					if strings.HasSuffix(command, "get-page") && slow.Load() {
						time.Sleep(takes) // in a bubble: it takes no time
					}
					return ""
				}}
				w.config.Servers[0].Kea.Transport = h
				w.kea.AddLease(w.lease([]string{"02:00:00:03:00:01", "10.64.200.1"}))
				w.start()
				defer w.stop()
				for i := range tc.others {
					hw, _ := machine(i)
					w.step("want other" + strconv.Itoa(i) + " " + string(hw))
				}
				slow.Store(true)
				time.Sleep(tc.after) // in a bubble: it takes no time
				w.kea.AddLease(w.lease([]string{"02:00:00:03:00:02", "10.64.200.2"}))
				in := reservation.Intent{Subnet: reservation.SubnetRef{ID: 1}, HWAddress: "02:00:00:03:00:02", Resource: "ns/vm"}
				for _, want := range []reservation.State{reservation.AwaitingLease, reservation.Pending} {
					if o, err := w.group.Observe(in); err != nil || o.State != want {
						t.Fatalf("%s Observe(...): %s %q, %v, want %s", tc.reason, o.State, o.Message, err, want)
					}
					time.Sleep(tc.within) // in a bubble: it takes no time
				}
			})
		})
	}
}

// maxPause is how long the pause after a page of a snapshot is at most, and a little.
const maxPause = 100 * time.Millisecond
