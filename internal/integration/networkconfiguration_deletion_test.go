// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"errors"
	"strings"
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// ofMachine is the KeaReservation of a machine's device.
func (s *site) ofMachine(nc, hw string) *v1alpha1.KeaReservation {
	return &v1alpha1.KeaReservation{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: nc + "-" + strings.ReplaceAll(hw, ":", "")}}
}

// TestMachineDeletedUnserved: a machine's KeaReservation has a finalizer from the start, which does not
// keep one that has nothing in Kea: where the provider configuration does not exist, or may not be used.
// Kea is asked nothing for it.
func TestMachineDeletedUnserved(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		config string // of the namespace
		want   []is
	}{
		"forbidden": {"", notReady(v1alpha1.ReasonNotAllowed, "may not use")},
		"homeless": {
			"ProviderConfig/missing",
			[]is{{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Message: `cannot find ProviderConfig "missing"`}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, testenv.KeaOptions{}, seldom, forTeams("10.123.0.0/16"))
			s.awaitUsable()
			asked := s.asked()
			nc := s.networkConfiguration("vm01", mac)
			s.create(nc)
			nn := s.networkNamespace("")
			edit(s, nn, func(nn *crds.NetworkNamespace) {
				if tc.config != "" {
					nn.Annotations[v1alpha1.Group+"/provider-config"] = tc.config
				}
			})
			s.setPrefix(nn, subnet) // Last: a machine whose namespace has no prefix waits for one.
			r := s.ofMachine("vm01", mac)
			s.await(r, tc.want...)
			equal(t, "finalizers of "+r.Name, len(r.Finalizers), 1)
			s.delete(nc)
			s.awaitGone(r)
			equal(t, "what Kea was asked", s.asked(), asked)
		})
	}
}

// TestMachineDeletedMarked: the reservation without an address of a machine without a lease is marked,
// and goes with the machine, also if the right to use the subnet was taken away meanwhile.
func TestMachineDeletedMarked(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{}, forTeams("10.123.0.0/16"))
	s.setTeam("web")
	s.awaitUsable()
	s.put(kea.Reservation{HWAddress: mac, Hostname: "from-kea-operator"})
	s.networkNamespace(subnet)
	nc := s.networkConfiguration("vm01", mac)
	s.create(nc)
	r := s.ofMachine("vm01", mac)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	s.awaitMarked(mac, r.Name)
	s.await(r, notReady(v1alpha1.ReasonAwaitingLease, mac)...)
	if r.Annotations["crossplane.io/external-create-pending"] == "" {
		t.Error("nothing said that the resource may be in Kea before it was")
	}
	s.setTeam("")
	s.await(r, notReady(v1alpha1.ReasonNotAllowed, "may not use")...)
	s.delete(nc)
	s.awaitGone(r)
	testenv.Eventually(t, within, "Kea to hold nothing", func(context.Context) error {
		if s.held(mac) != nil {
			return errors.New("it still does")
		}
		return nil
	})
}
