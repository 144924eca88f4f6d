// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestLostDatabase: a Kea that has lost its database and goes on serving answers
// as if it were empty. Nobody's reservation is gone for that.
func TestLostDatabase(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{Database: keatest.NewDatabase()})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	g.ensure(t, static(ip50))
	g.awaitState(t, static(ip50), group.Reserved)
	told := g.wasTouched(mac)
	s.LoseDatabase()
	testenv.Eventually(t, within, "Observe to fail", func(ctx context.Context) error {
		o, err := g.Observe(ctx, static(ip50))
		if err != nil {
			return nil
		}
		if o.State != group.Reserved {
			t.Errorf("Observe(...): %s, want what was last known or an error", o.State)
		}
		return errors.New("it still succeeds")
	})
	if err := g.Release(t.Context(), static(ip50)); err == nil {
		t.Error("Release(...): nil, though the database cannot confirm")
	}
	s.RestoreDatabase()
	g.awaitState(t, static(ip50), group.Reserved)
	if n := g.wasTouched(mac) - told; n != 0 {
		t.Errorf("the device was told %d times of a reservation that was there all the time", n)
	}
}

// TestMissedSnapshot: one snapshot that cannot be read turns nobody over.
func TestMissedSnapshot(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	g.ensure(t, static(ip50))
	g.awaitState(t, static(ip50), group.Reserved)
	told := g.wasTouched(mac)
	s.Fail(keatest.Fault{Command: "reservation-get-page", Kind: keatest.ServerError, Times: 1})
	before := s.Commands()["reservation-get-page"]
	testenv.Eventually(t, within, "two more snapshots", func(context.Context) error {
		if o := g.observe(t, static(ip50)); o.State != group.Reserved {
			t.Errorf("Observe(...): %s, want what was last known", o.State)
		}
		if n := s.Commands()["reservation-get-page"] - before; n < 5 {
			return fmt.Errorf("%d pages so far", n)
		}
		return nil
	})
	if n := g.wasTouched(mac) - told; n != 0 {
		t.Errorf("the device was told %d times", n)
	}
}

// TestUnknownDetail: what a subnet gives its devices is not known where it cannot
// be read, which is not the same as none, and is read later.
func TestUnknownDetail(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	s.Fail(keatest.Fault{Command: "subnet4-get", Kind: keatest.ServerError, Times: 1})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	if o := g.observe(t, static(ip50)); o.Detail != nil {
		t.Errorf("Observe(...): %+v, want nothing known of the subnet's options", o.Detail)
	}
	testenv.Eventually(t, within, "the subnet's options to be known", func(context.Context) error {
		if o := g.observe(t, static(ip50)); o.Detail == nil {
			return errors.New("they are not")
		}
		return nil
	})
}

// TestWaitingInLostSubnet: nobody asks for the lease of a device in a subnet that
// is gone.
func TestWaitingInLostSubnet(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = 6 * time.Second })
	g.awaitState(t, static(netip.Addr{}), group.AwaitingLease)
	s.SetSubnets(keatest.Subnet(7, "10.7.0.0/24"))
	g.awaitState(t, static(netip.Addr{}), group.SubnetNotFound)
	before := s.Commands()
	testenv.Eventually(t, within, "two more looks", func(context.Context) error {
		if n := s.Commands()["status-get"] - before["status-get"]; n < 3 {
			return fmt.Errorf("%d so far", n)
		}
		return nil
	})
	if n := s.Commands()["lease4-get-by-hw-address"] - before["lease4-get-by-hw-address"]; n != 0 {
		t.Errorf("the lease was asked for %d times", n)
	}
}

// TestFailedReads: a server that cannot be asked is an error, never "not there".
func TestFailedReads(t *testing.T) {
	cases := map[string]keatest.FaultKind{
		"Refused": keatest.Refuse, "Hangs": keatest.Hang, "Unauthorized": keatest.Unauthorized, "Forbidden": keatest.Forbidden,
		"ServerError": keatest.ServerError, "CutJSON": keatest.CutJSON, "Rejected": keatest.Reject,
	}
	for name, kind := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := keatest.New(t, keatest.Options{})
			g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
			g.ensure(t, static(ip50))
			g.awaitState(t, static(ip50), group.Reserved)
			s.Fail(keatest.Fault{Kind: kind})
			var failed error
			testenv.Eventually(t, within, "Observe to fail", func(ctx context.Context) error {
				o, err := g.Observe(ctx, static(ip50))
				if err == nil {
					if o.State != group.Reserved {
						t.Errorf("Observe(...): %s, want what was last known or an error", o.State)
					}
					return errors.New("it still succeeds")
				}
				failed = err
				return nil
			})
			if errors.Is(failed, kea.ErrNotFound) {
				t.Errorf("Observe(...): %v, which says that Kea does not have it", failed)
			}
			if err := g.Release(t.Context(), static(ip50)); err == nil {
				t.Error("Release(...): nil, though the server cannot confirm")
			}
			s.ClearFaults()
			g.awaitState(t, static(ip50), group.Reserved)
		})
	}
}
