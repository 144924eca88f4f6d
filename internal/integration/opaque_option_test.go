// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

const (
	reasonOpaqueOption = "OpaqueOption"
	// vendorData is the content of an option that Kea stores and does not return.
	vendorData = "01040a00004d"
	optionSQL  = "SELECT code, encode(value, 'hex') FROM dhcp4_options ORDER BY code"
)

// opaque is an option whose content Kea does not return.
type opaque struct {
	code   int
	reason string
	extra  object // of Kea's configuration
}

var opaqueOptions = map[string]opaque{
	"vendor-encapsulated-options": {code: 43, reason: "Its last-resort definition is of type empty."},
	"dhcp-agent-options":          {code: 82, reason: "Its definition encapsulates a space of its own."},
	"an option-def that encapsulates": {code: 224, reason: "A definition of type empty with a space of its own.", extra: object{
		"option-def": []any{object{"name": "site-options", "code": 224, "type": "empty", "encapsulate": "site"}},
	}},
}

func (o opaque) put() object {
	return object{"option-data": []any{object{"code": o.code, "csv-format": false, "data": vendorData}}}
}

func (o opaque) stored() string { return fmt.Sprintf("%d|%s", o.code, vendorData) }

// TestOpaqueOption: an option whose content Kea does not return survives adoption. A reservation
// that would get nothing but the mark stays without it and is Ready; one that would change is not
// written, unless the spec sets the option's data.
func TestOpaqueOption(t *testing.T) {
	t.Parallel()
	for name, o := range opaqueOptions {
		for _, ip := range []string{"10.123.0.60", ""} {
			t.Run(fmt.Sprintf("%s, ipAddress %q", name, ip), func(t *testing.T) {
				t.Parallel()
				db := postgres(t)
				s := newSite(t, testenv.KeaOptions{Postgres: db, Extra: o.extra})
				s.putHost(inDatabase, mac, "10.123.0.60", o.put())
				unchanged := func(when string) {
					t.Helper()
					equal(t, o.reason+" What the database has "+when, db.Exec(t, optionSQL), o.stored())
					if m := s.host(inDatabase, mac)["user-context"]; m != nil {
						t.Errorf("%s: the reservation has the user-context %v", when, m)
					}
				}
				r := s.created(s.static("vm01", ip))
				equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
				contains(t, "Ready's message", r.GetCondition(xpv2.TypeReady).Message, fmt.Sprint("option ", o.code))
				s.checkQuiet(r)
				unchanged("after the adoption")
				equal(t, "what was written", s.writes(), 0)

				edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("vm01") })
				s.await(r, notReady(reasonOpaqueOption, fmt.Sprint("option ", o.code))...)
				s.checkQuiet(r)
				unchanged("after a hostname was added to the spec")
				equal(t, "what was written", s.writes(), 0)

				edit(s, r, func(r *v1alpha1.KeaReservation) {
					r.Spec.ForProvider.OptionData = []v1alpha1.OptionData{{Code: new(int32(o.code)), CSVFormat: new(false), Data: vendorData}}
				})
				s.await(r, isReady, isSynced)
				s.checkQuiet(r)
				equal(t, "the option when the spec sets it", db.Exec(t, optionSQL), o.stored())
				equal(t, "hostname", fmt.Sprint(s.host(inDatabase, mac)["hostname"]), "vm01")
				contains(t, "user-context", fmt.Sprint(s.host(inDatabase, mac)["user-context"]), s.key("vm01").String())
			})
		}
	}
}

// TestOpaqueOptionTakenAway: the same where the hostname goes from the spec again: nothing has to
// change any longer, so the reservation is Ready.
func TestOpaqueOptionTakenAway(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.putHost(inMemory, mac, "10.123.0.60", opaqueOptions["vendor-encapsulated-options"].put())
	s.awaitSeen()
	r := s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.60", Hostname: new("vm01")})
	s.create(r)
	s.await(r, notReady(reasonOpaqueOption, "option 43")...)
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = nil })
	s.await(r, isReady, isSynced)
	s.checkQuiet(r)
	equal(t, "what was written", s.writes(), 0)
}

// TestOpaqueOptionLost: a reservation that Kea lost with such an option is restored without it,
// and a warning names it. There is none where the spec sets the option's data.
func TestOpaqueOptionLost(t *testing.T) {
	t.Parallel()
	vendor := opaqueOptions["vendor-encapsulated-options"].put()
	inSpec := []v1alpha1.OptionData{{Code: new(int32(43)), CSVFormat: new(false), Data: vendorData}}
	for name, tc := range map[string]struct {
		before, after func(s *site) // the KeaReservation is made
		spec          []v1alpha1.OptionData
		warns         bool
	}{
		"adopted": {before: func(s *site) { s.putHost(inMemory, mac, "10.123.0.50", vendor) }, warns: true},
		"added to ours": {after: func(s *site) {
			h := s.host(inMemory, mac)
			h["option-data"] = vendor["option-data"]
			s.mustAsk("reservation-update", object{"reservation": h, "operation-target": inMemory})
		}, warns: true},
		"set by the spec": {spec: inSpec},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			if tc.before != nil {
				tc.before(s)
			}
			r := s.created(s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.50", OptionData: tc.spec}))
			if tc.after != nil {
				tc.after(s)
			}
			s.awaitSnapshots(2)
			s.kea.Restart(t)
			s.awaitHost(inMemory, mac, "the reservation to be restored", func(h object) error {
				if h["ip-address"] != "10.123.0.50" {
					return fmt.Errorf("Kea has %v", h)
				}
				return nil
			})
			s.await(r, isReady, isSynced)
			got := len(options(s.host(inMemory, mac)))
			if tc.warns {
				equal(t, "the number of options", got, 0)
				s.awaitWarningEvent("vm01", "43")
			} else {
				equal(t, "the number of options", got, 1)
			}
			s.checkQuiet(r)
			if got := fmt.Sprint(s.warnings("vm01")); !tc.warns && strings.Contains(got, "43") {
				t.Errorf("there is a warning about an option that the spec sets: %s", got)
			}
		})
	}
}

// awaitWarningEvent waits until a warning event of a KeaReservation has a text in it.
func (s *site) awaitWarningEvent(name, part string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "a warning event with "+part, func(context.Context) error {
		got := strings.Join(s.warnings(name), "\n")
		if !strings.Contains(got, part) {
			return errors.New("the events are: " + got)
		}
		return nil
	})
}
