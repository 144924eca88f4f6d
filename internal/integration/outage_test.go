// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// notSynced is what a resource is whose Kea cannot be asked.
func notSynced(message string) is {
	return is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: message}
}

// TestUnreachable: an outage is never taken for "not there", and what was known stays in the status. It
// is reported by the configuration, and by the resources that need something: others hear nothing of it.
// The message is stable: nothing is written to the API server while nothing changes.
func TestUnreachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	waiting := s.reservation("vm02", params{HWAddress: other})
	s.create(waiting)
	s.await(waiting, notReady(v1alpha1.ReasonAwaitingLease, other)...)
	s.awaitFollowUps(r)
	uid, known := r.UID, r.Status.AtProvider.DeepCopy()

	s.kea.Stop()
	s.awaitUnusable("connection refused: kea-dhcp4 is not running")
	edit(s, waiting, func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.Hostname = new("vm02") })
	s.await(waiting, notSynced("connection refused: kea-dhcp4 is not running"))
	// Nothing is tried until Kea answers: a fleet of 50,000 would be at it all the
	// time.
	s.awaitSent("status-get", 4)
	before := s.stillness(r)
	s.awaitSent("status-get", 8)
	if after := s.stillness(r); after != before {
		t.Errorf("while Kea was down, {resourceVersion reconciles commands} went from %v to %v", before, after)
	}
	message := waiting.GetCondition(xpv2.TypeSynced).Message
	if regexp.MustCompile(`:\d+|` + strconv.Itoa(s.kea.Port)).MatchString(message) {
		t.Errorf("the message has a port: %s", message)
	}
	equal(t, "Ready", r.GetCondition(xpv2.TypeReady).Status, corev1.ConditionTrue)
	equal(t, "atProvider.ipAddress", r.Status.AtProvider.IPAddress, known.IPAddress)
	equal(t, "atProvider.servers", len(r.Status.AtProvider.Servers), len(known.Servers))

	s.kea.Start(t)
	s.await(r, isReady, isSynced)
	s.await(waiting, notReady(v1alpha1.ReasonAwaitingLease, other)...)
	s.awaitHeld(mac, "10.123.0.50") // a Kea that was stopped has lost its memory hosts
	equal(t, "the resource", r.UID, uid)
	s.checkQuiet(r, waiting)
}

// TestCreatedWhileUnreachable: the same for a resource that is made meanwhile.
func TestCreatedWhileUnreachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.awaitUsable()
	s.kea.Kill()
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.await(r, notSynced("cannot reach Kea"))
	s.kea.Start(t)
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.50")
}

// TestDeletedWhileUnreachable: "deleted: the finalizer stays until every server
// that holds it has confirmed". Kea hangs, so that it still holds the reservation
// when it comes back.
func TestDeletedWhileUnreachable(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, func(c *v1alpha1.ClusterProviderConfig) {
		c.Spec.Timeout = metav1.Duration{Duration: time.Second}
	})
	r := s.created(s.static("vm01", "10.123.0.50"))
	signal(t, s.kea.PID(), syscall.SIGSTOP)
	t.Cleanup(func() { _ = syscall.Kill(s.kea.PID(), syscall.SIGCONT) })
	s.awaitUnusable("no answer in time")
	s.delete(r)
	s.await(r, notSynced("cannot remove the reservation from kea1"))
	if r.DeletionTimestamp == nil || len(r.Finalizers) == 0 {
		t.Errorf("deleted at %v, it has the finalizers %v", r.DeletionTimestamp, r.Finalizers)
	}
	signal(t, s.kea.PID(), syscall.SIGCONT)
	s.awaitGone(r)
	if got := s.held(mac); got != nil {
		t.Errorf("Kea still holds %+v", got)
	}
}

// awaitUnusable waits until the site's configuration says that its server cannot be used.
func (s *site) awaitUnusable(message string) {
	s.t.Helper()
	pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: s.namespace}}
	s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Message: message})
}

func signal(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Fatal(err)
	}
}

// TestRestart: "Kea restarted (memory hosts gone): noticed by pid/uptime, put
// back at once, not at the next poll"; and a config-reload does the same to them.
func TestRestart(t *testing.T) {
	t.Parallel()
	for name, lose := range map[string]func(*site){
		"restart":       func(s *site) { s.kea.Restart(s.t) },
		"config-reload": func(s *site) { s.command("config-reload", nil) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{}, byHeartbeat)
			s.put(byHand("10.123.0.60"))
			r := s.created(s.static("vm01", "10.123.0.60"))
			for range 2 { // Each of them is seen, not only the first.
				s.awaitSent("status-get", 1)
				lose(s)
				if got := s.held(mac); got != nil {
					t.Fatalf("Kea still holds %+v: this test shows nothing", got)
				}
				s.awaitHeld(mac, "10.123.0.60")
				checkByHand(t, s.held(mac), "10.123.0.60")
				s.awaitMarked(mac, "vm01")
				s.await(r, isReady, isSynced)
			}
		})
	}
}

// TestStaysWithoutPin: "Kea restarted: put back", where LateInitialize is not
// allowed, so that the address is in no spec: the same one is put back.
func TestStaysWithoutPin(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.reservation("vm01", params{HWAddress: mac})
	r.Spec.ManagementPolicies = xpv2.ManagementPolicies{
		xpv2.ManagementActionObserve, xpv2.ManagementActionCreate, xpv2.ManagementActionUpdate, xpv2.ManagementActionDelete,
	}
	s.lease(mac, "10.123.0.150")
	s.created(r)
	s.awaitHeld(mac, "10.123.0.150")
	s.checkQuiet(r)
	s.kea.Restart(t) // its leases are gone too
	s.awaitHeld(mac, "10.123.0.150")
	s.await(r, isReady, isSynced)
	equal(t, "spec.forProvider.ipAddress", r.Spec.ForProvider.IPAddress, "")
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}
