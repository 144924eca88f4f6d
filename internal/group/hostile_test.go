// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strings"
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

// hostile answers the commands for which reply returns something itself.
type hostile struct {
	http.RoundTripper

	reply func(command string, n int) string

	mu   sync.Mutex // guards sent
	sent map[string]int
}

// count counts a command, and returns how often it was sent.
func (h *hostile) count(command string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.sent[command]++
	return h.sent[command]
}

// commands returns how often a command was sent.
func (h *hostile) commands(command string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.sent[command]
}

// RoundTrip answers a command.
func (h *hostile) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	var c struct {
		Command string `json:"command"`
	}
	if err := json.Unmarshal(body, &c); err != nil {
		return nil, err
	}
	if text := h.reply(c.Command, h.count(c.Command)); text != "" {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(text)), Request: r}, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return h.RoundTripper.RoundTrip(r)
}

// startHostile starts a group whose server answers some commands with what reply returns.
func startHostile(t *testing.T, change func(*group.Config), reply func(command string, n int) string) (*world, *hostile) {
	t.Helper()
	w := newWorld(t)
	w.startKeas()
	h := &hostile{RoundTripper: w.config.Servers[0].Kea.Transport, sent: map[string]int{}, reply: reply}
	w.config.Servers[0].Kea.Transport = h
	change(&w.config)
	w.start()
	return w, h
}

const page = `[{"result": 0, "arguments": {"hosts": [%s], "next": {"from": %d, "source-index": 0}}}]`

// TestHostileServer: a server with a listing that has no end, or is more than is kept of one, is not
// used, and says why. It is not read again before the next interval.
func TestHostileServer(t *testing.T) {
	for name, tc := range map[string]struct {
		reason string
		reply  func(command string, n int) string
		want   string
		pages  int
	}{
		"Circle": {"The same thousand hosts in each page.", func(command string, n int) string {
			if command != "reservation-get-page" {
				return ""
			}
			hosts := make([]string, 0, 1000)
			for i := range 1000 {
				hosts = append(hosts, fmt.Sprintf(`{"hw-address": "02:00:00:00:%02x:%02x", "subnet-id": 1}`, i>>8, i&0xff))
			}
			return fmt.Sprintf(page, strings.Join(hosts, ","), n)
		}, "it lists the same host reservations again and again", 13},
		"TooMuch": {"Hosts with much in them.", func(command string, n int) string {
			if command != "reservation-get-page" {
				return ""
			}
			return fmt.Sprintf(page, fmt.Sprintf(`{"hw-address": "02:00:00:00:00:%02x", "subnet-id": 1, "hostname": "%s"}`, n, strings.Repeat("x", 60000)), n)
		}, "take more than 1 MiB of memory, which is the limit for each server: use a ClusterProviderConfig", 18},
		"Leases": {"Of every state.", func(command string, n int) string {
			if command != "lease4-get-page" {
				return ""
			}
			leases := make([]string, 0, 1000)
			for i := range 1000 {
				leases = append(leases, fmt.Sprintf(`{"ip-address": "10.%d.%d.%d", "hw-address": "02:00:00:00:00:01", "subnet-id": 1, "cltt": 4000000000, "valid-lft": 1}`, n, i>>8, i&0xff))
			}
			return fmt.Sprintf(`[{"result": 0, "arguments": {"leases": [%s]}}]`, strings.Join(leases, ","))
		}, "take more than 1 MiB of memory", 17},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, h := startHostile(t, func(c *group.Config) { c.Memory = 1 << 20 }, tc.reply)
				defer w.stop()
				f := w.group.Servers()[0]
				if f.State != group.Down || f.Err == nil || !strings.Contains(f.Err.Error(), tc.want) {
					t.Fatalf("%s The server is %s: %v", tc.reason, f.State, f.Err)
				}
				command := "reservation-get-page"
				if name == "Leases" {
					command = "lease4-get-page"
				}
				if n := h.commands(command); n != tc.pages {
					t.Errorf("%s It sent %d pages, want %d", tc.reason, n, tc.pages)
				}
				before := h.commands(command)
				w.tick(20 * time.Second)
				if n := h.commands(command) - before; n != 0 {
					t.Errorf("%s It was read again: %d pages", tc.reason, n)
				}
			})
		})
	}
}

// TestChangingTexts: a server that says the same in other words each time wakes no resource, and is
// not announced as changed.
func TestChangingTexts(t *testing.T) {
	const resources = 20
	refusal := func(command string, n int) string {
		return fmt.Sprintf(`[{"result": 1, "text": "%s failed for the %d. time at %s"}]`, command, n, time.Now())
	}
	for name, tc := range map[string]struct {
		reason, command string
		reply           func(n int) string
		// announced is how often the facts may be announced in a minute.
		announced int64
	}{
		"Heartbeat":   {"It refuses to say how it is.", "status-get", func(n int) string { return refusal("status-get", n) }, 1},
		"Listing":     {"It refuses to list hosts.", "reservation-get-page", func(n int) string { return refusal("reservation-get-page", n) }, 1},
		"Leases":      {"It refuses to list leases.", "lease4-get-page", func(n int) string { return refusal("lease4-get-page", n) }, 1},
		"Malformed":   {"It sends a page with another name in it.", "reservation-get-page", func(n int) string { return fmt.Sprintf(page, `5`, -n) }, 1},
		"Relation":    {"Its state of high availability is another one each time.", "status-get", haState, 22},
		"SeveralKind": {"Each error is of another kind.", "status-get", severalKinds, 22},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var (
					hostileNow       atomic.Bool
					announced, woken atomic.Int64
				)
				w, h := startHostile(t, func(c *group.Config) {
					c.Interval = time.Second
					notify := c.Notify
					c.Notify = func(c mirror.Changes) {
						notify(c)
						if c.Servers {
							announced.Add(1)
						}
						if c.Everything {
							woken.Add(resources)
						}
						woken.Add(int64(len(c.HWAddresses)))
					}
				}, func(command string, n int) string {
					if !hostileNow.Load() || command != tc.command {
						return ""
					}
					return tc.reply(n)
				})
				defer w.stop()
				for i := range resources {
					wantReservation(w, i)
				}
				time.Sleep(10 * time.Second)
				w.settle()
				announced.Store(0)
				woken.Store(0)
				hostileNow.Store(true)
				time.Sleep(time.Minute)
				synctest.Wait()
				if announced.Load() > tc.announced || woken.Load() > 0 {
					t.Errorf("%s It was announced %d times, want %d at most, and woke %d resources; %d commands", tc.reason, announced.Load(), tc.announced, woken.Load(), h.commands(tc.command))
				}
			})
		})
	}
}

// haState is a status with another state each time.
func haState(n int) string {
	return fmt.Sprintf(`[{"result": 0, "arguments": {"pid": 1000, "uptime": %d, "reload": %d, "high-availability": [{"ha-servers": {"local": {"state": "state-%d"}}}]}}]`,
		int(time.Since(started).Seconds()), int(time.Since(started).Seconds()), n)
}

// started is when time begins in a bubble of synctest.
var started = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)

// severalKinds is an answer that is not understood, then a refusal, then a missing command.
func severalKinds(n int) string {
	return []string{`[]`, `[{"result": 1, "text": "no"}]`, `[{"result": 2}]`}[n%3]
}

// wantReservation reserves an address for a device.
func wantReservation(w *world, i int) {
	name := fmt.Sprintf("vm%d", i)
	in := reservation.Intent{
		Resource: "ns/" + name, Subnet: reservation.SubnetRef{Prefix: netip.MustParsePrefix("10.64.0.0/16")},
		HWAddress: kea.HWAddress(fmt.Sprintf("02:00:00:00:01:%02x", i)), Address: netip.AddrFrom4([4]byte{10, 64, 1, byte(i)}),
	}
	w.resources[name] = &resource{intent: in, spec: in}
	w.reconcile(name)
}
