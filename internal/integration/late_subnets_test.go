// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

const reasonNoSubnets = "NoSubnets"

// losses watches the site's objects of a kind and records each state of one that a check finds
// fault with. The function that is returned ends the watch and returns them.
func losses[O client.Object](s *site, list client.ObjectList, check func(O) error) func() []string {
	s.t.Helper()
	w, err := s.client.Watch(s.t.Context(), list, client.InNamespace(s.namespace))
	if err != nil {
		s.t.Fatal(err)
	}
	var (
		found   []string
		done    sync.WaitGroup
		stopped atomic.Bool
	)
	done.Go(func() {
		for e := range w.ResultChan() {
			o, ok := e.Object.(O)
			switch {
			case stopped.Load(): // the end of the watch is an event too
			case !ok || e.Type == watch.Deleted:
				found = append(found, fmt.Sprintf("event %s of a %T", e.Type, e.Object))
			default:
				if err := check(o); err != nil {
					found = append(found, fmt.Sprintf("%s at resourceVersion %s: %v", o.GetName(), o.GetResourceVersion(), err))
				}
			}
		}
		if !stopped.Load() {
			found = append(found, "the watch ended by itself")
		}
	})
	return func() []string {
		stopped.Store(true)
		w.Stop()
		done.Wait()
		return found
	}
}

// keaConfig returns Kea's running configuration, as config-set takes it.
func (s *site) keaConfig() object {
	s.t.Helper()
	var c object
	if err := json.Unmarshal(s.mustAsk("config-get", nil), &c); err != nil {
		s.t.Fatal(err)
	}
	delete(c, "hash")
	return c
}

// setConfig changes Kea's running configuration by config-set, which costs it its hosts in memory:
// the configuration that is sent has none but those that stand in Kea's file.
func (s *site) setConfig(change func(dhcp4 object)) {
	s.t.Helper()
	c := s.keaConfig()
	dhcp4, _ := c["Dhcp4"].(object)
	for _, net := range list(dhcp4["subnet4"]) {
		delete(net, "reservations")
	}
	change(dhcp4)
	s.mustAsk("config-set", c)
}

// list returns the objects of a JSON list.
func list(v any) (out []object) {
	all, _ := v.([]any)
	for _, o := range all {
		if o, ok := o.(object); ok {
			out = append(out, o)
		}
	}
	return out
}

// TestLateSubnets: a Kea that answers and has no subnets yet, because a sidecar sends config-set
// later, takes no known address out of a status, not even for a moment.
func TestLateSubnets(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]func(*testing.T) testenv.KeaOptions{
		inMemory:   func(*testing.T) testenv.KeaOptions { return testenv.KeaOptions{} },
		inDatabase: func(t *testing.T) testenv.KeaOptions { return testenv.KeaOptions{Postgres: postgres(t)} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, o(t))
			s.networkNamespace(subnet)
			nc := s.networkConfiguration("machine", "00:02:12:00:00:0a")
			s.lease("00:02:12:00:00:0a", "10.123.0.110")
			s.create(nc)
			s.awaitPhase(nc, vitistack.PhaseReady)
			r := s.created(s.static("vm01", "10.123.0.50"))
			s.awaitSnapshots(2)

			lostReservations := losses(s, &v1alpha1.KeaReservationList{}, func(r *v1alpha1.KeaReservation) error {
				if at := r.Status.AtProvider; at.IPAddress == "" || at.Subnet == "" || at.SubnetID == nil {
					return fmt.Errorf("status.atProvider has %q in %q: %s", at.IPAddress, at.Subnet, words(r))
				}
				return nil
			})
			lostMachines := losses(s, &vitistack.NetworkConfigurationList{}, func(nc *vitistack.NetworkConfiguration) error {
				if i := nc.Status.NetworkInterfaces; len(i) != 1 || fmt.Sprint(i[0].IPv4Addresses) != "[10.123.0.110]" || nc.Status.Phase == vitistack.PhaseError {
					return fmt.Errorf("it is %s with %+v: %s", nc.Status.Phase, i, nc.Status.Message)
				}
				return nil
			})
			var nets any
			s.setConfig(func(dhcp4 object) { nets, dhcp4["subnet4"] = dhcp4["subnet4"], []any{} })
			s.awaitSnapshots(1)
			pc := s.config()
			s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reasonNoSubnets})
			s.awaitSnapshots(2)
			s.setConfig(func(dhcp4 object) { dhcp4["subnet4"] = nets })
			s.await(pc, isReady)
			s.awaitHost(name, mac, "the reservation", func(h object) error {
				if h["ip-address"] != "10.123.0.50" {
					return fmt.Errorf("Kea has %v", h)
				}
				return nil
			})
			s.await(r, isReady, isSynced)
			s.awaitPhase(nc, vitistack.PhaseReady)
			s.awaitSnapshots(2)
			for _, found := range append(lostReservations(), lostMachines()...) {
				t.Error(found)
			}
			s.checkQuiet(r)
		})
	}
}

// TestSubnetsThatComeLater: a reservation made while Kea has no subnets is no error and not lost.
func TestSubnetsThatComeLater(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{Extra: object{"subnet4": []any{}}})
	r := s.static("vm01", "10.123.0.50")
	s.create(r)
	s.kea.Restart(t) // It is for a minute after a start that no subnets are too few.
	pc := s.config()
	s.await(pc, is{Type: xpv2.TypeReady, Status: corev1.ConditionFalse, Reason: reasonNoSubnets})
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: "no subnets"})
	s.setConfig(func(dhcp4 object) { dhcp4["subnet4"] = []any{object{"id": 1, "subnet": subnet}} })
	s.await(pc, isReady)
	s.await(r, isReady, isSynced)
	s.awaitHeld(mac, "10.123.0.50")
}
