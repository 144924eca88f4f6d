// SPDX-License-Identifier: Apache-2.0

package group_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/vitistack/provider-kea/internal/kea"
)

// machine returns the i-th of many devices, and the address that it leases.
func machine(i int) (hw kea.HWAddress, ip string) {
	return kea.HWAddress(fmt.Sprintf("02:00:00:02:%02x:%02x", i/256, i%256)), fmt.Sprintf("10.64.%d.%d", 1+i/200, 1+i%200)
}

// TestCommandsPerMachine: a machine costs Kea the reservation-add, one read that confirms it, and a
// share of the pages of leases. The batch comes at the pace of an API server.
func TestCommandsPerMachine(t *testing.T) {
	const batch, pace = 400, 20 * time.Millisecond
	lease := func(w *world, i int) {
		hw, ip := machine(i)
		w.kea.AddLease(w.lease([]string{string(hw), ip}))
	}
	// The reads of leases, single ones and pages, are to be at most this part of the machines.
	const share = 0.2
	for name, tc := range map[string]struct {
		reason string
		// before is done for each machine before the provider starts, or just before it is wanted.
		before, just func(*world, int)
		leases       float64
	}{
		"LeaseSeen": {"The snapshot has the lease.", lease, nil, share},
		"LeaseNew":  {"The lease is as new as the machine.", nil, lease, share},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.stop()
				w.startKeas()
				for i := range batch {
					if tc.before != nil {
						tc.before(w, i)
					}
				}
				w.start()
				w.kea.ResetCommands()
				for i := range batch {
					if tc.just != nil {
						tc.just(w, i)
					}
					hw, _ := machine(i)
					w.step("want m" + strconv.Itoa(i) + " " + string(hw))
					time.Sleep(pace)
				}
				w.tick(5 * time.Second)
				checkReserved(t, w, batch)
				checkCommands(t, tc.reason, w, batch, batch, tc.leases)
			})
		})
	}
	t.Run("LeasesAtOnce", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.stop()
			w.start()
			for i := range batch {
				hw, _ := machine(i)
				w.step("want m" + strconv.Itoa(i) + " " + string(hw))
			}
			w.tick(5 * time.Second)
			w.kea.ResetCommands()
			for i := range batch {
				lease(w, i)
			}
			w.tick(5 * time.Second)
			checkReserved(t, w, batch)
			checkCommands(t, "Leases of devices that wait together.", w, batch, batch, share)
		})
	})
	t.Run("Alone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			const others, alone = 2500, 5
			w := newWorld(t)
			defer w.stop()
			w.startKeas()
			for i := range others {
				lease(w, i)
			}
			w.start()
			w.kea.ResetCommands()
			for i := range alone {
				w.tick(3 * time.Second)
				hw, _ := machine(i)
				w.step("want m" + strconv.Itoa(i) + " " + string(hw))
			}
			checkReserved(t, w, alone)
			if got := w.kea.Commands(); got["lease4-get-by-hw-address"] != alone || got["lease4-get-page"] != 0 {
				t.Errorf("Machines that come one by one are looked up one by one: got %v", got)
			}
		})
	})
	t.Run("MemoryLost", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			defer w.stop()
			w.start()
			for i := range batch {
				hw, ip := machine(i)
				w.step("want m" + strconv.Itoa(i) + " " + string(hw) + " " + ip)
			}
			w.kea.Restart()
			w.kea.ResetCommands()
			w.tick(10 * time.Second)
			checkReserved(t, w, batch)
			checkCommands(t, "What Kea lost with its memory is put back.", w, batch, 0, 0)
		})
	})
}

// checkReserved makes sure that each machine is reserved with the address of its lease.
func checkReserved(t *testing.T, w *world, batch int) {
	t.Helper()
	held := map[kea.HWAddress]netip.Addr{}
	for _, r := range w.kea.Reservations(kea.TargetMemory) {
		held[r.HWAddress] = r.IPAddress
	}
	for i := range batch {
		hw, ip := machine(i)
		r := w.resources["m"+strconv.Itoa(i)]
		if held[hw].String() != ip || !r.reserved || r.intent.Address.String() != ip {
			t.Fatalf("machine %d: Kea holds %s, the resource has %s and is %q, want %s", i, held[hw], r.intent.Address, r.state, ip)
		}
	}
}

// checkCommands makes sure of what a batch costs Kea, beside the routine of reading.
func checkCommands(t *testing.T, reason string, w *world, batch, reads int, leases float64) {
	t.Helper()
	got := w.kea.Commands()
	for command, want := range map[string]int{"reservation-add": batch, "reservation-get": reads, "reservation-get-by-address": 0, "reservation-update": 0} {
		if got[command] != want {
			t.Errorf("%s %s: %d, want %d", reason, command, got[command], want)
		}
	}
	// A scan reads pages of leases as well: two of them at most in this time.
	const scans = 2
	if n := got["lease4-get-by-hw-address"] + got["lease4-get-page"] - scans; float64(n) > leases*float64(batch) {
		t.Errorf("%s leases were read %d times, want %g for each of %d machines at most", reason, n, leases, batch)
	}
	t.Logf("%s %v", reason, got)
}

// TestAddWithoutReading is about what turns up after the last snapshot: Kea refuses the add, what
// is there is read then, and decides. Where Kea would not refuse, it is read before.
func TestAddWithoutReading(t *testing.T) {
	const mac = "02:00:00:01:00:01"
	cases := map[string]struct {
		reason string
		config string
		// known is in memory before the snapshot, and put is after it.
		known, put string
		want       string
		state      string
		// held are the hosts of memory in the end, and before the commands before the first add.
		held, before []string
	}{
		"Nothing": {
			reason: "Nothing is read before an add that Kea checks.", want: mac + " 10.64.0.50",
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 owner ns/vm01"},
		},
		"Newer": {
			reason: "A reservation of the device counts more than its lease.", put: mac + " 10.64.0.60 hostname=by-hand", want: mac,
			state: "Reserved 10.64.0.60", held: []string{mac + " 10.64.0.60 by-hand owner ns/vm01"},
		},
		"NewerAdopt": {
			reason: "Its address stays also where it may be moved.", put: mac + " 10.64.0.60 hostname=by-hand", want: mac + " adopt",
			state: "Reserved 10.64.0.60", held: []string{mac + " 10.64.0.60 by-hand owner ns/vm01"},
		},
		"NewerOthers": {
			reason: "Another resource's is left alone, and the address of the lease is not kept in the spec.", put: mac + " 10.64.0.60 owner=b", want: mac,
			state: "OwnedByAnother 10.64.0.60: the reservation of " + mac + " in 10.64.0.0/16 belongs to KeaReservation ns/b", held: []string{mac + " 10.64.0.60 owner ns/b"},
		},
		"NewerSame": {
			reason: "One with the address of the lease is adopted.", put: mac + " 10.64.0.50 hostname=by-hand", want: mac,
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 by-hand owner ns/vm01"},
		},
		"NewerNoAddress": {
			reason: "One without an address gets that of the lease.", put: mac + " hostname=by-hand", want: mac,
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 by-hand owner ns/vm01"},
		},
		"NewerTaken": {
			reason: "It counts also where the address of the lease is another host's.", known: "02:00:00:01:00:09 10.64.0.50", put: mac + " 10.64.0.60", want: mac,
			state: "Reserved 10.64.0.60", held: []string{mac + " 10.64.0.60 owner ns/vm01", "02:00:00:01:00:09 10.64.0.50"},
		},
		"Taken": {
			reason: "An address that another host has is not reserved twice.", put: "02:00:00:01:00:09 10.64.0.50", want: mac,
			state: "AddressConflict 10.64.0.50: 10.64.0.50 is reserved for 02:00:00:01:00:09: choose another spec.forProvider.ipAddress, or remove that reservation",
			held:  []string{"02:00:00:01:00:09 10.64.0.50"},
		},
		"TakenNotUnique": {
			reason: "Nor is it where Kea would do so.", config: "not-unique", put: "02:00:00:01:00:09 10.64.0.50", want: mac + " 10.64.0.50",
			state: "AddressConflict 10.64.0.50: 10.64.0.50 is reserved for 02:00:00:01:00:09: choose another spec.forProvider.ipAddress, or remove that reservation",
			held:  []string{"02:00:00:01:00:09 10.64.0.50"},
		},
		"NotUnique": {
			reason: "Kea checks the device in any case.", config: "not-unique", want: mac + " 10.64.0.50",
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 owner ns/vm01"}, before: []string{"reservation-get-by-address"},
		},
		"Forbidden": {
			reason: "What Kea checks is not known where its configuration cannot be read.", config: "forbid=config-get", want: mac + " 10.64.0.50",
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 owner ns/vm01"}, before: []string{"reservation-get-by-address"},
		},
		"HostCache": {
			reason: "What a cache in between checks is not known.", config: "host-cache", want: mac + " 10.64.0.50",
			state: "Reserved 10.64.0.50", held: []string{mac + " 10.64.0.50 owner ns/vm01"}, before: []string{"reservation-get", "reservation-get-by-address"},
		},
		"Global": {
			reason: "It does not check global reservations.", config: "global=true", put: "02:00:00:01:00:09 10.64.0.50 subnet=0", want: mac + " 10.64.0.50",
			state: "AddressConflict 10.64.0.50: 10.64.0.50 is reserved for 02:00:00:01:00:09 as a global reservation: choose another spec.forProvider.ipAddress, or remove that reservation",
			held:  []string{"02:00:00:01:00:09 10.64.0.50 in subnet 0"},
		},
		"OtherStore": {
			reason: "Nor another store.", config: "database", put: "02:00:00:01:00:09 10.64.0.50", want: mac + " 10.64.0.50",
			state: "AddressConflict 10.64.0.50: 10.64.0.50 is reserved for 02:00:00:01:00:09: choose another spec.forProvider.ipAddress, or remove that reservation",
			held:  []string{"02:00:00:01:00:09 10.64.0.50"},
		},
		"Pair": {
			reason: "Of two servers neither is written to if the other one refuses.", config: "servers=2", put: "02:00:00:01:00:09 10.64.0.50", want: mac + " 10.64.0.50",
			state: "AddressConflict 10.64.0.50: on server kea1: 10.64.0.50 is reserved for 02:00:00:01:00:09: choose another spec.forProvider.ipAddress, or remove that reservation",
			held:  []string{"02:00:00:01:00:09 10.64.0.50"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				defer w.stop()
				if tc.config != "" {
					w.step("config " + tc.config)
				}
				w.startKeas()
				w.step("kea lease " + mac + " 10.64.0.50")
				if tc.known != "" {
					w.step("kea put memory " + tc.known)
				}
				w.start()
				if tc.put != "" {
					w.step("kea put memory " + tc.put)
				}
				w.kea.ResetLog()
				out := w.step("want vm01 " + tc.want)
				if got := w.resources["vm01"].state; got != tc.state {
					t.Errorf("%s The resource is %q, want %q\n%s", tc.reason, got, tc.state, out)
				}
				if got := w.hosts(0, kea.TargetMemory); !slices.Equal(got, tc.held) {
					t.Errorf("%s Kea holds %q, want %q\n%s", tc.reason, got, tc.held, out)
				}
				if w.servers > 1 && len(w.hosts(1, kea.TargetMemory)) > 0 {
					t.Errorf("%s The second server holds %q", tc.reason, w.hosts(1, kea.TargetMemory))
				}
				before, _, added := strings.Cut(out, "> reservation-add")
				var read []string
				for line := range strings.Lines(before) {
					if command, ok := strings.CutPrefix(line, "> "); ok && added && !strings.HasPrefix(command, "lease4") {
						read = append(read, strings.Fields(command)[0])
					}
				}
				if added && !slices.Equal(read, tc.before) {
					t.Errorf("%s Before the add it sent %q, want %q", tc.reason, read, tc.before)
				}
				// An address that is not reserved is not kept: the next lease may have another.
				if p := w.resources["vm01"]; !p.reserved && p.intent.Address != p.spec.Address {
					t.Errorf("%s The address %s stays in the spec", tc.reason, p.intent.Address)
				}
			})
		})
	}
}
