// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// newDatabaseSite is a site whose Kea keeps hosts in PostgreSQL.
func newDatabaseSite(t *testing.T, change ...func(*v1alpha1.ClusterProviderConfig)) *site {
	t.Helper()
	return newSite(t, testenv.KeaOptions{Postgres: postgres(t)}, change...)
}

// awaitStored waits until the hosts-database has a device's reservation with an
// address, and memory none.
func (s *site) awaitStored(hw, ip string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("the database to hold %s for %s", ip, hw), func(ctx context.Context) error {
		r, err := s.at.Reservation(ctx, kea.TargetDatabase, 1, kea.HWAddress(hw))
		if err != nil {
			return err
		}
		if r.IPAddress != addr(ip) {
			return fmt.Errorf("it holds %s", r.IPAddress)
		}
		if r, err := s.at.Reservation(ctx, kea.TargetMemory, 1, kea.HWAddress(hw)); !errors.Is(err, kea.ErrNotFound) {
			return errors.Join(err, fmt.Errorf("memory has %+v too", r))
		}
		return nil
	})
}

// putIn makes a reservation in a place behind the provider's back.
func (s *site) putIn(place kea.Target, r kea.Reservation) {
	s.t.Helper()
	r.SubnetID = 1
	if err := s.at.AddReservation(s.t.Context(), place, r); err != nil {
		s.t.Fatal(err)
	}
}

// TestDatabase: "hosts.storage Auto": where Kea has a hosts-database it is found
// and written to; every row holds as in memory, and a restart of Kea costs nothing.
func TestDatabase(t *testing.T) {
	t.Parallel()
	s := newDatabaseSite(t)
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.awaitStored(mac, "10.123.0.50")
	pc := s.clusterConfig()
	s.await(pc, isReady)
	equal(t, "storage", pc.Status.Servers[0].Storage, v1alpha1.HostStorageDatabase)

	leased := s.reservation("vm02", params{HWAddress: other})
	s.create(leased)
	s.await(leased, notReady(v1alpha1.ReasonAwaitingLease, other)...)
	s.lease(other, "10.123.0.150")
	s.await(leased, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", leased.Spec.ForProvider.IPAddress, "10.123.0.150")
	s.awaitStored(other, "10.123.0.150")
	s.checkQuiet(r, leased)

	s.kea.Restart(t)
	s.awaitStored(mac, "10.123.0.50")
	s.awaitSnapshots(2)
	equal(t, "reservation-add", s.sent("reservation-add"), 2)
	edit(s, r, withAddress("10.123.0.51"))
	s.await(r, isReady, isSynced)
	s.awaitStored(mac, "10.123.0.51")

	s.delete(r)
	s.awaitGone(r)
	if got := s.heldIn(kea.TargetDatabase, mac); got != nil {
		t.Errorf("the database still holds %+v", got)
	}
	s.awaitStored(other, "10.123.0.150")
}

// TestDatabaseTakenAddress: "the address belongs to another host: nothing lost",
// with PostgreSQL, and where the holder is in the other place, which Kea itself
// does not check.
func TestDatabaseTakenAddress(t *testing.T) {
	t.Parallel()
	for _, place := range []kea.Target{kea.TargetDatabase, kea.TargetMemory} {
		for name, change := range map[string]func(*v1alpha1.ClusterProviderConfig){
			"in the snapshot": func(*v1alpha1.ClusterProviderConfig) {}, "not seen yet": seldom,
		} {
			t.Run(string(place)+" holder "+name, func(t *testing.T) {
				t.Parallel()
				s := newDatabaseSite(t, change)
				r := s.created(s.static("vm01", "10.123.0.50"))
				s.putIn(place, kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.60")})
				edit(s, r, withAddress("10.123.0.60"))
				s.await(r, notReady(v1alpha1.ReasonAddressConflict, other)...)
				s.awaitStored(mac, "10.123.0.50")
				second := s.reservation("vm02", params{HWAddress: "00:02:12:00:00:03", IPAddress: "10.123.0.60"})
				s.create(second)
				s.await(second, notReady(v1alpha1.ReasonAddressConflict, other)...)
				if got := s.heldIn(place, other); got == nil || got.IPAddress != addr("10.123.0.60") {
					t.Errorf("the holder is %+v", got)
				}
			})
		}
	}
}

// TestShadow: a reservation in memory hides the one in the database (Kea looks
// there first): it is adopted with its address and its fields, written to the
// database, and only then removed from memory.
func TestShadow(t *testing.T) {
	t.Parallel()
	for name, inDatabase := range map[string]*kea.Reservation{
		"memory alone":     nil,
		"an older one too": {HWAddress: mac, IPAddress: addr("10.123.0.61")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newDatabaseSite(t)
			s.putIn(kea.TargetMemory, byHand("10.123.0.60"))
			if inDatabase != nil {
				s.putIn(kea.TargetDatabase, *inDatabase)
			}
			r := s.created(s.reservation("vm01", params{HWAddress: mac}))
			equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
			s.awaitStored(mac, "10.123.0.60")
			if inDatabase == nil {
				checkByHand(t, s.heldIn(kea.TargetDatabase, mac), "10.123.0.60")
			}
			s.checkQuiet(r)
			// One that comes later is removed as well.
			s.putIn(kea.TargetMemory, kea.Reservation{HWAddress: mac, IPAddress: addr("10.123.0.77")})
			s.awaitStored(mac, "10.123.0.60")
			s.delete(r)
			s.awaitGone(r)
			if got := s.heldIn(kea.TargetDatabase, mac); got != nil {
				t.Errorf("the database still holds %+v", got)
			}
		})
	}
}

// TestDatabaseDeletedWhileDown: "deleted: the finalizer stays until every server
// that holds it has confirmed", where Kea is stopped and keeps its hosts.
func TestDatabaseDeletedWhileDown(t *testing.T) {
	t.Parallel()
	s := newDatabaseSite(t)
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.kea.Stop()
	s.awaitUnusable("connection refused")
	s.delete(r)
	s.await(r, notSynced("cannot remove the reservation from kea1"))
	if len(r.Finalizers) == 0 {
		t.Fatal("the finalizer is gone")
	}
	s.kea.Start(t)
	s.awaitGone(r)
	if got := s.heldIn(kea.TargetDatabase, mac); got != nil {
		t.Errorf("the database still holds %+v", got)
	}
}

// TestDatabaseDeletedWhileLost: the only reservation in a database is deleted while Kea goes on
// without the database. Kea's answers are those of an empty one then, so that the provider cannot
// tell until it is back.
func TestDatabaseDeletedWhileLost(t *testing.T) {
	t.Parallel()
	db := testenv.StartPostgres(t)
	s := newSite(t, testenv.KeaOptions{Postgres: db, Extra: object{"hosts-database": db.HostsDatabase(object{
		"on-fail": "serve-retry-continue", "max-reconnect-tries": 1000, "reconnect-wait-time": 500,
	})}})
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.awaitStored(mac, "10.123.0.50")
	db.Stop()
	s.delete(r)
	// Why depends on whether the provider has seen before that the database is lost.
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse})
	db.Start(t)
	s.awaitGone(r)
	if got := s.heldIn(kea.TargetDatabase, mac); got != nil {
		t.Errorf("the database still holds %+v", got)
	}
}
