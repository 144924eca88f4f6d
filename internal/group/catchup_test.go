// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// outage keeps commands from a server, while it is set.
type outage struct {
	http.RoundTripper

	on atomic.Bool
	// busy is how long the server has worked on commands, which take as long as it says.
	takes time.Duration
	busy  atomic.Int64
	// one has room for the command that it works on.
	one chan struct{}
}

// RoundTrip sends a command.
func (o *outage) RoundTrip(r *http.Request) (*http.Response, error) {
	if o.on.Load() {
		return nil, errors.New("connection refused")
	}
	o.one <- struct{}{}
	defer func() { <-o.one }()
	time.Sleep(o.takes)
	o.busy.Add(int64(o.takes))
	return o.RoundTripper.RoundTrip(r)
}

// fleet applies intents as a controller does: again when they are notified.
type fleet struct {
	t     *testing.T
	group *group.Group
	todo  sync.WaitGroup

	mu      sync.Mutex // guards intents
	intents map[kea.HWAddress]reservation.Intent
}

func (f *fleet) want(i, address int) {
	hw := kea.HWAddress(fmt.Sprintf("02:00:00:01:00:%02x", i))
	f.mu.Lock()
	f.intents[hw] = reservation.Intent{
		Resource: fmt.Sprintf("ns/vm%d", i), HWAddress: hw, Address: netip.AddrFrom4([4]byte{10, 64, 0, byte(address)}),
		Subnet: reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.64.0.0/16")},
	}
	f.mu.Unlock()
	f.apply(hw)
}

func (f *fleet) apply(hw kea.HWAddress) {
	f.mu.Lock()
	in, ok := f.intents[hw]
	f.mu.Unlock()
	if !ok {
		return
	}
	if o, err := f.group.Observe(in); err == nil && len(o.Steps) == 0 {
		return
	}
	if _, err := f.group.Apply(f.t.Context(), in); err != nil {
		f.t.Errorf("%s: %v", in.Resource, err)
	}
}

func (f *fleet) notify(c mirror.Changes) {
	for hw := range c.HWAddresses {
		f.todo.Go(func() { f.apply(hw) })
	}
}

// TestCatchUp: a server that returns is brought up to date in at most half of its time, and a user does
// not wait for that.
func TestCatchUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size, takes = 30, 50 * time.Millisecond
		w := newWorld(t)
		w.servers = 2
		w.startKeas()
		kea2 := &outage{RoundTripper: w.config.Servers[1].Kea.Transport, one: make(chan struct{}, 1)}
		w.config.Servers[1].Kea.Transport = kea2
		f := &fleet{t: t, intents: map[kea.HWAddress]reservation.Intent{}}
		w.config.Notify = f.notify
		w.start()
		defer w.stop()
		f.group = w.group
		for i := range size {
			f.want(i, 10+i)
		}
		kea2.on.Store(true)
		time.Sleep(time.Minute)
		for i := range size {
			f.want(i, 100+i)
		}

		kea2.takes = takes
		kea2.on.Store(false)
		returned := time.Now()
		upToDate := func() int {
			n := 0
			for _, r := range w.keas[1].Reservations(kea.TargetMemory) {
				if r.IPAddress.As4()[3] >= 100 {
					n++
				}
			}
			return n
		}
		for upToDate() == 0 {
			time.Sleep(takes)
		}
		began, busy := time.Now(), kea2.busy.Load()
		for upToDate() < size/3 {
			time.Sleep(takes)
		}
		asked := time.Now()
		f.want(size, 100+size)
		if took := time.Since(asked); took > 3*6*takes {
			t.Errorf("a new reservation took %s while the server was caught up", took)
		}
		for upToDate() < size+1 {
			time.Sleep(takes)
			if time.Since(returned) > 10*time.Minute {
				t.Fatalf("%d of %d are up to date", upToDate(), size+1)
			}
		}
		elapsed := time.Since(began)
		share := float64(kea2.busy.Load()-busy) / float64(elapsed)
		t.Logf("%d reservations in %s, during %.0f %% of which the server worked on commands", size, elapsed, 100*share)
		if share > 0.6 { // The loop's own commands and the user's are among them.
			t.Errorf("the server worked on commands for %.0f %% of the time", 100*share)
		}
		f.todo.Wait()
	})
}
