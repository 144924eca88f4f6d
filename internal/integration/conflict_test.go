// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const clientID = "01000212000009"

// TestAddressConflict: "the address belongs to another host: never overwritten,
// nothing lost: Ready=False reason AddressConflict, naming the holder". It heals
// when the holder goes, and when another address is asked for.
func TestAddressConflict(t *testing.T) {
	t.Parallel()
	for name, holder := range map[string]struct {
		kea.Reservation
		named string
	}{
		"by MAC":       {kea.Reservation{HWAddress: other, Hostname: "first"}, other + " (hostname first)"},
		"by client-id": {kea.Reservation{ClientID: clientID}, "client-id " + clientID},
		"another cluster's": {kea.Reservation{HWAddress: other, UserContext: marked("prod/web")},
			other + ", which belongs to a KeaReservation of another cluster"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			holder.IPAddress = addr("10.123.0.50")
			s.put(holder.Reservation)
			before := s.holding("10.123.0.50")

			r := s.static("vm01", "10.123.0.50")
			s.create(r)
			s.await(r, notReady(v1alpha1.ReasonAddressConflict, "10.123.0.50 is reserved for "+holder.named)...)
			s.checkQuiet(r)
			equal(t, "the holder", s.holding("10.123.0.50"), before)
			if got := s.held(mac); got != nil {
				t.Errorf("Kea holds %+v", got)
			}
			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.51" })
			s.await(r, isReady, isSynced)
			s.awaitHeld(mac, "10.123.0.51")

			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.50" })
			s.await(r, notReady(v1alpha1.ReasonAddressConflict, holder.named)...)
			s.command("reservation-del", map[string]any{"subnet-id": 1, "ip-address": "10.123.0.50", "operation-target": "memory"})
			s.await(r, isReady, isSynced)
			s.awaitHeld(mac, "10.123.0.50")
		})
	}
}

// holding tells who has an address.
func (s *site) holding(ip string) string {
	s.t.Helper()
	rs, err := s.at.ReservationsByAddress(s.t.Context(), kea.TargetMemory, 1, addr(ip))
	if err != nil {
		s.t.Fatal(err)
	}
	return fmt.Sprintf("%+v", rs)
}

// TestUpdateToTakenAddress: "nothing lost": Kea's reservation-update deletes a
// host whose new address is another's. The old reservation stays, also where the
// holder came after the last snapshot.
func TestUpdateToTakenAddress(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.ClusterProviderConfig){
		"holder in the snapshot": func(*v1alpha1.ClusterProviderConfig) {}, "holder not seen yet": seldom,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{}, change)
			r := s.static("vm01", "10.123.0.50")
			r.Spec.ForProvider.Hostname = new("vm01")
			s.created(r)
			s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.60")})
			taken := s.holding("10.123.0.60")
			old := s.holding("10.123.0.50")
			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.60" })
			s.await(r, notReady(v1alpha1.ReasonAddressConflict, other)...)
			equal(t, "the old reservation", s.holding("10.123.0.50"), old)
			equal(t, "the holder", s.holding("10.123.0.60"), taken)
			equal(t, "reservation-update of the taken address", s.sent("reservation-update"), 0)
			equal(t, "atProvider.ipAddress", r.Status.AtProvider.IPAddress, "10.123.0.50")
			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.50" })
			s.await(r, isReady, isSynced)
		})
	}
}

// TestNotUnique: "never overwritten", with ip-reservations-unique false, where
// Kea itself takes an address twice: never made twice, also where the holder
// came after the last snapshot.
func TestNotUnique(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*v1alpha1.ClusterProviderConfig){
		"holder in the snapshot": func(*v1alpha1.ClusterProviderConfig) {}, "holder not seen yet": seldom,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{HostsUnique: new(false)}, change)
			s.awaitUsable()
			s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.50")})
			before := s.holding("10.123.0.50")
			r := s.static("vm01", "10.123.0.50")
			s.create(r)
			s.await(r, notReady(v1alpha1.ReasonAddressConflict, other)...)
			equal(t, "what is held", s.holding("10.123.0.50"), before)

			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.51" })
			s.await(r, isReady, isSynced)
			s.put(kea.Reservation{HWAddress: "00:02:12:00:00:03", IPAddress: addr("10.123.0.52")})
			before = s.holding("10.123.0.52")
			edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = "10.123.0.52" })
			s.await(r, notReady(v1alpha1.ReasonAddressConflict, "00:02:12:00:00:03")...)
			equal(t, "what is held", s.holding("10.123.0.52"), before)
			s.awaitHeld(mac, "10.123.0.51")
		})
	}
}

// TestTwoWantOneAddress: "the address belongs to another host", where both are
// KeaReservations: one has it, the other names it and takes over when it goes.
func TestTwoWantOneAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	first := s.created(s.static("first", "10.123.0.50"))
	second := s.reservation("second", params{HWAddress: other, IPAddress: "10.123.0.50"})
	s.create(second)
	s.await(second, notReady(v1alpha1.ReasonAddressConflict, s.key("first").String())...)
	s.delete(first)
	s.awaitGone(first)
	s.await(second, isReady, isSynced)
	s.awaitHeld(other, "10.123.0.50")
}
