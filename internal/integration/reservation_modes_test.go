// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	reasonIgnored = "IgnoredByKea"
	outOfPool     = "reservations-out-of-pool"
	inSubnet      = "reservations-in-subnet"
	identifiers   = "host-reservation-identifiers"
)

// The address of vm01 is in the default subnet's pool, or is not.
const (
	pooled   = "10.123.0.150"
	unpooled = "10.123.0.50"
)

// subnetWith is a Kea whose subnet has these settings.
func subnetWith(extra object) testenv.KeaOptions {
	net := testenv.DefaultSubnet()
	net.Extra = extra
	return testenv.KeaOptions{Subnets: []testenv.Subnet{net}}
}

// networkWith is a Kea whose subnet is in a shared network that has these settings. Kea looks for
// a shared network's settings where the subnet has none of its own.
func networkWith(extra object) testenv.KeaOptions {
	net := testenv.DefaultSubnet()
	network := object{"name": "campus", "subnet4": []any{object{
		"id": net.ID, "subnet": net.Prefix, "pools": []any{object{"pool": net.Pools[0]}},
	}}}
	maps.Copy(network, extra)
	return testenv.KeaOptions{Extra: object{"subnet4": []any{}, "shared-networks": []any{network}}}
}

// globallyWith is a Kea that has these settings for all subnets.
func globallyWith(extra object) testenv.KeaOptions { return testenv.KeaOptions{Extra: extra} }

// TestReservationModes: a reservation that Kea is configured to ignore is in Kea and is not Ready;
// the provider configuration warns of the setting. The modes are looked up where Kea finds them:
// at the subnet, its shared network, or globally (Kea ARM, "Fine-Tuning DHCPv4 Host Reservation").
func TestReservationModes(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		reason  string
		kea     testenv.KeaOptions
		ip      string
		setting string // that Kea ignores the reservation for, "" if it does not
	}{
		"not in subnet":               {"Kea looks for no reservation there.", subnetWith(object{inSubnet: false}), unpooled, inSubnet},
		"not in subnet, pooled":       {"Nor inside a pool.", subnetWith(object{inSubnet: false}), pooled, inSubnet},
		"not in subnet, by network":   {"The subnet inherits it.", networkWith(object{inSubnet: false}), unpooled, inSubnet},
		"not in subnet, globally":     {"The subnet inherits it.", globallyWith(object{inSubnet: false}), unpooled, inSubnet},
		"out of pool, pooled":         {"Kea skips reservations for addresses of pools.", subnetWith(object{outOfPool: true}), pooled, outOfPool},
		"out of pool, unpooled":       {"Kea honors it.", subnetWith(object{outOfPool: true}), unpooled, ""},
		"out of pool, by network":     {"The subnet inherits it.", networkWith(object{outOfPool: true}), pooled, outOfPool},
		"out of pool, globally":       {"The subnet inherits it.", globallyWith(object{outOfPool: true}), pooled, outOfPool},
		"unpooled, globally":          {"Kea honors it.", globallyWith(object{outOfPool: true}), unpooled, ""},
		"other identifiers":           {"Kea does not look for hardware addresses.", globallyWith(object{identifiers: []string{"client-id"}}), unpooled, identifiers},
		"identifiers with hw-address": {"Kea looks for both.", globallyWith(object{identifiers: []string{"client-id", "hw-address"}}), unpooled, ""},
		"subnet before globally": {"The subnet's own setting counts.", func() testenv.KeaOptions {
			o := subnetWith(object{inSubnet: true})
			o.Extra = object{inSubnet: false}
			return o
		}(), unpooled, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, tc.kea)
			r := s.static("vm01", tc.ip)
			s.create(r)
			t.Log(tc.reason)
			if tc.setting == "" {
				s.await(r, isReady, isSynced)
			} else {
				s.await(r, notReady(reasonIgnored, tc.setting)...)
				s.awaitWarning(tc.setting)
				if tc.setting != identifiers {
					s.awaitWarning(subnet)
				}
				s.await(s.config(), isReady)
			}
			s.awaitHeld(mac, tc.ip)
			s.checkQuiet(r)
			equal(t, "what was written", s.writes(), 1)
		})
	}
}

// TestReservationModeReloaded: a setting that changes with a reload of Kea is noticed, both ways.
func TestReservationModeReloaded(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", unpooled))
	s.setConfig(func(dhcp4 object) { dhcp4[inSubnet] = false })
	s.await(r, notReady(reasonIgnored, inSubnet)...)
	s.awaitHeld(mac, unpooled)
	s.setConfig(func(dhcp4 object) { dhcp4[inSubnet] = true })
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, unpooled)
	testenv.Eventually(t, within, "the warning to go", func(context.Context) error {
		if w := s.serverWarnings(); w != "" {
			return errors.New(w)
		}
		return nil
	})
}

// TestIgnoredLease: a device whose reservation Kea ignores does not get the reserved address when
// it asks again, and LeaseConfirmed does not say so.
func TestIgnoredLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, subnetWith(object{inSubnet: false}))
	s.lease(mac, pooled)
	r := s.static("vm01", unpooled)
	s.create(r)
	s.await(r, append(notReady(reasonIgnored, inSubnet), confirmed(corev1.ConditionFalse, "", pooled))...)
	if m := r.GetCondition("LeaseConfirmed").Message; strings.Contains(m, "gets the reserved address") {
		t.Errorf("LeaseConfirmed says %q", m)
	}
}

// TestGlobalReservation: where Kea also looks for global reservations, one of them may have the
// address: it is a holder like any other.
func TestGlobalReservation(t *testing.T) {
	t.Parallel()
	for _, target := range []string{inMemory, inDatabase} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			o := testenv.KeaOptions{Extra: object{"reservations-global": true}}
			if target == inDatabase {
				o.Postgres = postgres(t)
			}
			s := newSite(t, o)
			s.putHost(target, other, "10.123.0.60", object{"subnet-id": 0, "hostname": "roaming"})
			r := s.static("vm01", "10.123.0.60")
			s.create(r)
			s.await(r, notReady("AddressConflict", other)...)
			contains(t, "the message", r.GetCondition(xpv2.TypeReady).Message, "global", "roaming")
			s.checkQuiet(r)
			if h := s.host(target, mac); h != nil {
				t.Errorf("Kea has %v", h)
			}
			edit(s, r, withAddress("10.123.0.61"))
			s.await(r, isReady, isSynced)
			edit(s, r, withAddress("10.123.0.60"))
			s.await(r, notReady("AddressConflict", other)...)
			s.mustAsk("reservation-del", object{
				"subnet-id": 0, "identifier-type": "hw-address", "identifier": other, "operation-target": target,
			})
			s.await(r, isReady, isSynced)
			if c := r.GetCondition(xpv2.TypeReady); c.Status != corev1.ConditionTrue {
				t.Errorf("Ready is %+v", c)
			}
			equal(t, "ip-address", fmt.Sprint(s.host(target, mac)["ip-address"]), "10.123.0.60")
		})
	}
}

// TestGlobalReservationUnused: where Kea does not look for global reservations, the default, one
// of them does not hold the address.
func TestGlobalReservationUnused(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.putHost(inMemory, other, "10.123.0.60", object{"subnet-id": 0})
	r := s.created(s.static("vm01", "10.123.0.60"))
	s.checkQuiet(r)
}
