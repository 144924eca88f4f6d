// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"sync"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	mac   = "00:02:12:34:56:78"
	other = "00:02:12:00:00:02"
)

// params, with an alias that keeps the tables of tests readable.
type params = v1alpha1.KeaReservationParameters

// static is a KeaReservation of mac with an address of its own.
func (s *site) static(name, ip string) *v1alpha1.KeaReservation {
	return s.reservation(name, params{HWAddress: mac, IPAddress: ip})
}

// created creates a KeaReservation and waits until it is Ready.
func (s *site) created(r *v1alpha1.KeaReservation) *v1alpha1.KeaReservation {
	s.t.Helper()
	s.create(r)
	s.await(r, isReady, isSynced)
	return r
}

// notReady is what a resource is that waits or is blocked: which is no error.
func notReady(reason xpv2.ConditionReason, message string) []is {
	return []is{isSynced, {Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reason, Message: message}}
}

// seldom has a snapshot an hour, and a heartbeat each sixth of one: what a test sees meanwhile was seen by
// other means.
func seldom(c *v1alpha1.ClusterProviderConfig) {
	c.Spec.SnapshotInterval = metav1.Duration{Duration: time.Hour}
}

// byHeartbeat has a heartbeat each 30 s, and the next snapshot is beyond what tests wait for.
func byHeartbeat(c *v1alpha1.ClusterProviderConfig) {
	c.Spec.SnapshotInterval = metav1.Duration{Duration: 2 * within}
}

// awaitUsable waits until the site's configuration is Ready.
func (s *site) awaitUsable() {
	s.t.Helper()
	s.await(&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}, isReady)
}

// awaitSeen waits until the provider has seen what Kea has now. What it has not seen may be refused
// by Kea when it is added, which counts as sent.
func (s *site) awaitSeen() { s.t.Helper(); s.awaitUsable(); s.awaitSnapshots(2) }

// eventually waits until check finds what Kea has of a device as wanted.
func (s *site) eventually(what, hw string, check func(*kea.Reservation) error) {
	s.t.Helper()
	testenv.Eventually(s.t, within, what, func(ctx context.Context) error {
		r, err := s.at.Reservation(ctx, kea.TargetMemory, 1, kea.HWAddress(hw))
		if err != nil {
			return err
		}
		return check(&r)
	})
}

// awaitMarked waits until Kea's reservation of a device carries the mark of the
// site's KeaReservation.
func (s *site) awaitMarked(hw, name string) {
	s.t.Helper()
	s.eventually("the mark of "+name, hw, func(r *kea.Reservation) error {
		if got := owner(r); got != s.key(name).String() {
			return fmt.Errorf("it belongs to %q", got)
		}
		return nil
	})
}

// owner is the resource that a reservation is marked with.
func owner(r *kea.Reservation) string {
	m, _ := r.UserContext["crossplane"].(map[string]any)
	name, _ := m["resource"].(string)
	return name
}

// marked is a user-context that says a reservation is another cluster's.
func marked(resource string) map[string]any {
	return map[string]any{"crossplane": map[string]any{"cluster": "c0ffee00-0000-0000-0000-000000000000", "resource": resource}}
}

// replace changes a reservation behind the provider's back.
func (s *site) replace(r kea.Reservation) {
	s.t.Helper()
	if err := s.at.UpdateReservation(s.t.Context(), kea.TargetMemory, r); err != nil {
		s.t.Fatal(err)
	}
}

// deleteAndAdd puts a reservation in the place of the device's, with two commands. The provider may put its own
// back in between: then both are sent again.
func deleteAndAdd(t testing.TB, at *kea.Client, target kea.Target, r kea.Reservation) {
	t.Helper()
	testenv.Eventually(t, within, "another reservation in its place", func(ctx context.Context) error {
		err := at.DeleteReservation(ctx, target, r.SubnetID, r.HWAddress)
		if err != nil && !errors.Is(err, kea.ErrNotFound) {
			return err
		}
		return at.AddReservation(ctx, target, r)
	})
}

// remove deletes a reservation behind the provider's back.
func (s *site) remove(hw string) {
	s.t.Helper()
	if err := s.at.DeleteReservation(s.t.Context(), kea.TargetMemory, 1, kea.HWAddress(hw)); err != nil {
		s.t.Fatal(err)
	}
}

// awaitNotHeld waits until Kea's memory has nothing of a device.
func (s *site) awaitNotHeld(hw string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "Kea to let go of "+hw, func(ctx context.Context) error {
		r, err := s.at.Reservation(ctx, kea.TargetMemory, 1, kea.HWAddress(hw))
		if errors.Is(err, kea.ErrNotFound) {
			return nil
		}
		return errors.Join(err, fmt.Errorf("it has %+v", r))
	})
}

// leaseOf gives a device a lease, with more about it than lease does.
func (s *site) leaseOf(hw, ip string, more map[string]any) {
	s.t.Helper()
	arguments := map[string]any{"ip-address": ip, "hw-address": hw, "subnet-id": 1, "valid-lft": 3600}
	maps.Copy(arguments, more)
	s.command("lease4-add", arguments)
}

// equal fails the test where a value is not the one that is wanted.
func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

var postgresOnce struct {
	sync.Mutex
	db   *testenv.Postgres
	stop func()
}

// postgres is an empty hosts-database on the one server that all tests share.
func postgres(t *testing.T) *testenv.Postgres {
	t.Helper()
	postgresOnce.Lock()
	defer postgresOnce.Unlock()
	if postgresOnce.db == nil {
		dir, err := os.MkdirTemp("", "provider-kea-postgres")
		if err != nil {
			t.Fatal(err)
		}
		db, stop, err := testenv.NewPostgres(dir)
		if err != nil {
			t.Fatal(err)
		}
		postgresOnce.db, postgresOnce.stop = db, func() { stop(); _ = os.RemoveAll(dir) }
	}
	return postgresOnce.db.NewDatabase(t)
}

func stopPostgres() {
	if postgresOnce.stop != nil {
		postgresOnce.stop()
	}
}
