// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	crds "github.com/vitistack/crds/pkg/v1alpha1"
	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
	"github.com/vitistack/provider-kea/internal/vitistack"
)

// otherSubnet is the second subnet of a site whose machines move, with subnet-id 2.
const otherSubnet = "10.124.0.0/24"

func newTwoSubnetSite(t *testing.T) *site {
	t.Helper()
	return newSite(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet(), {ID: 2, Prefix: otherSubnet, Pools: []string{"10.124.0.100-10.124.0.200"}}}})
}

// reservedAt returns the address that Kea has reserved for a device in a subnet; ""
// if it has none.
func (s *site) reservedAt(ctx context.Context, subnetID uint32, hw string) (string, error) {
	r, err := s.at.Reservation(ctx, kea.TargetMemory, subnetID, kea.HWAddress(hw))
	switch {
	case errors.Is(err, kea.ErrNotFound):
		return "", nil
	case err != nil:
		return "", err
	}
	return r.IPAddress.String(), nil
}

func (s *site) setPrefix(nn *crds.NetworkNamespace, prefix string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, "set the prefix", func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(nn), nn); err != nil {
			return err
		}
		nn.Status.IPv4Prefix = prefix
		return s.client.Status().Update(ctx, nn)
	})
}

func (s *site) useConfig(nn *crds.NetworkNamespace, name string) {
	s.t.Helper()
	edit(s, nn, func(nn *crds.NetworkNamespace) {
		nn.Annotations[v1alpha1.Group+"/provider-config"] = v1alpha1.ClusterProviderConfigKind + "/" + name
	})
}

// awaitMessage waits until a NetworkConfiguration's message has a text in it, and its
// first interface has an address all the same.
func (s *site) awaitMessage(nc *vitistack.NetworkConfiguration, text, address string) {
	s.t.Helper()
	testenv.Eventually(s.t, within, nc.Name+" to say "+text, func(ctx context.Context) error {
		if err := s.client.Get(ctx, client.ObjectKeyFromObject(nc), nc); err != nil {
			return err
		}
		has := fmt.Sprint(nc.Status.NetworkInterfaces[0].IPv4Addresses)
		if !strings.Contains(nc.Status.Message, text) || has != "["+address+"]" {
			return fmt.Errorf("it has %s and says %s", has, nc.Status.Message)
		}
		return nil
	})
}

// TestMove moves a machine: to where it cannot be, which changes nothing; to another
// subnet; and to another name of the same Kea. At no time Kea is without a
// reservation for it, but in the last case for the moment between two commands.
func TestMove(t *testing.T) {
	t.Parallel()
	const hw = "00:02:12:00:00:0a"
	s := newTwoSubnetSite(t)
	nn := s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", hw)
	s.lease(hw, "10.123.0.110")
	s.create(nc)
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.awaitHeld(hw, "10.123.0.110")
	before := fmt.Sprintf("%+v", *s.held(hw))

	s.setPrefix(nn, "10.199.0.0/24")
	s.awaitMessage(nc, "cannot move to 10.199.0.0/24", "10.123.0.110")
	s.setPrefix(nn, subnet)
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.useConfig(nn, s.namespace+"-typo")
	s.awaitMessage(nc, "does not exist", "10.123.0.110")
	s.useConfig(nn, s.namespace)
	s.awaitPhase(nc, vitistack.PhaseReady)
	equal(t, "what Kea holds", fmt.Sprintf("%+v", *s.held(hw)), before)

	s.command("lease4-add", map[string]any{"ip-address": "10.124.0.110", "hw-address": hw, "subnet-id": 2, "valid-lft": 3600})
	s.setPrefix(nn, otherSubnet)
	testenv.Eventually(t, within, "the move", func(ctx context.Context) error {
		old, err := s.reservedAt(ctx, 1, hw)
		if err != nil {
			return err
		}
		now, err := s.reservedAt(ctx, 2, hw)
		if err != nil {
			return err
		}
		if old == "" && now == "" {
			t.Error("Kea has no reservation of the machine")
		}
		if old != "" || now != "10.124.0.110" {
			return fmt.Errorf("Kea holds %q in the old subnet and %q in the new one", old, now)
		}
		return nil
	})
	s.awaitPhase(nc, vitistack.PhaseReady)

	// Without a lease, nothing but the KeaReservation knows the address.
	s.command("lease4-del", map[string]any{"ip-address": "10.124.0.110"})
	alias := s.config()
	alias.Name += "-alias"
	s.useConfig(nn, alias.Name)
	s.awaitMessage(nc, "does not exist", "10.124.0.110")
	s.create(alias) // and nothing else tells the provider to go on
	t.Cleanup(func() { s.abandon(alias) })
	testenv.Eventually(t, within, "the other name", func(ctx context.Context) error {
		all := &v1alpha1.KeaReservationList{}
		if err := s.client.List(ctx, all, client.InNamespace(s.namespace)); err != nil {
			return err
		}
		if len(all.Items) != 1 || all.Items[0].Spec.ProviderConfigReference.Name != alias.Name {
			return fmt.Errorf("there are %d KeaReservations", len(all.Items))
		}
		at, err := s.reservedAt(ctx, 2, hw)
		if err == nil && at != "10.124.0.110" {
			err = fmt.Errorf("Kea holds %q", at)
		}
		return err
	})
	s.awaitPhase(nc, vitistack.PhaseReady)
	s.awaitMessage(nc, "reserved in Kea: 1 of 1", "10.124.0.110")
}

// TestMoveOfManyIsHeld moves a network whose machines have no lease in the new
// subnet: more of them than may lose their addresses within a minute.
func TestMoveOfManyIsHeld(t *testing.T) {
	t.Parallel()
	const machines, limit = 8, 5
	s := newTwoSubnetSite(t)
	nn := s.networkNamespace(subnet)
	hw := func(i int) string { return fmt.Sprintf("00:02:12:00:01:%02x", i) }
	var all []*vitistack.NetworkConfiguration
	for i := range machines {
		s.lease(hw(i), fmt.Sprintf("10.123.0.%d", 110+i))
		nc := s.networkConfiguration(fmt.Sprintf("vm%d", i), hw(i))
		s.create(nc)
		all = append(all, nc)
	}
	for _, nc := range all {
		s.awaitPhase(nc, vitistack.PhaseReady)
	}
	held := func(ctx context.Context) (int, error) {
		n := 0
		for i := range machines {
			at, err := s.reservedAt(ctx, 1, hw(i))
			if err != nil {
				return 0, err
			}
			if at != "" {
				n++
			}
		}
		return n, nil
	}
	s.setPrefix(nn, otherSubnet)
	testenv.Eventually(t, within, "some removals to be held", func(ctx context.Context) error {
		conditions := 0
		for _, nc := range all {
			if err := s.client.Get(ctx, client.ObjectKeyFromObject(nc), nc); err != nil {
				return err
			}
			if meta.IsStatusConditionTrue(nc.Status.Conditions, "RemovalsHeld") {
				conditions++
			}
		}
		n, err := held(ctx)
		if err == nil && (n != machines-limit || conditions != n) {
			err = fmt.Errorf("Kea holds %d, %d have the condition", n, conditions)
		}
		return err
	})
	edit(s, nn, func(nn *crds.NetworkNamespace) { nn.Annotations[v1alpha1.Group+"/confirm-removals"] = "true" })
	testenv.Eventually(t, within, "the confirmed removals", func(ctx context.Context) error {
		n, err := held(ctx)
		if err == nil && n > 0 {
			err = fmt.Errorf("Kea still holds %d", n)
		}
		return err
	})
}
