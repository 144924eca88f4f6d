// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// withAddress asks for another address.
func withAddress(ip string) func(*v1alpha1.KeaReservation) {
	return func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.IPAddress = ip }
}

// fields tells a reservation's fields besides the address, as a text.
func fields(r *kea.Reservation) string {
	options := slices.SortedFunc(slices.Values(r.OptionData), func(a, b kea.OptionData) int { return cmp.Compare(a.Code, b.Code) })
	texts := make([]string, 0, len(options))
	for _, o := range options {
		texts = append(texts, fmt.Sprintf("%d=%s", o.Code, o.Data))
	}
	return fmt.Sprintf("%s|%s|%s|%s|%s|%s", r.Hostname, r.NextServer, r.ServerHostname, r.BootFileName,
		strings.Join(r.ClientClasses, ","), strings.Join(texts, ","))
}

// awaitFields waits until Kea holds mac's reservation with these fields.
func (s *site) awaitFields(want string) {
	s.t.Helper()
	s.eventually(want, mac, func(r *kea.Reservation) error {
		if got := fields(r); got != want {
			return fmt.Errorf("it holds %s", got)
		}
		return nil
	})
}

// TestFields: "a field that is left out is not managed": each is set, changed,
// and let go of, which puts it back to Kea's default; what we never set stays.
func TestFields(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	s.awaitFields("|||||")
	for _, step := range []struct {
		fields params
		want   string
	}{
		{params{
			Hostname: new("vm01.example.com"), NextServer: new("10.0.0.5"), ServerHostname: new("boot"), BootFileName: new("a.pxe"),
			ClientClasses: []string{"one", "two"}, OptionData: []v1alpha1.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2"}, {Code: new(int32(42)), Data: "10.0.0.3"}},
		}, "vm01.example.com|10.0.0.5|boot|a.pxe|one,two|6=10.0.0.2,42=10.0.0.3"},
		{params{
			Hostname: new("vm02"), NextServer: new("10.0.0.6"), ServerHostname: new("boot2"), BootFileName: new("b.pxe"),
			ClientClasses: []string{"two"}, OptionData: []v1alpha1.OptionData{{Name: "domain-name-servers", Data: "10.0.0.7, 10.0.0.8"}},
		}, "vm02|10.0.0.6|boot2|b.pxe|two|6=10.0.0.7, 10.0.0.8"},
		{params{Hostname: new(""), NextServer: new(""), ClientClasses: []string{}, OptionData: []v1alpha1.OptionData{}}, "|||||"},
		{params{Hostname: new("vm03"), OptionData: []v1alpha1.OptionData{{Code: new(int32(6)), Data: "10.0.0.9"}}}, "vm03|||||6=10.0.0.9"},
		{params{OptionData: []v1alpha1.OptionData{{Name: "domain-name-servers", Data: "10.0.0.9"}}}, "|||||6=10.0.0.9"},
		{params{}, "|||||"},
	} {
		edit(s, r, func(r *v1alpha1.KeaReservation) {
			step.fields.Subnet, step.fields.HWAddress, step.fields.IPAddress = subnet, mac, "10.123.0.50"
			r.Spec.ForProvider = step.fields
		})
		s.awaitFields(step.want)
		s.await(r, isReady, isSynced)
		equal(t, "atProvider.hostname", r.Status.AtProvider.Hostname, deref(step.fields.Hostname))
	}
	s.checkQuiet(r)
}

func deref(p *string) string {
	if p == nil {
		return ""
	}
	return *p
}

// TestFieldsOfOthers: "options it does not name stay", and so do fields that
// somebody else has set, when ours come and go beside them.
func TestFieldsOfOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(byHand("10.123.0.60"))
	theirs := "by-hand|10.0.0.9|boot.example.com|by-hand.pxe|foreign|"
	r := s.created(s.static("vm01", "10.123.0.60"))
	s.awaitFields(theirs + "6=10.0.0.1,222=CAFE")
	for _, step := range []struct {
		options []v1alpha1.OptionData
		want    string
	}{
		{[]v1alpha1.OptionData{{Name: "ntp-servers", Data: "10.0.0.3"}}, "6=10.0.0.1,42=10.0.0.3,222=CAFE"},
		{[]v1alpha1.OptionData{{Name: "domain-name-servers", Data: "10.0.0.2"}}, "6=10.0.0.2,222=CAFE"},
		// It was theirs before it was ours, and nobody remembers what it held.
		{nil, "222=CAFE"},
	} {
		edit(s, r, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.OptionData = step.options })
		s.awaitFields(theirs + step.want)
		s.await(r, isReady, isSynced)
	}
	s.checkQuiet(r)
}

// TestKeasOwnSpelling: what Kea writes in another way than it was given is no
// difference, and causes no endless updates.
func TestKeasOwnSpelling(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	spellings := map[string]v1alpha1.OptionData{
		"blanks":                 {Name: "domain-name-servers", Data: "10.0.0.2,10.0.0.3 ,  10.0.0.4"},
		"no-dot-at-the-end":      {Name: "domain-search", Data: "a.example.com,b.example.com"},
		"dots-at-the-end":        {Name: "domain-search", Data: "a.example.com., b.example.com."},
		"upper-case":             {Name: "domain-search", Data: "A.Example.COM"},
		"binary":                 {Name: "domain-name-servers", Data: "0a000002", CSVFormat: new(false)},
		"binary-with-0x":         {Code: new(int32(222)), Data: "0xcafe", CSVFormat: new(false)},
		"binary-with-colons":     {Code: new(int32(222)), Data: "ca:fe:00", CSVFormat: new(false)},
		"no-name-for-the-code":   {Code: new(int32(223)), Data: "cafe"},
		"a-code-that-has-a-name": {Code: new(int32(42)), Data: "10.0.0.3"},
		"code-and-name":          {Code: new(int32(42)), Name: "ntp-servers", Data: "10.0.0.3"},
		"the-space-written-out":  {Name: "ntp-servers", Space: "dhcp4", Data: "10.0.0.3"},
		"always-send":            {Name: "ntp-servers", Data: "10.0.0.3", AlwaysSend: new(true)},
		"defaults-written-out":   {Name: "ntp-servers", Data: "10.0.0.3", AlwaysSend: new(false), CSVFormat: new(true)},
		"a-number-with-zeros":    {Name: "default-ip-ttl", Data: "064"},
		"a-boolean":              {Name: "ip-forwarding", Data: "True"},
		"an-escaped-comma":       {Name: "root-path", Data: `nfs:/a\,b`},
	}
	var fleet []*v1alpha1.KeaReservation
	for _, name := range slices.Sorted(maps.Keys(spellings)) {
		n := len(fleet) + 10
		r := s.reservation(name, params{
			HWAddress: fmt.Sprintf("00:02:12:00:01:%02x", n), IPAddress: fmt.Sprintf("10.123.0.%d", n),
			OptionData: []v1alpha1.OptionData{spellings[name]},
		})
		s.create(r)
		fleet = append(fleet, r)
	}
	s.awaitEach("Ready", fleet, has(isReady, isSynced))
	s.checkQuiet(fleet...)
	if got := s.sent("reservation-update"); got > len(fleet) {
		t.Errorf("there were %d updates of %d reservations", got, len(fleet))
	}
	// It is still a difference when somebody really changes it.
	for _, r := range fleet {
		hw := r.Spec.ForProvider.HWAddress
		h := s.held(hw).Clone()
		h.OptionData = nil
		s.replace(h)
	}
	for _, r := range fleet {
		s.eventually("the option of "+r.Name+" to come back", r.Spec.ForProvider.HWAddress, func(h *kea.Reservation) error {
			if len(h.OptionData) != 1 {
				return fmt.Errorf("it has %+v", h.OptionData)
			}
			return nil
		})
	}
	s.awaitEach("Ready", fleet, has(isReady, isSynced))
	s.checkQuiet(fleet...)
}

// TestKeasOwnSpellingOfHosts: the same for the fields of a host.
func TestKeasOwnSpellingOfHosts(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.reservation("vm01", params{
		HWAddress: "00-02-12-34-56-78", IPAddress: "10.123.0.50", Hostname: new("VM01.Example.COM."), NextServer: new("0.0.0.0"),
		ClientClasses: []string{"b", "a"}, OptionData: []v1alpha1.OptionData{{Name: "routers", Data: "10.123.0.1"}},
	})
	s.created(r)
	s.checkQuiet(r)
	if got := s.sent("reservation-update"); got > 1 {
		t.Errorf("there were %d updates, Kea has %+v", got, s.held(mac))
	}
}
