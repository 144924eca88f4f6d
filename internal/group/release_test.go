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

// markedBy is a user-context with a mark in it.
func markedBy(cluster, resource string) map[string]any {
	return map[string]any{"crossplane": map[string]any{"cluster": cluster, "resource": resource}}
}

// TestLeft: what is ours is found and removed though its subnet cannot be looked
// up, or is gone; "cannot tell" is never "not there".
func TestLeft(t *testing.T) {
	ours := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: markedBy("c1", "ns/a")}
	unmarked := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50}
	theirs := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: markedBy("c2", "ns/a")}
	cases := map[string]struct {
		reason  string
		has     kea.Reservation
		options keatest.Options
		had     bool
		left    bool
	}{
		"Ours":        {reason: "What carries the mark is left.", has: ours, left: true},
		"Had":         {reason: "So is what was held, and lost its mark.", has: unmarked, had: true, left: true},
		"Unmarked":    {reason: "What was never held is not ours.", has: unmarked},
		"Theirs":      {reason: "What somebody else marked is theirs, though we once held it.", has: theirs, had: true},
		"HookMissing": {reason: "A subnet that cannot be looked up hides nothing that is marked.", has: ours, options: keatest.Options{MissingHooks: []string{keatest.HookSubnetCmds}}, left: true},
		"SubnetGone":  {reason: "A database keeps the hosts of a subnet that is gone.", has: ours, options: keatest.Options{Subnets: []kea.SubnetDetail{keatest.Subnet(7, "10.9.0.0/24")}}, left: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tc.options.Database = keatest.NewDatabase()
			s := keatest.New(t, tc.options)
			s.PutReservation(kea.TargetDatabase, tc.has)
			g := run(t, s.ClientConfig(), nil)
			left, err := g.Left(t.Context(), static(ip50), tc.had)
			if err != nil || left != tc.left {
				t.Fatalf("%s\nLeft(...): %t, %v, want %t", tc.reason, left, err, tc.left)
			}
			if !left {
				return
			}
			if err := g.Release(t.Context(), static(ip50)); err != nil {
				t.Fatalf("%s\nRelease(...): %v", tc.reason, err)
			}
			if n := len(s.Reservations(kea.TargetDatabase)); n != 0 {
				t.Errorf("%s\nKea still holds %d", tc.reason, n)
			}
			if left, err := g.Left(t.Context(), static(ip50), tc.had); err != nil || left {
				t.Errorf("%s\nLeft(...) after Release: %t, %v", tc.reason, left, err)
			}
		})
	}
}

// TestRelease: what is marked as somebody else's stays, also in the other place.
func TestRelease(t *testing.T) {
	theirs := map[string]any{"crossplane": map[string]any{"cluster": "c2", "resource": "ns/a"}}
	cases := map[string]struct {
		reason           string
		memory, database *kea.Reservation
		left             int
	}{
		"Both":    {reason: "It is removed wherever it is.", memory: &kea.Reservation{}, database: &kea.Reservation{}},
		"Foreign": {reason: "Another cluster's stays.", database: &kea.Reservation{UserContext: theirs}, left: 1},
		"Mixed":   {reason: "A copy without a mark goes, another cluster's stays.", memory: &kea.Reservation{}, database: &kea.Reservation{UserContext: theirs}, left: 1},
		"None":    {reason: "Nothing to remove is no error."},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := keatest.New(t, keatest.Options{Database: keatest.NewDatabase()})
			for place, r := range map[kea.Target]*kea.Reservation{kea.TargetMemory: tc.memory, kea.TargetDatabase: tc.database} {
				if r != nil {
					r.SubnetID, r.HWAddress, r.IPAddress = 1, mac, ip50
					s.PutReservation(place, *r)
				}
			}
			g := run(t, s.ClientConfig(), nil)
			if err := g.Release(t.Context(), static(ip50)); err != nil {
				t.Fatalf("%s\nRelease(...): %v", tc.reason, err)
			}
			left := len(s.Reservations(kea.TargetMemory)) + len(s.Reservations(kea.TargetDatabase))
			if left != tc.left {
				t.Errorf("%s\nKea still holds %d, want %d", tc.reason, left, tc.left)
			}
		})
	}
}

// TestReleaseAdopted: who once took a reservation over does not take it again in
// order to remove it.
func TestReleaseAdopted(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	g := run(t, s.ClientConfig(), nil)
	in := static(ip50)
	in.Adopt = true
	g.ensure(t, in)
	r := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip50, UserContext: markedBy("c2", "ns/b")}
	s.DropReservation(kea.TargetMemory, r)
	s.PutReservation(kea.TargetMemory, r)
	if err := g.Release(t.Context(), in); err == nil {
		t.Error("Release(...): nil, want to hear whose it is now")
	}
	if n := len(s.Reservations(kea.TargetMemory)); n != 1 {
		t.Errorf("Kea holds %d, want the other cluster's", n)
	}
}

// TestReleaseSaved: with persist, what is removed does not come back with a
// restart of Kea.
func TestReleaseSaved(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	t.Run("Lifetime", func(t *testing.T) {
		g := run(t, s.ClientConfig(), func(c *group.Config) { c.Persist, c.Interval = true, time.Second })
		g.ensure(t, static(ip50))
		testenv.Eventually(t, within, "the reservation to be saved", func(context.Context) error {
			if s.Commands()["config-write"] == 0 {
				return errors.New("it is not")
			}
			return nil
		})
		if err := g.Release(t.Context(), static(ip50)); err != nil {
			t.Fatal(err)
		}
	})
	s.Restart()
	if n := len(s.Reservations(kea.TargetMemory)); n != 0 {
		t.Errorf("Kea holds %d after its restart", n)
	}
}

// TestFasterOther: a change that somebody makes between a write and its reading
// back is drift, not Kea's way of writing.
func TestFasterOther(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	g := run(t, between(t, s, "reservation-get", func() {
		r := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip51, UserContext: markedBy("c1", "ns/a")}
		s.DropReservation(kea.TargetMemory, r)
		s.PutReservation(kea.TargetMemory, r)
	}), nil)
	g.observe(t, static(ip50))
	testenv.Eventually(t, within, "Ensure to succeed", func(ctx context.Context) error { return g.Ensure(ctx, static(ip50)) })
	held := s.Reservations(kea.TargetMemory)
	if len(held) != 1 || held[0].IPAddress != ip50 {
		t.Errorf("Kea holds %+v, want %s", held, ip50)
	}
	g.awaitState(t, static(ip50), group.Reserved)
}

// TestLostOfOthers: what another cluster removed is not put back by us.
func TestLostOfOthers(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	r := kea.Reservation{SubnetID: 1, HWAddress: mac, IPAddress: ip51, Hostname: "theirs", UserContext: markedBy("c2", "ns/b")}
	s.PutReservation(kea.TargetMemory, r)
	s.AddLease(kea.Lease{IPAddress: ip50, HWAddress: mac, SubnetID: 1, CLTT: time.Now(), ValidLifetime: time.Hour})
	g := run(t, s.ClientConfig(), func(c *group.Config) { c.Interval = time.Second })
	in := static(netip.Addr{})
	g.awaitState(t, in, group.OwnedByAnother)
	s.DropReservation(kea.TargetMemory, r)
	if o := g.awaitState(t, in, group.Pending); o.Address != ip50 {
		t.Errorf("Observe(...): would reserve %s, want the lease's %s", o.Address, ip50)
	}
	g.ensure(t, in)
	if held := s.Reservations(kea.TargetMemory); len(held) != 1 || held[0].Hostname != "" {
		t.Errorf("Kea holds %+v, want nothing of what others had set", held)
	}
}

// TestHolderMoves: who waits for an address hears when our own write frees it.
func TestHolderMoves(t *testing.T) {
	t.Parallel()
	s := keatest.New(t, keatest.Options{})
	freed := make(chan group.Touched, 100)
	g := run(t, s.ClientConfig(), func(c *group.Config) {
		c.Notify = func(t group.Touched) { freed <- t }
	})
	g.ensure(t, static(ip50))
	g.ensure(t, static(ip51))
	testenv.Eventually(t, within, "who waits for the address to be told", func(context.Context) error {
		for {
			select {
			case touched := <-freed:
				if _, ok := touched.Addresses[ip50]; ok {
					return nil
				}
			default:
				return fmt.Errorf("nobody is told of %s", ip50)
			}
		}
	})
}
