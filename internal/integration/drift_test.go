// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"errors"
	"fmt"
	"testing"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestChangedBehindOurBack: "changed or deleted behind our back: put back; fields
// and user-context that we do not manage survive".
func TestChangedBehindOurBack(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(s *site, r kea.Reservation){
		"address updated": func(s *site, r kea.Reservation) {
			r.IPAddress = addr("10.123.0.77")
			s.replace(r)
		},
		"hostname updated": func(s *site, r kea.Reservation) {
			r.Hostname = "somebody-elses"
			s.replace(r)
		},
		"deleted and added": func(s *site, r kea.Reservation) {
			r.IPAddress, r.Hostname = addr("10.123.0.77"), "somebody-elses"
			deleteAndAdd(s.t, s.at, kea.TargetMemory, r)
		},
		"deleted": func(s *site, _ kea.Reservation) { s.remove(mac) },
		"mark removed": func(s *site, r kea.Reservation) {
			delete(r.UserContext, "crossplane")
			s.replace(r)
		},
		"address removed": func(s *site, r kea.Reservation) {
			r.IPAddress = kea.Reservation{}.IPAddress
			s.replace(r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			there := byHand("10.123.0.60")
			there.Hostname = "to be set"
			s.put(there)
			r := s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.60", Hostname: new("by-hand")})
			s.created(r)
			s.awaitMarked(mac, "vm01")
			s.awaitSnapshots(2)
			uid := r.UID

			change(s, s.held(mac).Clone())
			s.eventually("Kea to hold it as before", mac, func(h *kea.Reservation) error {
				if h.IPAddress != addr("10.123.0.60") || h.Hostname != "by-hand" || owner(h) != s.key("vm01").String() {
					return fmt.Errorf("it holds %+v", h)
				}
				return nil
			})
			checkByHand(t, s.held(mac), "10.123.0.60")
			s.await(r, isReady, isSynced)
			equal(t, "the resource", r.UID, uid)
			s.checkQuiet(r)
		})
	}
}

// TestForeignFieldsLater: "fields and user-context that we do not manage
// survive", also those that come later; they are nobody's difference.
func TestForeignFieldsLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	h := s.held(mac).Clone()
	h.Hostname, h.UserContext["note"] = "by-hand", "later"
	h.OptionData = []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.1"}}
	s.replace(h)
	s.checkQuiet(r)
	equal(t, "reservation-update", s.sent("reservation-update"), 0)
	// A change of what is managed keeps them.
	edit(s, r, withAddress("10.123.0.51"))
	s.await(r, isReady, isSynced)
	s.eventually("the new address", mac, func(h *kea.Reservation) error {
		if h.IPAddress != addr("10.123.0.51") {
			return errors.New("it has not come")
		}
		return nil
	})
	got := s.held(mac)
	equal(t, "what is not managed", fmt.Sprint(got.Hostname, got.UserContext["note"], got.OptionData[0].Data), fmt.Sprint("by-hand", "later", "10.0.0.1"))
}

// TestForeignFieldsUnseen: the same where they came after the last snapshot: a
// write starts from what Kea has at that moment.
func TestForeignFieldsUnseen(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, seldom)
	r := s.created(s.static("vm01", "10.123.0.50"))
	h := s.held(mac).Clone()
	h.Hostname, h.UserContext["note"] = "by-hand", "later"
	s.replace(h)
	edit(s, r, withAddress("10.123.0.51"))
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.51")
	got := s.held(mac)
	equal(t, "what is not managed", fmt.Sprint(got.Hostname, got.UserContext["note"]), fmt.Sprint("by-hand", "later"))
}
