// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const reasonRefused = "Refused"

// TestTooManyClasses: Kea's databases store a host's client classes as a text of 255 bytes with a
// comma between two of them, so the API takes no more, wherever hosts are.
func TestTooManyClasses(t *testing.T) {
	t.Parallel()
	s := bareSite(t, "http://127.0.0.1:1")
	classes := func(n, length int) []string {
		out := slices.Repeat([]string{strings.Repeat("c", length)}, n)
		for i := range out {
			out[i] = fmt.Sprintf("%03d%s", i, out[i][3:])
		}
		return out
	}
	for name, tc := range map[string]struct {
		classes []string
		refused bool
	}{
		"ten of 40":                     {classes(10, 40), true},
		"256 bytes with the comma":      {[]string{strings.Repeat("a", 127), strings.Repeat("b", 128)}, true},
		"255 bytes with the comma":      {[]string{strings.Repeat("a", 127), strings.Repeat("b", 127)}, false},
		"fewer characters than bytes":   {[]string{strings.Repeat("é", 100), strings.Repeat("ü", 28)}, true},
		"as many bytes as Kea can take": {[]string{strings.Repeat("é", 100), strings.Repeat("ü", 27)}, false},
	} {
		r := s.reservation("classes", params{HWAddress: mac, IPAddress: "10.123.0.50", ClientClasses: tc.classes})
		err := s.client.Create(t.Context(), r)
		switch {
		case tc.refused && (!kerrors.IsInvalid(err) || !strings.Contains(err.Error(), "255 bytes")):
			t.Errorf("%s: the API's answer is %v", name, err)
		case !tc.refused && err != nil:
			t.Errorf("%s: %v", name, err)
		}
		s.delete(r)
		s.awaitGone(r)
	}
}

// refuseHostname has the database refuse a hostname: only when it is written, which is after
// Kea's reservation-update has deleted the host.
func refuseHostname(t *testing.T, db *testenv.Postgres, hostname string) {
	t.Helper()
	db.Exec(t, fmt.Sprintf("ALTER TABLE hosts ADD CONSTRAINT not_this_one CHECK (hostname IS DISTINCT FROM '%s')", hostname))
}

// TestRefusedChange: a change that Kea refuses after it has deleted the host: the host is put
// back, and the change is not sent again until the spec changes.
func TestRefusedChange(t *testing.T) {
	t.Parallel()
	db := postgres(t)
	s := newSite(t, testenv.KeaOptions{Postgres: db})
	refuseHostname(t, db, "refused")
	r := s.created(s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.50", Hostname: new("before")}))
	bystander := s.created(s.reservation("vm02", params{HWAddress: other, IPAddress: "10.123.0.51"}))
	s.awaitSnapshots(2)
	before := s.writes()

	setHostname := func(name string) {
		edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = &name })
	}
	check := func(hostname string) {
		t.Helper()
		h := s.host(inDatabase, mac)
		equal(t, "what Kea has", fmt.Sprint(h["ip-address"], " ", h["hostname"]), "10.123.0.50 "+hostname)
	}
	setHostname("refused")
	s.await(r, notReady(reasonRefused, "")...)
	check("before")
	if n := s.writes() - before; n > 3 {
		t.Errorf("Kea was written to %d times", n)
	}
	before = s.writes()
	s.awaitSnapshots(10)
	s.checkQuiet(r, bystander)
	equal(t, "what was written in ten snapshots", s.writes()-before, 0)
	check("before")

	setHostname("after")
	s.await(r, isReady, isSynced)
	check("after")

	// An edit that changes nothing of what is refused is a new try, and one alone.
	setHostname("refused")
	s.await(r, notReady(reasonRefused, "")...)
	before = s.writes()
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.BootFileName = new("a.pxe") })
	s.await(r, notReady(reasonRefused, "")...)
	if n := s.writes() - before; n == 0 || n > 3 {
		t.Errorf("after the edit, Kea was written to %d times", n)
	}
	s.checkQuiet(r, bystander)
	check("after")
	s.delete(r)
	s.awaitGone(r)
}

// TestRefusedCreation: the same for a reservation that was not there before: there is nothing to
// put back.
func TestRefusedCreation(t *testing.T) {
	t.Parallel()
	db := postgres(t)
	s := newSite(t, testenv.KeaOptions{Postgres: db})
	refuseHostname(t, db, "refused")
	r := s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.50", Hostname: new("refused")})
	s.create(r)
	s.awaitSent("reservation-add", 1)
	s.awaitSnapshots(4)
	before := s.writes()
	s.awaitSnapshots(10)
	if n := s.writes() - before; n > 6 { // It is tried again, ever more seldom, with two commands each time.
		t.Errorf("in ten snapshots, Kea was written to %d times", n)
	}
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("taken") })
	s.await(r, isReady, isSynced)
	s.awaitStored(mac, "10.123.0.50")
}

// TestRefusedLease: the same for a device that has a lease: the address that is filled in before the
// creation and taken out after it must not have it tried again at once.
func TestRefusedLease(t *testing.T) {
	t.Parallel()
	db := postgres(t)
	s := newSite(t, testenv.KeaOptions{Postgres: db})
	refuseHostname(t, db, "refused")
	s.lease(mac, "10.123.0.50")
	r := s.reservation("vm01", params{HWAddress: mac, Hostname: new("refused")})
	s.create(r)
	s.awaitSent("reservation-add", 3)
	s.awaitSnapshots(4)
	before := s.writes()
	s.awaitSnapshots(10)
	if n := s.writes() - before; n > 6 { // It is tried again, ever more seldom, with two commands each time.
		t.Errorf("in ten snapshots, Kea was written to %d times", n)
	}
	s.await(r)
	if r.Generation > 3 { // created, with the address, and without it
		t.Errorf("the spec was written %d times", r.Generation-1)
	}
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("taken") })
	s.await(r, isReady, isSynced)
	s.awaitStored(mac, "10.123.0.50")
	testenv.Eventually(t, within, "the address to be filled in", func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(r), r); err != nil {
			return err
		}
		if got := r.Spec.ForProvider.IPAddress; got != "10.123.0.50" {
			return fmt.Errorf("it is %q", got)
		}
		return nil
	})
}

// TestOwnWrites: a resource is not woken by what it writes itself: a change of the spec is one
// reconcile, and so is a change in Kea that is undone.
func TestOwnWrites(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o(t))
			r := s.created(s.static("vm01", "10.123.0.50"))
			s.checkQuiet(r)
			before := s.reconciles("vm01")
			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("vm01") })
			s.await(r, isReady, isSynced)
			s.awaitHost(name, mac, "the hostname", func(h object) error {
				if h["hostname"] != "vm01" {
					return fmt.Errorf("Kea has %v", h)
				}
				return nil
			})
			s.awaitSnapshots(4)
			equal(t, "the number of reconciles for an edit", s.reconciles("vm01")-before, 1)
			equal(t, "reservation-update", s.sent("reservation-update"), 1)

			before = s.reconciles("vm01")
			h := s.host(name, mac)
			h["hostname"] = "by-hand"
			s.mustAsk("reservation-update", object{"reservation": h, "operation-target": name})
			s.awaitHost(name, mac, "the hostname to be restored", func(h object) error {
				if h["hostname"] != "vm01" {
					return fmt.Errorf("Kea has %v", h)
				}
				return nil
			})
			s.awaitSnapshots(4)
			equal(t, "the number of reconciles for a change in Kea", s.reconciles("vm01")-before, 1)
		})
	}
}
