// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestReadOnlyAccount: an account that may only read serves what is only observed, and nothing
// that would write is even tried.
func TestReadOnlyAccount(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &filter{refuses: changesKea}
			s := newSite(t, o(t), f.front(t))
			s.putHost(name, mac, "10.123.0.60", object{"hostname": "by-hand"})
			r := s.reservation("vm01", params{HWAddress: mac})
			r.Spec.ManagementPolicies = observe
			s.created(r)
			equal(t, "status.atProvider.ipAddress", r.Status.AtProvider.IPAddress, "10.123.0.60")
			s.await(s.config(), isReady)
			s.checkQuiet(r)
			s.kea.Restart(t)
			s.awaitSnapshots(3)
			s.delete(r)
			s.awaitGone(r)
			if n, names := f.refused(); n > 0 {
				t.Errorf("commands that write were sent: %v", names)
			}
		})
	}
}

// TestReadOnlyAccountManaged: a reservation that is to be written says which command was refused,
// and sends it ever more seldom.
func TestReadOnlyAccountManaged(t *testing.T) {
	t.Parallel()
	f := &filter{refuses: changesKea}
	s := newSite(t, testenv.KeaOptions{}, f.front(t))
	s.putHost(inMemory, other, "10.123.0.61", nil)
	created, adopted := s.static("vm01", "10.123.0.50"), s.reservation("vm02", params{HWAddress: other})
	s.create(created)
	s.create(adopted)
	s.awaitSaid(created, "reservation-add")
	s.awaitSaid(adopted, "reservation-update")
	before, _ := f.refused()
	s.awaitSnapshots(8)
	if after, names := f.refused(); after-before > 10 {
		t.Errorf("in eight snapshots, %d commands were refused, of %v", after-before, names)
	}
	equal(t, "the other host", s.host(inMemory, other)["user-context"] == nil, true)
	for _, o := range []conditioned{created, adopted} {
		s.delete(o)
	}
	s.awaitGone(created)
}

// awaitSaid waits until the conditions of a KeaReservation have a text in their messages.
func (s *site) awaitSaid(r *v1alpha1.KeaReservation, part string) {
	s.t.Helper()
	var last error // of the conditions; the one that time ends in says nothing
	testenv.Eventually(s.t, within, r.Name+" to say "+part, func(ctx context.Context) error {
		if err := s.client.Get(ctx, s.key(r.Name), r); err != nil {
			return errors.Join(last, err)
		}
		last = nil
		if !strings.Contains(words(r), part) {
			last = errors.New(words(r))
		}
		return last
	})
}

// TestConfigGetRefused: an account that may not read Kea's configuration, which has credentials in
// it, is served all the same; the provider configuration says what was not checked.
func TestConfigGetRefused(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := &filter{refuses: func(command string) bool { return command == "config-get" }}
			s := newSite(t, o(t), f.front(t))
			r := s.created(s.static("vm01", "10.123.0.50"))
			s.awaitHost(name, mac, "the reservation", func(h object) error {
				if h == nil {
					return errNoHost
				}
				return nil
			})
			s.await(s.config(), isReady)
			s.awaitWarning("config-get", "not checked")
			s.checkQuiet(r)
			if n, _ := f.refused(); n > 2 {
				t.Errorf("config-get was tried %d times", n)
			}
			edit(s, r, withAddress("10.123.0.51"))
			s.await(r, isReady, isSynced)
			s.delete(r)
			s.awaitGone(r)
		})
	}
}

// TestForbiddenReads: with an account that may not read either, the message names the command that
// was refused.
func TestForbiddenReads(t *testing.T) {
	t.Parallel()
	f := &filter{refuses: func(command string) bool { return command == "reservation-get-page" }}
	s := newSite(t, testenv.KeaOptions{}, f.front(t))
	s.await(s.config(), is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: "Unauthorized", Message: "reservation-get-page"})
}

// TestConfigGetTooLarge: config-get answers with all hosts in memory, and DHCP waits for it. Above
// ten thousand hosts it is not sent, and the provider configuration says what was not checked.
func TestConfigGetTooLarge(t *testing.T) {
	t.Parallel()
	const many = 10_001
	hosts := make([]map[string]any, many)
	for i := range hosts {
		hosts[i] = object{"hw-address": fmt.Sprintf("02:00:00:00:%02x:%02x", i/256, i%256), "ip-address": fmt.Sprintf("10.64.%d.%d", 1+i/200, 1+i%200)}
	}
	s := newSite(t, testenv.KeaOptions{Subnets: []testenv.Subnet{{ID: 1, Prefix: "10.64.0.0/16", Reservations: hosts}}}, func(c *v1alpha1.ClusterProviderConfig) {
		c.Spec.SnapshotInterval.Duration *= 5
	})
	r := s.created(s.reservation("vm01", params{Subnet: "10.64.0.0/16", HWAddress: mac, IPAddress: "10.64.200.50"}))
	s.awaitWarning("config-get", "not checked")
	s.await(s.config(), isReady)
	s.await(r, isReady, isSynced)
	equal(t, "config-get", s.sent("config-get"), 0)
}
