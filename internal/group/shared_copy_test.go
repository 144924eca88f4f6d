// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// guard calls a function before each deletion of a reservation in memory.
type guard struct {
	http.RoundTripper

	before func()
}

// RoundTrip sends a command.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if bytes.Contains(body, []byte(`"reservation-del"`)) && bytes.Contains(body, []byte(`"memory"`)) {
		g.before()
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return g.RoundTripper.RoundTrip(r)
}

// TestSharedCopy: one database is behind two servers, and the second one has a copy in memory. The copy
// stays until the database has the reservation, also where that cannot be written through the first
// server.
func TestSharedCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.servers, w.config.Shared, w.options.Database = 2, true, keatest.NewDatabase()
		w.startKeas()
		second := &w.config.Servers[1].Kea
		second.Transport = &guard{RoundTripper: second.Transport, before: func() {
			if len(w.kea.Reservations(kea.TargetDatabase)) == 0 {
				t.Error("the copy in memory is removed, and the database has no reservation")
			}
		}}
		w.start()
		defer w.stop()
		w.step("kea2 put memory 02:00:00:01:00:01 10.64.0.50 hostname=old")
		w.step("tick 31s")
		w.step("kea fail reservation-add Refuse 2")
		w.step("want vm01 02:00:00:01:00:01 10.64.0.50")
		w.step("tick 31s")
		w.step("tick 31s")
		time.Sleep(time.Second)
		if got := w.keas[1].Reservations(kea.TargetMemory); len(got) != 0 {
			t.Errorf("memory still has %v", got)
		}
	})
}
