// SPDX-License-Identifier: Apache-2.0

package keatest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// What Kea does is in the contract suite of package kea. Here is what only a fake does.

const hw = kea.HWAddress("00:02:12:34:56:78")

var equate = cmp.Options{cmp.Comparer(func(a, b netip.Addr) bool { return a == b }), cmpopts.EquateEmpty()}

func client(t *testing.T, k *keatest.Server) *kea.Client {
	t.Helper()
	c, err := kea.NewClient(k.ClientConfig())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func reservation() kea.Reservation {
	return kea.Reservation{SubnetID: 1, HWAddress: hw, IPAddress: netip.MustParseAddr("10.123.0.50")}
}

func TestFaults(t *testing.T) {
	var (
		unreachable  *kea.UnreachableError
		unauthorized *kea.UnauthorizedError
		malformed    *kea.MalformedError
		rejected     *kea.RejectedError
	)
	cases := map[keatest.FaultKind]struct {
		reason  string
		want    any
		applied bool
	}{
		keatest.Refuse:       {"Nothing was done.", &unreachable, false},
		keatest.LoseAnswer:   {"It was done, unknown to the client.", &unreachable, true},
		keatest.Unauthorized: {"Nothing was done.", &unauthorized, false},
		keatest.Forbidden:    {"Nothing was done.", &unauthorized, false},
		keatest.ServerError:  {"Nothing was done.", &unreachable, false},
		keatest.CutJSON:      {"It was done, and the answer is of no use.", &malformed, true},
		keatest.Reject:       {"Nothing was done.", &rejected, false},
	}
	for kind, tc := range cases {
		t.Run(string(kind), func(t *testing.T) {
			k := keatest.New(t, keatest.Options{})
			c := client(t, k)
			k.Fail(keatest.Fault{Command: "reservation-add", Kind: kind, Times: 1})
			if _, err := c.Status(t.Context()); err != nil {
				t.Errorf("another command: %v", err)
			}
			if err := c.AddReservation(t.Context(), kea.TargetMemory, reservation()); !errors.As(err, tc.want) {
				t.Errorf("%s got %v", tc.reason, err)
			}
			if applied := len(k.Reservations(kea.TargetMemory)) == 1; applied != tc.applied {
				t.Errorf("%s applied: got %t", tc.reason, applied)
			}
			k.DropReservation(kea.TargetMemory, reservation())
			if err := c.AddReservation(t.Context(), kea.TargetMemory, reservation()); err != nil {
				t.Errorf("after the fault: %v", err)
			}
			if diff := cmp.Diff(map[string]int{"status-get": 1, "reservation-add": 2}, k.Commands()); diff != "" {
				t.Errorf("Commands: -want +got:\n%s", diff)
			}
		})
	}
}

func TestHang(t *testing.T) {
	k := keatest.New(t, keatest.Options{})
	c := client(t, k)
	k.Fail(keatest.Fault{Kind: keatest.Hang})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		_, err := c.Status(ctx)
		done <- err
	}()
	for k.Commands()["status-get"] == 0 { // It has arrived, and hangs.
		select {
		case err := <-done:
			t.Fatalf("it did not hang: %v", err)
		default:
		}
	}
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("a client that gives up: got %v", err)
	}
	k.ClearFaults()
	if _, err := c.Status(t.Context()); err != nil {
		t.Errorf("after ClearFaults: %v", err)
	}
}

func TestBehindTheBack(t *testing.T) {
	k := keatest.New(t, keatest.Options{Database: keatest.NewDatabase()})
	c := client(t, k)
	r := reservation()
	r.UserContext = map[string]any{"who": "another"}
	k.PutReservation(kea.TargetDatabase, r)
	got, err := c.Reservation(t.Context(), kea.TargetDatabase, 1, hw)
	if diff := cmp.Diff(r, got, equate); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	r.Hostname = "changed"
	k.PutReservation(kea.TargetDatabase, r)
	if diff := cmp.Diff([]kea.Reservation{r}, k.Reservations(kea.TargetDatabase), equate); diff != "" {
		t.Errorf("put again: -want +got:\n%s", diff)
	}
	k.DropReservation(kea.TargetDatabase, r)
	if _, err := c.Reservation(t.Context(), kea.TargetDatabase, 1, hw); !errors.Is(err, kea.ErrNotFound) {
		t.Errorf("dropped: got %v", err)
	}
}

func TestRestartReloadAndSubnets(t *testing.T) {
	now := time.Unix(1700000000, 0)
	k := keatest.New(t, keatest.Options{Database: keatest.NewDatabase(), Now: func() time.Time { return now }})
	c := client(t, k)
	k.PutReservation(kea.TargetMemory, reservation())
	k.PutReservation(kea.TargetDatabase, reservation())
	k.AddLease(kea.Lease{IPAddress: netip.MustParseAddr("10.123.0.9"), HWAddress: hw, SubnetID: 1, CLTT: now, ValidLifetime: time.Hour})
	now = now.Add(time.Minute)
	before, err := c.Status(t.Context())
	if diff := cmp.Diff(kea.Status{PID: before.PID, Uptime: time.Minute, Reload: time.Minute}, before); err != nil || diff != "" {
		t.Errorf("before: %v, -want +got:\n%s", err, diff)
	}
	k.Restart()
	k.SetHA(kea.HAStatus{Mode: "hot-standby", ServerName: "a", Role: "primary", State: "partner-down", PeerName: "b", PeerState: "unavailable", PeerInterrupted: true})
	after, err := c.Status(t.Context())
	want := kea.Status{PID: before.PID + 1, HA: []kea.HAStatus{{
		Mode: "hot-standby", ServerName: "a", Role: "primary", State: "partner-down", PeerName: "b", PeerState: "unavailable", PeerInterrupted: true,
	}}}
	if diff := cmp.Diff(want, after); err != nil || diff != "" {
		t.Errorf("after: %v, -want +got:\n%s", err, diff)
	}
	if n, m := len(k.Reservations(kea.TargetMemory)), len(k.Reservations(kea.TargetDatabase)); n != 0 || m != 1 {
		t.Errorf("after a restart there are %d hosts in memory and %d in the database, want 0 and 1", n, m)
	}
	k.PutReservation(kea.TargetMemory, reservation())
	k.SetSubnets(keatest.Subnet(7, "10.9.0.0/24"))
	if n := len(k.Reservations(kea.TargetMemory)); n != 0 {
		t.Errorf("%d hosts in memory survive their subnet", n)
	}
	subnets, err := c.Subnets(t.Context())
	if err != nil || len(subnets) != 1 || subnets[0].ID != 7 {
		t.Errorf("Subnets: got %v, %v", subnets, err)
	}
	leases, err := c.LeasesByHWAddress(t.Context(), hw)
	if err != nil || len(leases) != 1 {
		t.Errorf("leases: got %v, %v", leases, err)
	}
	k.RemoveLease(leases[0].IPAddress)
	if leases, err = c.LeasesByHWAddress(t.Context(), hw); err != nil || len(leases) != 0 {
		t.Errorf("leases: got %v, %v", leases, err)
	}
}

func TestSharedDatabase(t *testing.T) {
	db := keatest.NewDatabase()
	a, b := keatest.New(t, keatest.Options{Database: db}), keatest.New(t, keatest.Options{Database: db})
	if err := client(t, a).AddReservation(t.Context(), kea.TargetDatabase, reservation()); err != nil {
		t.Fatal(err)
	}
	if _, err := client(t, b).Reservation(t.Context(), kea.TargetDatabase, 1, hw); err != nil {
		t.Errorf("the other server: %v", err)
	}
}

func TestManyAtOnce(t *testing.T) {
	k := keatest.New(t, keatest.Options{Database: keatest.NewDatabase(), Username: "admin", Password: "s3cret"})
	c := client(t, k)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			r := kea.Reservation{SubnetID: 1, HWAddress: kea.HWAddress(fmt.Sprintf("00:00:00:00:00:%02x", i))}
			if err := c.AddReservation(t.Context(), kea.TargetDatabase, r); err != nil {
				t.Error(err)
			}
			for _, err := range c.ReservationPages(t.Context(), 10) {
				if err != nil {
					t.Error(err)
				}
			}
			k.PutReservation(kea.TargetMemory, r)
			k.Reservations(kea.TargetMemory)
		})
	}
	wg.Wait()
	if n := len(k.Reservations(kea.TargetDatabase)); n != 20 {
		t.Errorf("got %d hosts, want 20", n)
	}
	k.ResetCommands()
	if got := k.Commands(); len(got) != 0 {
		t.Errorf("Commands after ResetCommands: %v", got)
	}
}
