// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// networkNamespace is a NetworkNamespace whose prefix is the site's subnet, and
// whose reservations are made on the site's Kea.
func (s *site) networkNamespace(prefix string) *crds.NetworkNamespace {
	s.t.Helper()
	nn := &crds.NetworkNamespace{ObjectMeta: metav1.ObjectMeta{
		Namespace: s.namespace, Name: "net", Annotations: map[string]string{v1alpha1.Group + "/provider-config": v1alpha1.ClusterProviderConfigKind + "/" + s.namespace},
	}}
	nn.Spec.DatacenterIdentifier, nn.Spec.SupervisorIdentifier = "dc1", "sv1"
	nn.Spec.ClusterIdentifier, nn.Spec.Environment, nn.Spec.Provider = "cluster1", "test", "example"
	s.create(nn)
	nn.Status.IPv4Prefix, nn.Status.Created = prefix, metav1.Now() // one that is not set would be written as null
	if err := s.client.Status().Update(s.t.Context(), nn); err != nil {
		s.t.Fatal(err)
	}
	return nn
}

func (s *site) networkConfiguration(name string, macs ...string) *vitistack.NetworkConfiguration {
	nc := &vitistack.NetworkConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: name}}
	nc.Spec.Name, nc.Spec.Provider = name, "kea"
	for i, mac := range macs {
		nc.Spec.NetworkInterfaces = append(nc.Spec.NetworkInterfaces, vitistack.NetworkConfigurationInterface{Name: fmt.Sprintf("eth%d", i), MacAddress: mac})
	}
	return nc
}

// awaitPhase waits for a NetworkConfiguration's phase.
func (s *site) awaitPhase(nc *vitistack.NetworkConfiguration, phase string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, nc.Name+" to be "+phase, func(ctx context.Context) error {
		err := s.client.Get(ctx, client.ObjectKeyFromObject(nc), nc)
		if err == nil && nc.Status.Phase != phase {
			err = fmt.Errorf("it is %s: %s", nc.Status.Phase, nc.Status.Message)
		}
		return err
	})
}

// TestMachine is the main job, and back: NetworkConfiguration, KeaReservation,
// reservation, in Kea when the machine has its lease, and gone with it.
func TestMachine(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", "00:02:12:00:00:0A", "00-02-12-00-00-0b")
	s.create(nc)
	s.awaitPhase(nc, vitistack.PhaseReconciling)

	s.lease("00:02:12:00:00:0a", "10.123.0.110")
	s.lease("00:02:12:00:00:0b", "10.123.0.111")
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.awaitHeld("00:02:12:00:00:0a", "10.123.0.110")
	s.awaitHeld("00:02:12:00:00:0b", "10.123.0.111")

	type told struct {
		MAC, IP, Subnet string
		Reserved        bool
	}
	var got []told
	for _, i := range nc.Status.NetworkInterfaces {
		got = append(got, told{i.MacAddress, fmt.Sprint(i.IPv4Addresses), i.IPv4Subnet, i.DHCPReserved})
	}
	want := []told{
		{"00:02:12:00:00:0A", "[10.123.0.110]", subnet, true},
		{"00-02-12-00-00-0b", "[10.123.0.111]", subnet, true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("status.networkInterfaces: -want, +got:\n%s", diff)
	}

	edit(s, nc, func(nc *vitistack.NetworkConfiguration) { nc.Spec.NetworkInterfaces = nc.Spec.NetworkInterfaces[:1] })
	testenv.Eventually(t, within, "the second MAC's reservation to go", func(context.Context) error {
		if s.held("00:02:12:00:00:0b") != nil {
			return errors.New("it is still there")
		}
		return nil
	})
	if s.held("00:02:12:00:00:0a") == nil {
		t.Error("the first MAC's reservation went with it")
	}

	s.delete(nc)
	testenv.Eventually(t, within, "Kea to hold nothing", func(ctx context.Context) error {
		for page, err := range s.at.ReservationPages(ctx, 10) {
			if err == nil {
				err = fmt.Errorf("it holds %+v", page.Reservations())
			}
			return err
		}
		return nil
	})
}

// TestMovingOver: what kea-operator left behind is adopted, and its finalizer is
// let go of.
func TestMovingOver(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(kea.Reservation{HWAddress: "00:02:12:00:00:0a", IPAddress: addr("10.123.0.60"), Hostname: "vm01"})
	s.put(kea.Reservation{HWAddress: "00:02:12:00:00:0b"}) // The one that never got an address.
	s.lease("00:02:12:00:00:0b", "10.123.0.111")
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", "00:02:12:00:00:0a", "00:02:12:00:00:0b")
	nc.Finalizers = []string{vitistack.KeaOperatorFinalizer}
	s.create(nc)
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.awaitHeld("00:02:12:00:00:0a", "10.123.0.60")
	s.awaitHeld("00:02:12:00:00:0b", "10.123.0.111")
	if got := s.held("00:02:12:00:00:0a").Hostname; got != "vm01" {
		t.Errorf("the hostname that kea-operator set is %q", got)
	}
	s.delete(nc)
	s.awaitGone(nc)
	testenv.Eventually(t, within, "Kea to hold nothing", func(context.Context) error {
		if s.held("00:02:12:00:00:0a") != nil || s.held("00:02:12:00:00:0b") != nil {
			return errors.New("it still does")
		}
		return nil
	})
}
