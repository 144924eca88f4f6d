// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
)

// TestPace: how often all is read follows from what the pages cost Kea, and not from how far away it is,
// nor from what is less than a page.
func TestPace(t *testing.T) {
	for name, tc := range map[string]struct {
		reason     string
		hosts      int
		way, takes time.Duration
		comes      time.Duration // how long an answer comes, once it has begun
		every      time.Duration
	}{
		"Quick":  {"Pages that cost little are read at the interval.", 1100, 0, 10 * time.Millisecond, 0, 30 * time.Second},
		"Far":    {"So are those of a Kea that is far away.", 1100, time.Second, 10 * time.Millisecond, 0, 30 * time.Second},
		"Few":    {"And those of a Kea with a few hosts, however slow it is.", 500, 0, 2 * time.Second, 0, 30 * time.Second},
		"Narrow": {"So are those that take long to come: Kea serves DHCP meanwhile.", 1100, 0, 10 * time.Millisecond, 2 * time.Second, 30 * time.Second},
		"Costly": {"Pages take a sixtieth of the time at most.", 1100, 20 * time.Millisecond, 2 * time.Second, 0, 120 * time.Second},
		"Most":   {"The interval is ten times as long at most.", 1100, 0, 8 * time.Second, 0, 300 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.startKeas()
				w.putMany(tc.hosts)
				h := &hostile{RoundTripper: w.config.Servers[0].Kea.Transport, sent: map[string]int{}, reply: func(command string, _ int) string {
					time.Sleep(tc.way)
					if command == "reservation-get-page" {
						time.Sleep(tc.takes)
					}
					return ""
				}}
				w.config.Servers[0].Kea.Transport, w.config.Servers[0].Kea.Timeout = narrow{h, tc.comes}, 10*time.Second
				w.start()
				defer w.stop()
				time.Sleep(2 * time.Minute)
				before := h.commands("subnet4-list")
				while := min(20*tc.every, 40*time.Minute)
				time.Sleep(while)
				// A tick more or less: that is when it is decided.
				least, most := int(while/(tc.every+12*time.Second)), int(while/tc.every)
				if got := h.commands("subnet4-list") - before; got < least || got > most {
					t.Errorf("%s It was read %d times in %s, want %d to %d times", tc.reason, got, while, least, most)
				}
				if f := w.group.Servers()[0]; f.State != group.Up || f.Reservations != tc.hosts {
					t.Errorf("the server is %s, with %d reservations: %v", f.State, f.Reservations, f.Err)
				}
			})
		})
	}
}

// narrow is a transport whose pages come slowly.
type narrow struct {
	*hostile
	comes time.Duration
}

func (n narrow) RoundTrip(r *http.Request) (*http.Response, error) {
	before := n.commands("reservation-get-page")
	resp, err := n.hostile.RoundTrip(r)
	if err == nil && n.commands("reservation-get-page") > before {
		resp.Body = &slowBody{resp.Body, n.comes}
	}
	return resp, err
}

// slowBody is a body that comes after some time.
type slowBody struct {
	io.ReadCloser
	after time.Duration
}

func (b *slowBody) Read(p []byte) (int, error) {
	time.Sleep(b.after)
	b.after = 0
	return b.ReadCloser.Read(p)
}

// putMany has Kea hold some hosts.
func (w *world) putMany(n int) {
	for i := range n {
		w.kea.PutReservation(kea.TargetMemory, kea.Reservation{
			SubnetID: 1, HWAddress: kea.HWAddress(fmt.Sprintf("02:00:00:02:%02x:%02x", i>>8, i&0xff)),
			IPAddress: netip.AddrFrom4([4]byte{10, 64, byte(1 + i>>8), byte(i)}),
		})
	}
}

// TestPaceOfOne: that a page has taken long once, as where Kea's machine stood still meanwhile, does not
// put off the next snapshot.
func TestPaceOfOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const hosts, stands = 1100, 8 * time.Second
		var still atomic.Bool
		w := newWorld(t)
		w.startKeas()
		w.putMany(hosts)
		h := &hostile{RoundTripper: w.config.Servers[0].Kea.Transport, sent: map[string]int{}, reply: func(command string, _ int) string {
			if command == "reservation-get-page" && still.CompareAndSwap(true, false) {
				time.Sleep(stands)
			}
			return ""
		}}
		w.config.Servers[0].Kea.Transport, w.config.Servers[0].Kea.Timeout = h, 10*time.Second
		w.start()
		defer w.stop()
		time.Sleep(2 * w.config.Interval)
		still.Store(true)
		time.Sleep(2 * w.config.Interval)
		if still.Load() {
			t.Fatal("no page was read in two intervals")
		}
		before := h.commands("subnet4-list")
		time.Sleep(2 * w.config.Interval)
		if h.commands("subnet4-list") == before {
			t.Errorf("nothing was read within two intervals after a page that took %s", stands)
		}
	})
}
