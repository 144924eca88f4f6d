// SPDX-License-Identifier: Apache-2.0

package integration

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/testenv"
)

// crowd is how many KeaReservations a tenant has whose server hangs.
const crowd = 220

// undisturbed is how long a new KeaReservation of another namespace may take to be Ready meanwhile,
// beside some times what it took before: other tests share the machine. Half a minute or more is what
// it takes if it waits for the others.
const undisturbed = 20 * time.Second

// TestFairness: while a server of one tenant hangs, a new KeaReservation of another namespace is
// Ready as soon as if it were alone. The provider has as many workers as it has by default.
func TestFairness(t *testing.T) {
	t.Parallel()
	c := newTenants(t)
	b := c.tenant(t, "tenant-b")
	b.await(b.tenantConfig(), isReady)
	next := 0
	check := func(t *testing.T, when string, limit time.Duration) time.Duration {
		t.Helper()
		next++
		r := b.ofTenant(fmt.Sprintf("vm%d", next), next)
		start := time.Now()
		b.create(r)
		b.await(r, isReady, isSynced)
		took := time.Since(start).Round(10 * time.Millisecond)
		t.Logf("%s: Ready after %s, the provider has %.0f MB", when, took, c.rss(t)/1e6)
		if took > limit {
			t.Errorf("%s, a new KeaReservation of another namespace was Ready after %s, want %s at most", when, took, limit)
		}
		return took
	}
	limit := min(undisturbed+5*check(t, "alone", within), 29*time.Second)

	t.Run("hangs from the start", func(t *testing.T) {
		a := c.tenant(t, "tenant-a", func(s *site) { s.kea.Hang(t) })
		a.createCrowd(crowd)
		for range 3 {
			check(t, "while a server hangs that has never answered", limit)
		}
	})
	t.Run("begins to hang", func(t *testing.T) {
		a := c.tenant(t, "tenant-c")
		a.await(a.tenantConfig(), isReady)
		a.kea.Hang(t)
		a.createCrowd(crowd)
		for range 3 {
			check(t, "while a server hangs that has answered before", limit)
		}
	})
}

// newTenants starts a cluster with all CRDs and permissions, for tenants.
func newTenants(t *testing.T) *cluster {
	t.Helper()
	c := newCluster(t, append([]string{"kea.crossplane.io_keareservations.yaml"}, packaged...)...)
	c.allow("provider-kea", clusterRole(t).Rules...)
	return c
}

// tenant makes a namespace with a Kea and a ProviderConfig of its own.
func (c *cluster) tenant(t *testing.T, namespace string, before ...func(*site)) *site {
	t.Helper()
	s := &site{t: t, world: c.world, kea: testenv.StartKea(t, testenv.KeaOptions{Subnets: []testenv.Subnet{testenv.DefaultSubnet()}}), namespace: namespace}
	s.look(s.kea, "", "")
	s.create(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})
	for _, do := range before {
		do(s)
	}
	s.create(s.tenantConfig())
	return s
}

// tenantConfig is the ProviderConfig of a tenant as it is made.
func (s *site) tenantConfig() *v1alpha1.ProviderConfig {
	spec := s.config().Spec
	spec.Timeout = metav1.Duration{Duration: 10 * time.Second}
	spec.SnapshotInterval = metav1.Duration{Duration: 30 * time.Second}
	return &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: s.namespace, Name: "kea"}, Spec: spec.ProviderConfigSpec}
}

// ofTenant is a KeaReservation that uses the ProviderConfig of its tenant.
func (s *site) ofTenant(name string, number int) *v1alpha1.KeaReservation {
	r := s.reservation(name, params{HWAddress: macOf(number), IPAddress: fmt.Sprintf("10.123.0.%d", number)})
	r.Spec.ProviderConfigReference = &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind, Name: "kea"}
	return r
}

func (s *site) createCrowd(n int) {
	s.t.Helper()
	for i := range n {
		s.create(s.ofTenant(fmt.Sprintf("crowd%d", i), 1+i))
	}
}

// rss is the resident memory of the cluster's provider, in bytes.
func (c *cluster) rss(t *testing.T) float64 {
	t.Helper()
	text, err := get(t.Context(), "http://"+c.provider.metrics+"/metrics")
	if err != nil {
		t.Fatal(err)
	}
	m := rssMetric.FindStringSubmatch(text)
	if m == nil {
		t.Fatal("the provider's metrics lack process_resident_memory_bytes")
	}
	v, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

var rssMetric = regexp.MustCompile(`(?m)^process_resident_memory_bytes(?:\{\})? (\S+)$`)
