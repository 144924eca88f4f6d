// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/reservation"
)

// TestModel lets random things happen to a few devices: resources come, change and go, others
// change Kea, Kea restarts, loses its database and fails, and time passes. Then all faults end, and
// everything comes to rest. What Kea holds, and what each resource says, must be what a small
// reference implementation says of the same Kea. A failure prints its steps, the shortest that were
// found, as a script could have them. For more than a hundred histories of each kind:
//
//	go test ./internal/group -run TestModel -rapid.checks=2000
func TestModel(t *testing.T) {
	cases := map[string]struct {
		database bool
		servers  int
	}{"Memory": {false, 1}, "Database": {true, 1}, "Pair": {false, 2}}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			history := rapid.SliceOfN(operation(c.database, c.servers), 1, 40)
			rapid.Check(t, func(rt *rapid.T) {
				// Drawn before the bubble begins: rapid keeps to its own goroutine.
				steps := history.Draw(rt, "history")
				var errs []string
				synctest.Test(t, func(t *testing.T) { errs = runModel(t, c.database, c.servers, steps) })
				if len(errs) > 0 {
					rt.Errorf("%s\n\nafter:\n-- %s --", strings.Join(errs, "\n"), strings.Join(steps, " --\n-- "))
				}
			})
		})
	}
}

const (
	devices   = 4
	addresses = 5
)

func device(i int) string { return fmt.Sprintf("02:00:00:01:00:%02x", i) }

// operation draws a step. Devices 1 and 2 are wanted by resources; 3 and 4 belong to others.
func operation(database bool, servers int) *rapid.Generator[string] {
	store := kea.TargetMemory
	if database {
		store = kea.TargetDatabase
	}
	return rapid.Custom(func(rt *rapid.T) string {
		pick := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(rt, label) }
		ours, every := rapid.IntRange(1, 2).Draw(rt, "ours"), rapid.IntRange(1, devices).Draw(rt, "device")
		ip := fmt.Sprintf("10.64.0.%d", 50+rapid.IntRange(1, addresses).Draw(rt, "address"))
		command := pick("command", "reservation-add", "reservation-update", "reservation-del", "reservation-get", "reservation-get-page", "status-get")
		fault := pick("fault", "Refuse", "LoseAnswer", "CutJSON", "Unauthorized", "ServerError", "Hang", "Reject")
		fields := pick("fields", "", " hostname=a", " hostname=b", " option=6:10.0.0.2", " hostname=a option=43:0102,hex")
		mark := ""
		if every > 2 {
			mark = pick("mark", "", " owner=c2:x", " option=43:0102,hex")
		}
		at := pick("server", []string{"kea", "kea2"}[:servers]...)
		put := fmt.Sprintf("%s put %s %s %s site=s%d%s", at, store, device(every), ip, ours, mark)
		steps := []string{
			// With the annotation, as others put reservations of these devices with other
			// addresses.
			fmt.Sprintf("want vm%d %s%s adopt", ours, device(ours), fields), fmt.Sprintf("want vm%d %s %s%s adopt", ours, device(ours), ip, fields),
			fmt.Sprintf("delete vm%d", ours), put, fmt.Sprintf("%s del %s %s", at, store, device(every)),
			fmt.Sprintf("%s lease %s %s", at, device(every), ip), at + " release " + ip, at + " restart", at + " reload",
			fmt.Sprintf("%s fail %s %s 1", at, command, fault), at + " fail any Hang", at + " fail any Refuse", at + " heal", "tick 1s", "tick 5s", "tick 30s", "provider restart",
		}
		if database {
			steps = append(steps, "kea lose-database", "kea restore-database")
		}
		return pick("step", steps...)
	})
}

// model is a world with what is known of it from outside.
type model struct {
	*world

	store kea.Target
	errs  []string
	// foreign are, by server, the reservations of devices that no resource wants, as they were last
	// put.
	foreign []map[string]string
	// leases are, by server, those that were given out, by address.
	leases []map[string]kea.Lease
}

func (m *model) errorf(format string, args ...any) {
	m.errs = append(m.errs, fmt.Sprintf(format, args...))
}

// runModel takes the steps, lets everything come to rest, and returns what is wrong then.
func runModel(t *testing.T, database bool, servers int, steps []string) []string {
	m := &model{world: newWorld(t), store: kea.TargetMemory}
	m.fail, m.servers = m.errorf, servers
	for range servers {
		m.foreign, m.leases = append(m.foreign, map[string]string{}), append(m.leases, map[string]kea.Lease{})
	}
	if database {
		m.options.Database = keatest.NewDatabase()
		m.store = kea.TargetDatabase
	}
	m.start()
	defer m.stop()
	for _, line := range steps {
		m.take(line)
	}
	m.rest()
	m.check()
	return m.errs
}

// take takes a step, if it makes sense at this point.
func (m *model) take(line string) {
	words := strings.Fields(line)
	verb, server := words[0], 0
	if number, ok := strings.CutPrefix(verb, "kea"); ok {
		verb = "kea " + words[1]
		if number == "2" {
			server = 1
		}
	}
	switch verb {
	case "delete":
		if m.resources[words[1]] == nil || m.resources[words[1]].deleted {
			return
		}
	case "want":
		if r := m.resources[words[1]]; r != nil && r.deleted {
			return
		}
	case "kea put":
		if m.taken(server, words[4], words[3]) {
			return // Kea refuses it.
		}
	}
	m.step(line)
	switch verb {
	case "kea put":
		if hw := words[3]; hw > device(2) {
			m.foreign[server][hw] = m.line(server, hw)
		}
	case "kea del":
		delete(m.foreign[server], words[3])
	case "kea lease":
		m.leases[server][words[3]] = m.lease(words[2:])
	case "kea release":
		delete(m.leases[server], words[2])
	case "kea restart", "kea reload":
		if m.store == kea.TargetMemory {
			clear(m.foreign[server])
		}
		m.tick(2 * time.Second) // Two within a second look like one.
	}
}

// taken reports whether a device other than hw has the address on a server.
func (m *model) taken(server int, ip, hw string) bool {
	return slices.ContainsFunc(m.keas[server].Reservations(m.store), func(h kea.Reservation) bool {
		return h.IPAddress == netip.MustParseAddr(ip) && string(h.HWAddress) != hw
	})
}

// line describes what the store of a server has of a device.
func (m *model) line(server int, hw string) string {
	for _, h := range m.keas[server].Reservations(m.store) {
		if string(h.HWAddress) == hw {
			return hostLine(h)
		}
	}
	return ""
}

// rest ends all faults, and lets time pass until nothing is left to do.
func (m *model) rest() {
	for _, k := range m.keas {
		k.ClearFaults()
		k.RestoreDatabase()
	}
	const ticks = 40
	for range ticks {
		m.tick(5 * time.Second)
	}
	for _, k := range m.keas {
		k.ResetLog()
	}
	m.tick(time.Minute)
	for _, k := range m.keas {
		for _, line := range k.Log() {
			if strings.HasPrefix(line, "reservation-add") || strings.HasPrefix(line, "reservation-update") || strings.HasPrefix(line, "reservation-del") {
				m.errorf("Kea is written to though nothing happens: %s", line)
			}
		}
	}
}

// check compares Kea and the resources with the reference implementation.
func (m *model) check() {
	for server := range m.keas {
		m.checkServer(server)
	}
	for name, r := range m.resources {
		want, ok := reservation.Reserved, true
		for server := range m.keas {
			state, right := m.reference(r, m.promised(r), m.keas[server].Reservations(m.store))
			if state != reservation.Reserved {
				want, ok = state, right
				break
			}
			ok = ok && right
		}
		state, _, _ := strings.Cut(strings.TrimSuffix(strings.Fields(r.state + " ")[0], ":"), " ")
		if state != string(want) || !ok || strings.Contains(r.state, "(kea") {
			m.errorf("%s is %q, want %s; Kea holds %q", name, r.state, want, m.line(0, string(r.intent.HWAddress)))
		}
	}
}

func (m *model) checkServer(server int) {
	hosts := m.keas[server].Reservations(m.store)
	for hw, want := range m.foreign[server] {
		if got := m.line(server, hw); got != want {
			m.errorf("the reservation of %s was %q and is %q", hw, want, got)
		}
	}
	for _, h := range hosts {
		owner, marked := reservation.OwnerOf(&h)
		if name := strings.TrimPrefix(owner.Resource, "ns/"); marked && owner.Cluster == cluster && m.resources[name] == nil {
			m.errorf("the resource of %s is gone", hostLine(h))
		}
		same := slices.IndexFunc(hosts, func(o kea.Reservation) bool { return o.IPAddress == h.IPAddress && o.HWAddress != h.HWAddress })
		if h.IPAddress.IsValid() && same >= 0 {
			m.errorf("%s and %s have one address", hostLine(h), hostLine(hosts[same]))
		}
	}
}

// reference says how a resource must stand, given what Kea holds at rest, and whether Kea holds
// what it must for that.
func (m *model) reference(r *resource, a netip.Addr, hosts []kea.Reservation) (reservation.State, bool) {
	var held *kea.Reservation
	for i, h := range hosts {
		if h.HWAddress == r.intent.HWAddress {
			held = &hosts[i]
		}
	}
	if !a.IsValid() {
		return reservation.AwaitingLease, held == nil || !held.IPAddress.IsValid()
	}
	for _, h := range hosts {
		if h.IPAddress == a && h.HWAddress != r.intent.HWAddress {
			return reservation.AddressConflict, true
		}
	}
	if held == nil {
		return reservation.Reserved, false
	}
	owner, _ := reservation.OwnerOf(held)
	right := held.IPAddress == a && owner.Resource == r.intent.Resource && (r.intent.Hostname == nil || held.Hostname == *r.intent.Hostname)
	for _, w := range r.intent.OptionData {
		right = right && slices.ContainsFunc(held.OptionData, func(o kea.OptionData) bool { return o.Code == w.Code && o.Data == w.Data })
	}
	return reservation.Reserved, right
}

// promised returns the address that a resource is to have.
func (m *model) promised(r *resource) netip.Addr {
	if r.intent.Address.IsValid() {
		return r.intent.Address
	}
	for _, k := range m.keas {
		for _, h := range k.Reservations(m.store) {
			if h.HWAddress == r.intent.HWAddress && h.IPAddress.IsValid() {
				return h.IPAddress
			}
		}
	}
	if lease := m.newestLease(r.intent.HWAddress); lease != nil {
		return lease.IPAddress
	}
	return netip.Addr{}
}

func (m *model) newestLease(hw kea.HWAddress) *kea.Lease {
	var newest *kea.Lease
	for _, leases := range m.leases {
		var own *kea.Lease
		for _, l := range leases {
			if l.HWAddress == hw && (own == nil || l.CLTT.After(own.CLTT) || l.CLTT.Equal(own.CLTT) && l.IPAddress.Less(own.IPAddress)) {
				own = &l
			}
		}
		if own != nil && (newest == nil || own.CLTT.After(newest.CLTT)) {
			newest = own
		}
	}
	return newest
}
