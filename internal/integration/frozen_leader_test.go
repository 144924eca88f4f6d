// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// keaWrite matches a line of Kea's log about a command that changes a reservation.
var keaWrite = regexp.MustCompile(`(?m)^.*COMMAND_RECEIVED.*'reservation-(add|update|del)'.*$`)

// TestFrozenLeader: a leader that is stopped with work in its queue, and goes on when another one
// has taken over and done that work and more, sends Kea nothing that changes anything, writes to no
// KeaReservation, and ends. Meanwhile Kea cannot be reached: it must not take a reservation of
// which it has never heard for one that is not there, and remove the finalizer of its
// KeaReservation.
func TestFrozenLeader(t *testing.T) {
	t.Parallel()
	const fleet = 150
	c := newTenants(t)
	s := &site{t: t, world: c.world, kea: testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.123.0.0/16"}}}), namespace: "machines"}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}})
	config := s.config()
	config.Spec.Timeout = metav1.Duration{Duration: time.Second}
	s.create(config)
	s.awaitUsable()
	all := make([]*v1alpha1.KeaReservation, fleet)
	for i := range all {
		all[i] = s.reservation(fmt.Sprintf("vm%03d", i), params{Subnet: "10.123.0.0/16", HWAddress: fleetMAC(1, i), IPAddress: fleetAddress(1, i)})
		s.create(all[i])
	}
	for _, r := range all {
		s.await(r, isReady)
	}

	// The first one is stopped in the midst of changes, while more of them arrive.
	frozen, before, moved := c.provider, s.keaWrites(), make(chan error, 1)
	go func() { moved <- s.moveFleet(all, 2) }()
	testenv.Eventually(t, within, "the first changes", func(context.Context) error {
		if s.keaWrites() == before {
			return errors.New("there are none yet")
		}
		return nil
	})
	if err := errors.Join(frozen.cmd.Process.Signal(syscall.SIGSTOP), <-moved); err != nil {
		t.Fatal(err)
	}
	c.start()
	t.Cleanup(func() { _ = frozen.cmd.Process.Signal(syscall.SIGCONT) }) // Else it could not be ended.
	for i := range all {
		s.awaitHeld(fleetMAC(1, i), fleetAddress(2, i))
	}
	if err := s.moveFleet(all, 3); err != nil {
		t.Fatal(err)
	}
	for i := range all {
		s.awaitHeld(fleetMAC(1, i), fleetAddress(3, i))
		s.await(all[i], isReady, isSynced)
	}

	late := s.reservation("late", params{Subnet: "10.123.0.0/16", HWAddress: fleetMAC(1, fleet), IPAddress: fleetAddress(3, fleet)})
	s.create(late)
	s.await(late, isReady)
	s.awaitFollowUps(slices.Concat(all, []*v1alpha1.KeaReservation{late})...)

	writes, held, versions := s.keaWrites(), s.heldFleet(fleet), s.versions(all...)
	s.kea.Hang(t)
	t.Cleanup(func() { s.kea.Resume(t) })
	s.delete(late)
	if err := frozen.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	_ = frozen.cmd.Wait() // It has lost its lease.
	s.checkVersions("while the first one went on", versions)
	if err := s.client.Get(t.Context(), client.ObjectKeyFromObject(late), late); err != nil {
		t.Errorf("a deleted KeaReservation, while Kea cannot be asked: %v, want that it waits", err)
	}
	s.kea.Resume(t)
	s.awaitGone(late)
	s.awaitSnapshots(2)
	for _, m := range keaWrite.FindAllStringSubmatch(s.kea.Log(), -1)[writes:] {
		if m[1] != "del" { // That of the second one.
			t.Errorf("since the first one went on, a reservation was changed: %s", m[0])
		}
	}
	if s.held(fleetMAC(1, fleet)) != nil {
		t.Error("Kea still holds the reservation of the deleted KeaReservation")
	}
	if diff := cmp.Diff(held, s.heldFleet(fleet)); diff != "" {
		t.Errorf("what Kea holds, -before the first one went on, +after:\n%s", diff)
	}
}

// moveFleet changes the addresses of all, as fast as it can.
func (s *site) moveFleet(all []*v1alpha1.KeaReservation, fleet int) error {
	for i, r := range all {
		patch := fmt.Sprintf(`{"spec":{"forProvider":{"ipAddress":%q}}}`, fleetAddress(fleet, i))
		if err := s.client.Patch(s.t.Context(), r.DeepCopy(), client.RawPatch(types.MergePatchType, []byte(patch))); err != nil {
			return fmt.Errorf("cannot move %s: %w", r.GetName(), err)
		}
	}
	return nil
}

// keaWrites counts the commands that have reached Kea and change reservations.
func (s *site) keaWrites() int { return len(keaWrite.FindAllString(s.kea.Log(), -1)) }

// heldFleet returns what Kea holds for each device.
func (s *site) heldFleet(n int) []string {
	s.t.Helper()
	var out []string
	for i := range n {
		out = append(out, fmt.Sprintf("%+v", *s.held(fleetMAC(1, i))))
	}
	return out
}
