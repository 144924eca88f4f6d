// SPDX-License-Identifier: Apache-2.0

package kea_test

import (
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// A host or lease that cannot be parsed affects only itself.
func TestUnreadable(t *testing.T) {
	k := keatest.NewOffline(t, keatest.Options{})
	c := newClient(t, k.ClientConfig())
	good, bad := host(hw1, "10.123.0.51"), host(hw2, "10.123.0.52")
	k.PutUnreadable(kea.TargetMemory, bad)
	k.PutReservation(kea.TargetMemory, good)
	ctx := t.Context()

	const unreadable = "the host reservation of \"00:00:00:00:00:02\" in the subnet with id 1 has another shape than Kea's"
	texts := func(errs []error) (out []string) {
		for _, err := range errs {
			wantClass(t, "what cannot be parsed", err, "malformed")
			out = append(out, err.Error())
		}
		return out
	}
	pages := 0
	for page, err := range c.ReservationPages(ctx, 10) {
		pages++
		if diff := cmp.Diff([]kea.Reservation{good}, page.Reservations(), compare); err != nil || diff != "" {
			t.Errorf("ReservationPages: %v, -want +got:\n%s", err, diff)
		}
		if diff := cmp.Diff([]string{"cannot understand the answer to reservation-get-page: " + unreadable}, texts(page.Unreadable)); diff != "" {
			t.Errorf("Unreadable: -want +got:\n%s", diff)
		}
	}
	if pages != 1 {
		t.Errorf("got %d pages, want 1", pages)
	}
	_, err := c.Reservation(ctx, kea.TargetMemory, subnetA, hw2)
	wantClass(t, "Reservation of the host itself", err, "malformed")
	_, err = c.ReservationsByAddress(ctx, kea.TargetMemory, subnetA, bad.IPAddress)
	wantClass(t, "ReservationsByAddress: the address is not free", err, "malformed")
	got, err := c.ReservationsByAddress(ctx, kea.TargetMemory, subnetA, good.IPAddress)
	if err != nil || len(got) != 1 {
		t.Errorf("ReservationsByAddress of another: got %v, %v", got, err)
	}

	lease := func(ip string) kea.Lease {
		return kea.Lease{IPAddress: netip.MustParseAddr(ip), HWAddress: hw1, SubnetID: 1}
	}
	for _, ip := range []string{"10.123.0.101", "10.123.0.102", "10.123.0.103"} {
		k.AddUnreadableLease(lease(ip))
	}
	k.AddLease(lease("10.123.0.100"))
	k.AddLease(lease("10.123.0.104"))
	var addresses, problems []string
	for page, err := range c.LeasePages(ctx, 1) {
		if err != nil {
			t.Fatal(err)
		}
		for _, l := range page.Leases {
			addresses = append(addresses, l.IPAddress.String())
		}
		problems = append(problems, texts(page.Unreadable)...)
	}
	if diff := cmp.Diff([]string{"10.123.0.100", "10.123.0.104"}, addresses); diff != "" || len(problems) != 3 {
		t.Errorf("LeasePages: %v, -want +got:\n%s", problems, diff)
	}
	leases, err := c.LeasesByHWAddress(ctx, hw1)
	wantClass(t, "LeasesByHWAddress", err, "malformed")
	if len(leases) != 2 {
		t.Errorf("LeasesByHWAddress: got %v, want the two that can be parsed", leases)
	}
}

// An account that may only read can look at everything, and a command that it may not send is
// named.
func TestReadOnlyAccount(t *testing.T) {
	k := keatest.NewOffline(t, keatest.Options{ReadOnly: true, Database: keatest.NewDatabase(), Forbidden: []string{"config-get"}})
	c := newClient(t, k.ClientConfig())
	ip := netip.MustParseAddr("10.123.0.51")
	for name, run := range reads(t.Context(), c) {
		want := "ok"
		switch name {
		case "Reservation":
			want = "not found"
		case "Configuration":
			want = "unauthorized"
		}
		wantClass(t, name, run(), want)
	}
	for command, err := range map[string]error{
		"reservation-add":    c.AddReservation(t.Context(), kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: hw1, IPAddress: ip}),
		"reservation-update": c.UpdateReservation(t.Context(), kea.TargetMemory, kea.Reservation{SubnetID: 1, HWAddress: hw1, IPAddress: ip}),
		"reservation-del":    c.DeleteReservation(t.Context(), kea.TargetMemory, 1, hw1),
		"config-write":       c.WriteConfig(t.Context()),
	} {
		want := "Kea forbids " + command + " (HTTP 403): the listener of the high-availability hook answers so, " +
			"use the URL of kea-dhcp4's control socket; if it is that URL, allow the account to run this command"
		if err == nil || err.Error() != want {
			t.Errorf("%s: got %v, want %s", command, err, want)
		}
	}
	_, err := c.ProbeDatabase(t.Context())
	wantClass(t, "ProbeDatabase", err, "unauthorized")
}

// Shapes of the configuration that Kea does not write.
func TestConfigurationShapes(t *testing.T) {
	for name, tc := range map[string]struct{ reason, configuration, want string }{
		"Empty":        {"Defaults hold.", `{"Dhcp4": {}}`, "ok"},
		"Old":          {"hosts-database, before it was a list.", `{"Dhcp4": {"hosts-database": {"type": "mysql", "readonly": true, "password": "s3cret"}}}`, "ok"},
		"NoDhcp4":      {"Another daemon's.", `{"Dhcp6": {}}`, "malformed"},
		"NoPrefix":     {"A subnet without a prefix.", `{"Dhcp4": {"subnet4": [{"id": 1}]}}`, "malformed"},
		"NoID":         {"A subnet without an id.", `{"Dhcp4": {"subnet4": [{"subnet": "10.0.0.0/24"}]}}`, "malformed"},
		"SubnetIsText": {"Of another type.", `{"Dhcp4": {"subnet4": "x"}}`, "malformed"},
		"ModeIsText":   {"Of another type.", `{"Dhcp4": {"reservations-global": "yes"}}`, "malformed"},
		"TwiceTheID":   {"Only one can be meant.", `{"Dhcp4": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24"}, {"id": 1, "subnet": "10.1.0.0/24"}]}}`, "malformed"},
		"BadPool":      {"A pool that is none.", `{"Dhcp4": {"subnet4": [{"id": 1, "subnet": "10.0.0.0/24", "pools": [{"pool": "x"}]}]}}`, "malformed"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newClient(t, answering(`[{"result": 0, "arguments": `+tc.configuration+`}]`))
			cfg, err := c.Configuration(t.Context())
			wantClass(t, tc.reason, err, tc.want)
			if name == "Old" {
				if diff := cmp.Diff([]kea.HostDatabase{{Type: "mysql", ReadOnly: true}}, cfg.HostDatabases); diff != "" {
					t.Errorf("%s -want +got:\n%s", tc.reason, diff)
				}
			}
		})
	}
}
