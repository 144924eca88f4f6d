// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// TestOrphans: a reservation in Kea whose KeaReservation is gone is counted and listed, and stays until
// a user decides. When the KeaReservation is created again, it is its own.
func TestOrphans(t *testing.T) {
	t.Parallel()
	s := newSite(t, testenv.KeaOptions{})
	s.put(kea.Reservation{HWAddress: other, IPAddress: addr("10.123.0.60"), UserContext: marked(s.namespace + "/abroad")})
	r := s.created(s.static("vm01", "10.123.0.50"))
	equal(t, "what is listed", s.orphans(), "No orphans found.\n")
	equal(t, "status.orphans", s.countedOrphans(), 0)

	s.loseReservation(r)
	s.awaitOrphans(1)
	s.awaitHeld(mac, "10.123.0.50")
	fields := strings.Fields(s.orphans())
	want := []string{
		"PROVIDER-CONFIG", "NAMESPACE/NAME", "HW-ADDRESS", "ADDRESS", "SUBNET-ID", "SERVER", "STORE",
		"ClusterProviderConfig/" + s.namespace, s.key("vm01").String(), mac, "10.123.0.50", "1", "kea1", "memory",
	}
	equal(t, "what is listed", strings.Join(fields, " "), strings.Join(want, " "))

	r = s.created(s.static("vm01", "10.123.0.50"))
	s.awaitOrphans(0)
	equal(t, "what is listed", s.orphans(), "No orphans found.\n")
	s.delete(r)
	s.awaitGone(r)
	s.awaitNotHeld(mac)
}

// loseReservation has a KeaReservation go without its reservation in Kea, as one does whose finalizer is
// removed by hand.
func (s *site) loseReservation(r *v1alpha1.KeaReservation) {
	s.t.Helper()
	edit(s, r, func(r *v1alpha1.KeaReservation) {
		meta.AddAnnotations(r, map[string]string{meta.AnnotationKeyReconciliationPaused: "true"})
	})
	s.await(r, is{Type: xpv2.TypeSynced, Status: corev1.ConditionFalse, Reason: xpv2.ReasonReconcilePaused})
	s.delete(r)
	edit(s, r, func(r *v1alpha1.KeaReservation) { r.Finalizers = nil })
	s.awaitGone(r)
}

// orphans runs the provider's command that lists the orphans of the site's configuration.
func (s *site) orphans() string {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "kubeconfig")
	if err := os.WriteFile(file, shared.plane.Kubeconfig, 0o600); err != nil {
		s.t.Fatal(err)
	}
	cmd := exec.CommandContext(s.t.Context(), shared.program, "orphans", "--provider-config=ClusterProviderConfig/"+s.namespace)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+file)
	out, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Fatalf("provider orphans: %v\n%s", err, out)
	}
	return string(out)
}

// countedOrphans returns the orphans in the status of the site's configuration.
func (s *site) countedOrphans() int64 {
	s.t.Helper()
	pc := s.clusterConfig()
	if err := s.client.Get(s.t.Context(), client.ObjectKeyFromObject(pc), pc); err != nil {
		s.t.Fatal(err)
	}
	return pc.Status.Orphans
}

// awaitOrphans waits until there are as many orphans in the status and in the metric.
func (s *site) awaitOrphans(want int64) {
	s.t.Helper()
	testenv.Eventually(s.t, within, fmt.Sprintf("%d orphans", want), func(ctx context.Context) error {
		if n := s.countedOrphans(); n != want {
			return fmt.Errorf("status.orphans is %d", n)
		}
		text, err := get(ctx, "http://"+s.provider.metrics+"/metrics")
		if line := fmt.Sprintf("provider_kea_orphans{config=%q} %d\n", s.namespace, want); err == nil && !strings.Contains(text, line) {
			return fmt.Errorf("there is no metric %s", line)
		}
		return err
	})
}
