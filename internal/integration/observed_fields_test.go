// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// handMade is a host with a value in each field.
func handMade() object {
	return object{
		"hostname": "by-hand", "next-server": "10.0.0.9", "server-hostname": "boot.example.com", "boot-file-name": "by-hand.pxe",
		"client-classes": []string{"second", "first"},
		"option-data": []any{
			object{"name": "domain-name-servers", "data": "10.0.0.1, 10.0.0.2", "always-send": true},
			object{"code": 222, "csv-format": false, "data": "cafe"},
			object{"name": "routers", "data": "10.123.0.1", "never-send": true, "client-classes": []string{"first"}},
		},
	}
}

// atProvider returns a KeaReservation's status.atProvider.
func (s *site) atProvider(name string) object {
	s.t.Helper()
	var at object
	if err := json.Unmarshal([]byte(s.field(v1alpha1.KeaReservationKind, name, "status", "atProvider")), &at); err != nil {
		s.t.Fatal(err)
	}
	return at
}

// checkHandMade makes sure that status.atProvider has all fields of handMade.
func (s *site) checkHandMade(t *testing.T, name, ip string) {
	t.Helper()
	at := s.atProvider(name)
	for field, want := range map[string]any{
		"subnet": subnet, "subnetId": 1, "hwAddress": mac, "ipAddress": ip,
		"hostname": "by-hand", "nextServer": "10.0.0.9", "serverHostname": "boot.example.com", "bootFileName": "by-hand.pxe",
		"clientClasses": "[second first]",
	} {
		equal(t, "status.atProvider."+field, fmt.Sprint(at[field]), fmt.Sprint(want))
	}
	var got []string
	for _, o := range list(at["optionData"]) {
		got = append(got, fmt.Sprint(o["code"], " ", o["name"], " ", strings.ToLower(fmt.Sprint(o["data"])), " ", o["alwaysSend"] == true, o["neverSend"] == true, o["clientClasses"]))
	}
	equal(t, "status.atProvider.optionData", strings.Join(got, "\n"), strings.Join([]string{
		"6 domain-name-servers 10.0.0.1, 10.0.0.2 true false <nil>",
		"222 <nil> cafe false false <nil>",
		"3 routers 10.123.0.1 false true [first]",
	}, "\n"))
}

// TestObservedFields: status.atProvider shows each field of forProvider as Kea has it, when it is
// only observed, when it is adopted, and when Kea's changes.
func TestObservedFields(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.putHost(inMemory, mac, "10.123.0.60", handMade())
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Spec.ManagementPolicies = observe
	s.created(r)
	s.checkHandMade(t, "vm01", "10.123.0.60")
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ManagementPolicies = nil })
	s.awaitMarked(mac, "vm01")
	s.await(r, isReady, isSynced)
	s.checkHandMade(t, "vm01", "10.123.0.60")
	s.checkQuiet(r)
	// A field that the spec does not set and that changes in Kea is shown.
	h := s.host(inMemory, mac)
	h["boot-file-name"] = "other.pxe"
	s.mustAsk("reservation-update", object{"reservation": h, "operation-target": inMemory})
	s.awaitField("vm01", `"other.pxe"`, "bootFileName")
	s.checkQuiet(r)
}

// TestObservedDifference: under Observe, Ready's message says how Kea differs from the spec: what
// the provider would change if it were allowed to.
func TestObservedDifference(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.putHost(inMemory, mac, "10.123.0.60", object{
		"hostname": "a", "boot-file-name": "a.pxe", "option-data": []any{object{"name": "routers", "data": "10.123.0.1"}},
	})
	for i, tc := range []struct {
		reason string
		spec   params
		parts  []string
	}{
		{"One field differs.", params{Hostname: new("b")}, []string{"Kea differs: hostname a, wanted b"}},
		{"The address differs.", params{IPAddress: "10.123.0.61"}, []string{"Kea differs: ", "10.123.0.60, wanted 10.123.0.61"}},
		{"All differences are named.", params{Hostname: new("b"), BootFileName: new("b.pxe")}, []string{"hostname a, wanted b", "a.pxe, wanted b.pxe"}},
		{"So are options.", params{OptionData: []v1alpha1.OptionData{{Name: "routers", Data: "10.123.0.2"}}}, []string{"10.123.0.1", "wanted 10.123.0.2"}},
		{"A field that Kea lacks.", params{ServerHostname: new("boot")}, []string{"Kea differs: ", "wanted boot"}},
	} {
		tc.spec.HWAddress = mac
		r := s.reservation(fmt.Sprintf("vm%02d", i), tc.spec)
		r.Spec.ManagementPolicies = observe
		s.create(r)
		for _, part := range tc.parts {
			s.await(r, isSynced, is{Type: xpv2.TypeReady, Status: "True", Message: part})
		}
		t.Log(tc.reason, r.GetCondition(xpv2.TypeReady).Message)
	}
	same := s.reservation("same", params{HWAddress: mac, IPAddress: "10.123.0.60", Hostname: new("a")})
	same.Spec.ManagementPolicies = observe
	s.created(same)
	equal(t, "the message where nothing differs", same.GetCondition(xpv2.TypeReady).Message, "")
	// It follows Kea.
	h := s.host(inMemory, mac)
	h["hostname"] = "c"
	s.mustAsk("reservation-update", object{"reservation": h, "operation-target": inMemory})
	s.await(same, is{Type: xpv2.TypeReady, Status: "True", Message: "Kea differs: hostname c, wanted a"})
	s.checkQuiet(same)
	equal(t, "what was written", s.writes(), 0)
}
