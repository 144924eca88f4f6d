// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestTenantsHosts: a ProviderConfig cannot have the provider ask for the metadata of its cloud, by no
// spelling of the address, and says so. A ClusterProviderConfig may lead anywhere.
func TestTenantsHosts(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"Address":    "http://169.254.169.254",
		"MappedIPv6": "http://[::ffff:169.254.169.254]:80",
		"LinkLocal":  "http://[fe80::1]:8000",
		"Loopback":   "http://127.0.0.2:8000", // The provider of the tests is allowed 127.0.0.1.
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := bareSite(t, url)
			pc, r := s.namespaced(), using(s.numbered(11))
			s.create(pc)
			s.create(r)
			const message = "a ProviderConfig may not lead to the host "
			s.await(pc, is{Type: xpv2.TypeReady, Status: "False", Reason: v1alpha1.ReasonHostNotAllowed, Message: message})
			s.await(r, is{Type: xpv2.TypeSynced, Status: "False", Message: message})
			if n := s.commands(pc, ""); n > 0 {
				t.Errorf("%d commands were sent", n)
			}
		})
	}
	t.Run("ClusterProviderConfig", func(t *testing.T) {
		t.Parallel()
		s := bareSite(t, "http://127.0.0.2:1") // Nothing listens there.
		pc := s.config()
		s.create(pc)
		s.await(pc, is{Type: xpv2.TypeReady, Status: "False", Reason: v1alpha1.ReasonUnreachable})
	})
}

// TestForgedUsage: whoever may create ProviderConfigUsages in some namespace can neither raise the user
// count of a ClusterProviderConfig, nor keep it from being deleted.
func TestForgedUsage(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	r := s.created(s.static("vm01", "10.123.0.50"))
	other := bareSite(t, "")
	for i, reservation := range []string{"vm01", "there-is-none"} {
		u := &v1alpha1.ProviderConfigUsage{ObjectMeta: metav1.ObjectMeta{
			Namespace: other.namespace, Name: fmt.Sprintf("forged%d", i),
			Labels: map[string]string{xpv2.LabelKeyProviderKind: v1alpha1.ClusterProviderConfigKind, xpv2.LabelKeyProviderName: s.namespace},
			OwnerReferences: []metav1.OwnerReference{{
				APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.KeaReservationKind, Name: reservation, UID: r.UID, Controller: new(true),
			}},
		}}
		u.ProviderConfigReference = xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: s.namespace}
		u.ResourceReference = xpv2.TypedReference{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.KeaReservationKind, Name: reservation}
		s.create(u)
		t.Cleanup(func() { _ = s.client.Delete(context.Background(), u) })
	}
	config := s.config()
	users := func(want int64) {
		t.Helper()
		testenv.Eventually(t, within, fmt.Sprintf("%d users", want), func(ctx context.Context) error {
			if err := s.client.Get(ctx, types.NamespacedName{Name: s.namespace}, config); err != nil {
				return err
			}
			if config.Status.Users != want {
				return fmt.Errorf("it has %d", config.Status.Users)
			}
			return nil
		})
	}
	users(1)
	// Another real one makes the provider count again, after the forged ones have come.
	second := s.created(s.reservation("vm02", params{HWAddress: other2, IPAddress: "10.123.0.51"}))
	users(2)
	s.delete(second)
	s.awaitGone(second)
	users(1)
	s.delete(config)
	testenv.Eventually(t, within, "the deletion to wait for the real one", func(ctx context.Context) error {
		if err := s.client.Get(ctx, types.NamespacedName{Name: s.namespace}, config); err != nil {
			return err
		}
		if config.GetCondition("Terminating").Status != "True" {
			return fmt.Errorf("it has %+v", config.Status.Conditions)
		}
		return nil
	})
	s.delete(r)
	s.awaitGone(r)
	start := time.Now()
	s.awaitGone(config)
	t.Logf("the configuration was gone %s after its last user", time.Since(start).Round(time.Millisecond))
}

const other2 = "00:02:12:00:00:03"
