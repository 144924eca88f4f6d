// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestStaticAddress: "ipAddress set: reserve exactly that", and "deleted:
// removed".
func TestStaticAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, isReady, isSynced, is{Type: v1alpha1.TypeReplicated, Status: corev1.ConditionTrue},
		is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionUnknown, Reason: v1alpha1.ReasonNoActiveLease})
	s.awaitHeld(mac, "10.123.0.50")
	s.awaitMarked(mac, "vm01")
	at := r.Status.AtProvider
	equal(t, "atProvider.ipAddress", at.IPAddress, "10.123.0.50")
	equal(t, "atProvider.subnet", at.Subnet, subnet)
	equal(t, "atProvider.subnetId", *at.SubnetID, 1)
	if len(at.Servers) != 1 || at.Servers[0].Name != "kea1" || at.Servers[0].State != v1alpha1.ServerStateReserved {
		t.Errorf("atProvider.servers is %+v", at.Servers)
	}
	s.delete(r)
	s.awaitGone(r)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea still holds %+v", got)
	}
}

// TestSubnetID: "subnet, or subnetId; exactly one".
func TestSubnetID(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.reservation("vm01", params{SubnetID: new(int64(1)), HWAddress: mac, IPAddress: "10.123.0.50"}))
	s.awaitHeld(mac, "10.123.0.50")
	equal(t, "atProvider.subnet", r.Status.AtProvider.Subnet, subnet)
	absent := s.reservation("vm02", params{SubnetID: new(int64(77)), HWAddress: other, IPAddress: "10.123.0.51"})
	s.create(absent)
	s.await(absent, notReady(v1alpha1.ReasonSubnetNotFound, "subnet-id 77")...)
}

// TestAdopt: "ipAddress left out, Kea already has a reservation with an address
// for this MAC and subnet: adopt it and pin its address", whatever lease the
// device has; what is not managed stays.
func TestAdopt(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(byHand("10.123.0.60"))
	s.lease(mac, "10.123.0.150")
	// One that somebody else made is there and stays as it is.
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.61"), UserContext: map[string]any{"note": "not ours"}})
	before := fmt.Sprint(*s.held(other))

	r := s.created(s.reservation("vm01", params{HWAddress: mac}))
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
	s.awaitMarked(mac, "vm01")
	checkByHand(t, s.held(mac), "10.123.0.60")
	equal(t, "the other host", fmt.Sprint(*s.held(other)), before)
}

// TestAdoptUnseen: the same where the reservation came after the last snapshot:
// it counts more than the device's lease, which a new resource looks up at once.
func TestAdoptUnseen(t *testing.T) {
	t.Parallel()
	for name, seen := range map[string]bool{"lease seen before": true, "lease not seen": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{}, seldom)
			s.awaitUsable()
			s.lease(mac, "10.123.0.150")
			if seen {
				// Whoever waits for a lease has all of them looked at again.
				s.created(s.reservation("first", params{HWAddress: mac}))
				first := s.reservation("first", params{})
				s.delete(first)
				s.awaitGone(first)
			}
			s.put(byHand("10.123.0.60"))
			r := s.created(s.reservation("vm01", params{HWAddress: mac}))
			equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.60")
			checkByHand(t, s.held(mac), "10.123.0.60")
		})
	}
}

// byHand is a reservation as an administrator makes it.
func byHand(ip string) kea.Reservation {
	return kea.Reservation{
		SubnetID: 1, HWAddress: mac, IPAddress: addr(ip), Hostname: "by-hand", NextServer: "10.0.0.9",
		ServerHostname: "boot.example.com", BootFileName: "by-hand.pxe", ClientClasses: []string{"foreign"},
		OptionData:  []kea.OptionData{{Name: "domain-name-servers", Data: "10.0.0.1"}, {Code: 222, Data: "cafe", CSVFormat: new(false)}},
		UserContext: map[string]any{"rack": "r7", "port": json.Number("12"), "tags": []any{"a", "b"}},
	}
}

// checkByHand makes sure that all of it has survived.
func checkByHand(t *testing.T, r *kea.Reservation, ip string) {
	t.Helper()
	if r == nil {
		t.Fatal("Kea does not hold it")
	}
	equal(t, "ip-address", r.IPAddress, addr(ip))
	equal(t, "hostname", r.Hostname, "by-hand")
	equal(t, "next-server", r.NextServer, "10.0.0.9")
	equal(t, "server-hostname", r.ServerHostname, "boot.example.com")
	equal(t, "boot-file-name", r.BootFileName, "by-hand.pxe")
	equal(t, "client-classes", fmt.Sprint(r.ClientClasses), "[foreign]")
	equal(t, "user-context", fmt.Sprintf("%v %v %v", r.UserContext["rack"], r.UserContext["port"], r.UserContext["tags"]), "r7 12 [a b]")
	data := map[uint16]string{}
	for _, o := range r.OptionData {
		data[o.Code] = o.Data
	}
	equal(t, "option-data", fmt.Sprint(data), "map[6:10.0.0.1 222:CAFE]")
}

// TestAdoptWithoutAddress: "left out", where Kea has a reservation without an
// address (kea-operator makes such): it waits for the lease, then the
// reservation gets the lease's address and keeps the rest.
func TestAdoptWithoutAddress(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(kea.Reservation{HWAddress: mac, Hostname: "from-kea-operator", UserContext: map[string]any{"made-by": "kea-operator"}})
	r := s.reservation("vm01", params{HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	if got := s.held(mac); got == nil || got.IPAddress.IsValid() || got.Hostname != "from-kea-operator" {
		t.Errorf("Kea holds %+v", got)
	}
	s.lease(mac, "10.123.0.150")
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.150")
	s.awaitMarked(mac, "vm01")
	got := s.held(mac)
	equal(t, "hostname", got.Hostname, "from-kea-operator")
	equal(t, "user-context made-by", fmt.Sprint(got.UserContext["made-by"]), "kea-operator")
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.150")
}

// TestFromLease: "left out, no active lease" waits, and "active lease inside the
// subnet: reserve the lease's address; late-initialize ipAddress".
func TestFromLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.reservation("vm01", params{HWAddress: mac})
	s.create(r)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea holds %+v before there is a lease", got)
	}
	s.lease(mac, "10.123.0.150")
	s.await(r, isReady, isSynced, is{Type: v1alpha1.TypeLeaseConfirmed, Status: corev1.ConditionTrue})
	s.awaitHeld(mac, "10.123.0.150")
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.150")
}

// TestNewestLease: "active lease inside the subnet": of several the newest.
func TestNewestLease(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	now := time.Now().Unix()
	// The newest comes first: a snapshot may be taken between two of them, and is
	// fresh enough for a moment.
	s.leaseOf(mac, "10.123.0.151", map[string]any{"expire": now - 60 + 3600})
	s.leaseOf(mac, "10.123.0.150", map[string]any{"expire": now - 900 + 3600})
	s.leaseOf(mac, "10.123.0.152", map[string]any{"expire": now - 600 + 3600})
	r := s.created(s.reservation("vm01", params{HWAddress: mac}))
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "10.123.0.151")
	s.awaitHeld(mac, "10.123.0.151")
}

// TestPastLeases: "no active lease": one that is declined, reclaimed, released,
// expired or in another subnet is none, and it does not matter how new it is.
func TestPastLeases(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{
		Subnets: []testenv.Subnet{testenv.DefaultSubnet(), {ID: 2, Prefix: "10.124.0.0/24", Pools: []string{"10.124.0.100 - 10.124.0.200"}}},
		// Kea itself is not to reclaim any meanwhile.
		Extra: map[string]any{"expired-leases-processing": map[string]any{"reclaim-timer-wait-time": 0}},
	})
	var fleet []*v1alpha1.KeaReservation
	for i, lease := range []struct {
		name, ip string
		more     map[string]any
	}{
		{"declined", "10.123.0.150", map[string]any{"state": kea.LeaseStateDeclined}},
		{"reclaimed", "10.123.0.151", map[string]any{"state": kea.LeaseStateExpiredReclaimed}},
		{"expired", "10.123.0.152", map[string]any{"expire": time.Now().Unix() - 10}},
		{"elsewhere", "10.124.0.150", map[string]any{"subnet-id": 2}},
	} {
		hw := fmt.Sprintf("00:02:12:00:01:%02x", i)
		s.leaseOf(hw, lease.ip, lease.more)
		r := s.reservation(lease.name, params{HWAddress: hw})
		s.create(r)
		s.await(r, notReady(v1alpha1.ReasonAwaitingLease, hw)...)
		fleet = append(fleet, r)
	}
	s.checkQuiet(fleet...)
	equal(t, "reservation-add", s.sent("reservation-add"), 0)
	// The devices come back, with other addresses.
	for i, r := range fleet {
		ip := fmt.Sprintf("10.123.0.%d", 160+i)
		s.lease(r.Spec.ForProvider.HWAddress, ip)
		s.await(r, isReady, isSynced)
		equal(t, "spec.forProvider.ipAddress of "+r.Name, r.Spec.ForProvider.IPAddress, ip)
	}
}
