// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"
	"time"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestCommandsPerMachine: a machine that has its lease costs Kea one reservation-add, one read that
// confirms it, and a share of the pages of leases. So does one whose reservation Kea has lost.
func TestCommandsPerMachine(t *testing.T) {
	t.Parallel()
	const n = 60
	s := newSite(t, testenv.KeaOptions{}, byHeartbeat)
	s.awaitUsable()
	hw := func(i int) string { return fmt.Sprintf("00:02:12:00:01:%02x", i) }
	ip := func(i int) string { return fmt.Sprintf("10.123.0.%d", 1+i) }
	for i := range n {
		s.lease(hw(i), ip(i))
	}
	began := time.Now()
	var machines []*v1alpha1.KeaReservation
	for i := range n {
		machines = append(machines, s.reservation(fmt.Sprintf("vm%02d", i), params{HWAddress: hw(i)}))
		s.create(machines[i])
	}
	for i, r := range machines {
		s.await(r, isReady, isSynced)
		equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, ip(i))
	}
	s.checkPerMachine(n, n)
	// In two seconds, for which leases stay fresh, there is a lookup, then a page; and two
	// snapshots or heartbeats may have come in between.
	leases, took := s.sent("lease4-get-by-hw-address")+s.sent("lease4-get-page"), time.Since(began)
	most := 2*(int(took/(2*time.Second))+1) + 4
	t.Logf("%d commands to read leases for %d machines in %s", leases, n, took.Round(time.Millisecond))
	switch {
	case leases <= most:
	case took < 10*time.Second:
		t.Errorf("leases were read %d times, want %d at most", leases, most)
	default:
		// Where a page takes half a second, each device is looked up, and rightly.
		t.Logf("more than %d, which says nothing on a machine as busy as that", most)
	}

	s.kea.Restart(t)
	for i := range n {
		s.awaitHeld(hw(i), ip(i))
	}
	s.checkPerMachine(2*n, n) // A page confirms them.
}

// checkPerMachine makes sure of how many reservations were added, and read one by one.
func (s *site) checkPerMachine(adds, reads int) {
	s.t.Helper()
	s.awaitSent("status-get", 1) // What was under way has been sent.
	for command, want := range map[string]int{"reservation-add": adds, "reservation-get": reads, "reservation-get-by-address": 0, "reservation-update": 0} {
		equal(s.t, command, s.sent(command), want)
	}
}
