// SPDX-License-Identifier: Apache-2.0

package keatest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// Without sockets, faults are seen as over a socket, and time is that of the bubble.
func TestOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keatest.NewOffline(t, keatest.Options{Username: "admin", Password: "s3cret"})
		c := client(t, k)
		if err := c.AddReservation(t.Context(), kea.TargetMemory, reservation()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		if s, err := c.Status(t.Context()); err != nil || s.Uptime != time.Hour {
			t.Errorf("Status: got %+v, %v, want an uptime of 1h", s, err)
		}
		k.Restart()
		if s, err := c.Status(t.Context()); err != nil || s.Uptime != 0 || s.PID != 1001 {
			t.Errorf("Status after a restart: got %+v, %v", s, err)
		}

		k.ResetLog()
		for _, kind := range []keatest.FaultKind{keatest.Refuse, keatest.LoseAnswer} {
			k.Fail(keatest.Fault{Kind: kind, Times: 1})
			_, err := c.Version(t.Context())
			const want = "cannot reach Kea: the connection was closed before an answer: kea-dhcp4 stopped, or its port wants https"
			if err == nil || err.Error() != want {
				t.Errorf("%s: got %v, want %s", kind, err, want)
			}
		}
		k.Fail(keatest.Fault{Kind: keatest.CutJSON, Times: 1})
		if _, err := c.Version(t.Context()); err == nil {
			t.Error("CutJSON: got no error")
		}
		want := []string{"version-get -> Refuse", "version-get -> 0 LoseAnswer", "version-get -> 0 CutJSON"}
		if diff := cmp.Diff(want, k.Log()); diff != "" {
			t.Errorf("Log: -want +got:\n%s", diff)
		}
	})
}

// What hangs ends with the timeout, with the context, or with ClearFaults, and leaves no goroutine.
func TestOfflineHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keatest.NewOffline(t, keatest.Options{})
		c := client(t, k)
		k.Fail(keatest.Fault{Kind: keatest.Hang})
		began := time.Now()
		_, err := c.Version(t.Context())
		const want = "cannot reach Kea: no answer in time: kea-dhcp4 hangs or is overloaded"
		if took := time.Since(began); took != kea.DefaultTimeout || err == nil || err.Error() != want {
			t.Errorf("the timeout: got %v after %s, want %s after %s", err, took, want, kea.DefaultTimeout)
		}

		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := c.Version(ctx); done <- err }()
		synctest.Wait()
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("the context: got %v", err)
		}

		go func() { _, err := c.Version(t.Context()); done <- err }()
		synctest.Wait()
		k.ClearFaults()
		var unreachable *kea.UnreachableError
		if err := <-done; !errors.As(err, &unreachable) {
			t.Errorf("ClearFaults: got %v", err)
		}
		if _, err := c.Version(t.Context()); err != nil {
			t.Errorf("after ClearFaults: %v", err)
		}
	})
}

func TestLog(t *testing.T) {
	k := keatest.NewOffline(t, keatest.Options{Database: keatest.NewDatabase(), Forbidden: []string{"config-write"}})
	c := client(t, k)
	ctx, r := t.Context(), reservation()
	_ = c.AddReservation(ctx, kea.TargetMemory, r)
	_ = c.AddReservation(ctx, kea.TargetMemory, r)
	_ = c.UpdateReservation(ctx, kea.TargetDatabase, r)
	_, _ = c.Reservation(ctx, kea.TargetMemory, 1, hw)
	_, _ = c.ReservationsByAddress(ctx, kea.TargetDatabase, 1, r.IPAddress)
	_, _ = c.ReservationsByID(ctx, hw)
	_ = c.DeleteReservation(ctx, kea.TargetMemory, 1, hw)
	_, _ = c.LeasesByHWAddress(ctx, hw)
	_, _ = c.Subnet(ctx, 1)
	_ = c.WriteConfig(ctx)
	for range c.LeasePages(ctx, 10) {
	}
	for range c.ReservationPages(ctx, 10) {
	}
	want := []string{
		"reservation-add memory 1 00:02:12:34:56:78 10.123.0.50 -> 0",
		"reservation-add memory 1 00:02:12:34:56:78 10.123.0.50 -> 1",
		"reservation-update database 1 00:02:12:34:56:78 10.123.0.50 -> 1",
		"reservation-get memory 1 00:02:12:34:56:78 -> 0",
		"reservation-get-by-address database 1 10.123.0.50 -> 3",
		"reservation-get-by-id 00:02:12:34:56:78 -> 0",
		"reservation-del memory 1 00:02:12:34:56:78 -> 0",
		"lease4-get-by-hw-address 00:02:12:34:56:78 -> 3",
		"subnet4-get 1 -> 0",
		"config-write -> HTTP 403",
		"lease4-get-page from start -> 3",
		"reservation-get-page -> 3",
		"subnet4-list -> 0",
		"reservation-get-page 0 from 1:0 -> 3",
		"reservation-get-page 1 from 1:0 -> 3",
	}
	if diff := cmp.Diff(want, k.Log()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
