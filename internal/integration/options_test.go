// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// setOptions edits the options of a KeaReservation's spec. It is JSON, so that it can name fields
// that this version of the Go types lacks.
func (s *site) setOptions(r *v1alpha1.KeaReservation, json string) {
	s.t.Helper()
	s.patch(r, `{"spec":{"forProvider":{"optionData":`+json+`}}}`)
}

// withOptions creates a Ready KeaReservation of mac with these options in the spec.
func (s *site) withOptions(json string) *v1alpha1.KeaReservation {
	s.t.Helper()
	r := s.reservation("vm01", params{HWAddress: mac, IPAddress: "10.123.0.50"})
	r.Annotations = map[string]string{"crossplane.io/paused": "true"}
	s.create(r)
	s.setOptions(r, json)
	s.patch(r, `{"metadata":{"annotations":{"crossplane.io/paused":null}}}`)
	s.await(r, isReady, isSynced)
	return r
}

// TestOptionTwice: one option may stand in a reservation several times, with other data or for
// other client classes. All of the spec's entries get to Kea, and entries that others made stay.
func TestOptionTwice(t *testing.T) {
	t.Parallel()
	dns := func(data string, classes ...any) object {
		return object{"name": "domain-name-servers", "data": data, "client-classes": append([]any{}, classes...)}
	}
	for name, tc := range map[string]struct {
		reason string
		there  []any
		spec   string
		want   []string
	}{
		"both in the spec": {
			reason: "Option 125 of two vendors.",
			spec:   `[{"code":125,"data":"2234"},{"code":125,"data":"3561"}]`,
			want:   []string{"125=2234", "125=3561"},
		},
		"one in the spec": {
			reason: "The spec sets one vendor's, an administrator has set another one's.",
			there:  []any{object{"code": 125, "data": "2234"}, object{"code": 125, "data": "3561"}},
			spec:   `[{"code":125,"data":"2234"}]`,
			want:   []string{"125=2234", "125=3561"},
		},
		"for a class in the spec": {
			reason: "An entry for a class is another one than the entry without.",
			spec:   `[{"code":6,"data":"10.0.0.2","clientClasses":["pxe"]},{"code":6,"data":"10.0.0.3"}]`,
			want:   []string{"6=10.0.0.2 [pxe]", "6=10.0.0.3"},
		},
		"for a class in Kea": {
			reason: "The administrator's entry for a class stays beside ours.",
			there:  []any{dns("10.0.0.2", "pxe"), dns("10.0.0.3")},
			spec:   `[{"code":6,"data":"10.0.0.4"}]`,
			want:   []string{"6=10.0.0.2 [pxe]", "6=10.0.0.4"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{})
			if tc.there != nil {
				s.putHost(inMemory, mac, "10.123.0.50", object{"option-data": tc.there})
			}
			r := s.withOptions(tc.spec)
			t.Log(tc.reason)
			s.awaitOptions(mac, tc.want...)
			s.checkQuiet(r)
			s.awaitOptions(mac, tc.want...)
		})
	}
}

// TestOptionFormat: an option of the spec changes between hexadecimal digits and values.
func TestOptionFormat(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.withOptions(`[{"name":"domain-name-servers","data":"0a000002","csvFormat":false}]`)
	s.awaitOptions(mac, "6=0A000002")
	for _, step := range []struct{ spec, want string }{
		{`[{"name":"domain-name-servers","data":"10.0.0.2"}]`, "6=10.0.0.2"},
		{`[{"name":"domain-name-servers","data":"0a000003","csvFormat":false}]`, "6=0A000003"},
		{`[{"name":"domain-name-servers","data":"10.0.0.2","csvFormat":true}]`, "6=10.0.0.2"},
		{`[{"code":6,"data":"0x0a000002","csvFormat":false}]`, "6=0A000002"},
	} {
		s.setOptions(r, step.spec)
		s.awaitOptions(mac, step.want)
		s.await(r, isReady, isSynced)
	}
	s.checkQuiet(r)
}

// TestOptionFlags: alwaysSend and neverSend that the spec does not set are Kea's default, false,
// in each option that the spec names. Those of other options stay.
func TestOptionFlags(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.putHost(inMemory, mac, "10.123.0.50", object{"option-data": []any{
		object{"name": "routers", "never-send": true},
		object{"name": "ntp-servers", "data": "10.0.0.9", "always-send": true},
	}})
	r := s.withOptions(`[{"name":"routers","data":"10.123.0.1"}]`)
	const ntp = "42=10.0.0.9 always-send"
	s.awaitOptions(mac, "3=10.123.0.1", ntp)
	for _, step := range []struct{ reason, spec, want string }{
		{"It is set.", `[{"name":"routers","data":"10.123.0.1","alwaysSend":true}]`, "3=10.123.0.1 always-send"},
		{"It is removed.", `[{"name":"routers","data":"10.123.0.1"}]`, "3=10.123.0.1"},
		{"The other one is set.", `[{"name":"routers","data":"10.123.0.1","neverSend":true}]`, "3=10.123.0.1 never-send"},
		{"It is set to the default.", `[{"name":"routers","data":"10.123.0.1","neverSend":false}]`, "3=10.123.0.1"},
	} {
		t.Log(step.reason)
		s.setOptions(r, step.spec)
		s.awaitOptions(mac, step.want, ntp)
		s.await(r, isReady, isSynced)
	}
	s.checkQuiet(r)
	// A change in Kea of what the spec does not set is drift too.
	h := s.host(inMemory, mac)
	h["option-data"] = []any{object{"name": "routers", "data": "10.123.0.1", "never-send": true}}
	s.mustAsk("reservation-update", object{"reservation": h, "operation-target": inMemory})
	s.awaitOptions(mac, "3=10.123.0.1")
}
