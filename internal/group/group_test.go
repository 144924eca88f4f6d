// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	mac    = kea.HWAddress("00:02:12:34:56:78")
	other  = kea.HWAddress("00:00:00:00:00:01")
	within = 20 * time.Second
)

var (
	ip50 = netip.MustParseAddr("10.123.0.50")
	ip51 = netip.MustParseAddr("10.123.0.51")
)

// running is a group of one server, running, and who it said was touched.
type running struct {
	*group.Group

	mu      sync.Mutex
	touched map[kea.HWAddress]int
}

func (r *running) notify(t group.Touched) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for hw := range t.HWAddresses {
		r.touched[hw]++
	}
}

func (r *running) wasTouched(hw kea.HWAddress) int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.touched[hw]
}

// run starts a group on a server. Its snapshots are an hour apart unless said
// otherwise, so that what is seen came from elsewhere.
func run(t *testing.T, cfg kea.Config, change func(*group.Config)) *running {
	t.Helper()
	cfg.Timeout = time.Second
	r := &running{touched: map[kea.HWAddress]int{}}
	c := group.Config{
		Servers: []group.ServerConfig{{Name: "kea1", Kea: cfg}}, Storage: group.StorageAuto, Interval: time.Hour, Cluster: "c1", Notify: r.notify,
	}
	if change != nil {
		change(&c)
	}
	g, err := group.New(c)
	if err != nil {
		t.Fatal(err)
	}
	r.Group = g
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); g.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done })
	return r
}

func static(ip netip.Addr) group.Intent {
	return group.Intent{
		Subnet: group.SubnetRef{Prefix: netip.MustParsePrefix("10.123.0.0/24")}, HWAddress: mac, Address: ip, Resource: "ns/a",
	}
}

// observe observes, and fails the test where that cannot be done.
func (r *running) observe(t *testing.T, in group.Intent) group.Observation {
	t.Helper()
	o, err := r.Observe(t.Context(), in)
	if err != nil {
		t.Fatalf("Observe(...): %v", err)
	}
	return o
}

func (r *running) ensure(t *testing.T, in group.Intent) {
	t.Helper()
	if err := r.Ensure(t.Context(), in); err != nil {
		t.Fatalf("Ensure(...): %v", err)
	}
}

// awaitState observes until the state is as wanted.
func (r *running) awaitState(t *testing.T, in group.Intent, want group.State) group.Observation {
	t.Helper()
	var o group.Observation
	testenv.Eventually(t, within, string(want), func(ctx context.Context) error {
		var err error
		if o, err = r.Observe(ctx, in); err == nil && o.State != want {
			err = fmt.Errorf("it is %s: %s", o.State, o.Message)
		}
		return err
	})
	return o
}

func addresses(rs []kea.Reservation) map[kea.HWAddress]netip.Addr {
	out := map[kea.HWAddress]netip.Addr{}
	for _, r := range rs {
		out[r.HWAddress] = r.IPAddress
	}
	return out
}

// TestFirstLook: who asks before the first look waits for it, and hears why it
// failed; a server that comes up later is found.
func TestFirstLook(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	s.Fail(keatest.Fault{Kind: keatest.Unauthorized})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	_, err := g.Observe(t.Context(), static(ip50))
	if _, ok := errors.AsType[*kea.UnauthorizedError](err); !ok {
		t.Errorf("Observe(...): %v, want an UnauthorizedError", err)
	}
	s.ClearFaults()
	g.awaitState(t, static(ip50), group.Pending)
}

// TestWaitingShares: those who wait for a lease share the looks that they ask
// for, and each hears of its own lease alone.
func TestWaitingShares(t *testing.T) {
	t.Parallel()
	const devices = 500
	s := keatest.New(t, keatest.Options{Subnets: []kea.SubnetDetail{keatest.Subnet(1, "10.123.0.0/16")}})
	intents := make([]group.Intent, devices)
	for i := range intents {
		hw := kea.HWAddress(fmt.Sprintf("00:02:00:00:%02x:%02x", i/256, i%256))
		intents[i] = group.Intent{Subnet: group.SubnetRef{Prefix: netip.MustParsePrefix("10.123.0.0/16")}, HWAddress: hw, Resource: "ns/" + string(hw)}
	}
	g := run(t, s.ClientConfig(), nil)
	g.observe(t, intents[0])
	for i, in := range intents {
		s.AddLease(kea.Lease{
			IPAddress: netip.AddrFrom4([4]byte{10, 123, byte(1 + i/200), byte(1 + i%200)}), HWAddress: in.HWAddress, SubnetID: 1,
			CLTT: time.Now(), ValidLifetime: time.Hour,
		})
	}
	s.ResetCommands()
	var wg sync.WaitGroup
	for _, in := range intents {
		wg.Go(func() {
			if _, err := g.Observe(t.Context(), in); err != nil {
				t.Errorf("Observe(...): %v", err)
			}
		})
	}
	wg.Wait()
	testenv.Eventually(t, within, "everybody to be told", func(context.Context) error {
		for _, in := range intents {
			if g.wasTouched(in.HWAddress) == 0 {
				return fmt.Errorf("%s was not told of its lease", in.HWAddress)
			}
		}
		return nil
	})
	commands := s.Commands()
	for _, in := range intents {
		if o := g.observe(t, in); o.State != group.Pending || g.wasTouched(in.HWAddress) != 1 {
			t.Errorf("%s is %s, and was told %d times of its lease", in.HWAddress, o.State, g.wasTouched(in.HWAddress))
		}
	}
	if n := commands["lease4-get-page"] + commands["lease4-get-by-hw-address"]; n > 60 {
		t.Errorf("%d devices cost %d look-ups, want a few shared ones: %v", devices, n, commands)
	}
}

// TestNewerLease: what is reserved is the address that the device has now, not
// the one that it had when the last snapshot was taken.
func TestNewerLease(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	lease := kea.Lease{IPAddress: ip50, HWAddress: mac, SubnetID: 1, CLTT: time.Now().Add(-time.Minute), ValidLifetime: time.Hour}
	s.AddLease(lease)
	g := run(t, s.ClientConfig(), nil)
	in := static(netip.Addr{})
	if o := g.observe(t, in); o.Address != ip50 {
		t.Errorf("%s is to be reserved, want the leased %s", o.Address, ip50)
	}
	lease.IPAddress, lease.CLTT = ip51, time.Now()
	s.AddLease(lease)
	testenv.Eventually(t, within, "the newer lease to count", func(ctx context.Context) error {
		o, err := g.Observe(ctx, in)
		if err == nil && o.Address != ip51 {
			err = fmt.Errorf("%s is to be reserved", o.Address)
		}
		return err
	})
	s.RemoveLease(ip50)
	s.RemoveLease(ip51)
	g.awaitState(t, in, group.AwaitingLease)
}

// TestQuiet: observing costs no command, and snapshots that say the same wake
// nobody.
func TestQuiet(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	g.ensure(t, static(ip50))
	g.awaitState(t, static(ip50), group.Reserved)
	told := g.wasTouched(mac)
	before := s.Commands()["reservation-get-page"]
	for range 1000 {
		g.observe(t, static(ip50))
	}
	testenv.Eventually(t, within, "two more snapshots", func(context.Context) error {
		if n := s.Commands()["reservation-get-page"] - before; n < 4 {
			return fmt.Errorf("%d pages so far", n)
		}
		return nil
	})
	if n := g.wasTouched(mac) - told; n != 0 {
		t.Errorf("a quiet device was told %d times of nothing", n)
	}
	commands := s.Commands()
	if commands["reservation-get"] != 1 || commands["reservation-add"] != 1 {
		t.Errorf("1,000 observations cost commands of their own: %v", commands)
	}
}

// TestRestart: a server that has lost its memory hosts is noticed by its uptime
// long before the next snapshot, and what comes back has in it what others had
// set.
func TestRestart(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	s.PutReservation(kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, BootFileName: "theirs"})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = 6 * time.Second })
	g.ensure(t, static(ip50))
	s.Restart()
	g.awaitState(t, static(ip50), group.Pending)
	if g.wasTouched(mac) == 0 {
		t.Error("nobody was told")
	}
	g.ensure(t, static(ip50))
	for _, r := range s.Reservations(kea.TargetMemory) {
		if r.BootFileName != "theirs" {
			t.Errorf("what somebody else had set did not come back: %+v", r)
		}
	}
}
