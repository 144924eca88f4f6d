// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
)

// orphanMAC is the device of reservations in these tests, and writtenMAC is the same as users write it.
const (
	orphanMAC  = kea.HWAddress("00:02:12:34:56:7a")
	writtenMAC = "00-02-12-34-56-7A"
)

func withMAC(hw string) func(*v1alpha1.KeaReservation) {
	return func(r *v1alpha1.KeaReservation) { r.Spec.ForProvider.HWAddress = hw }
}

// markedHost is a reservation of the KeaReservation ns/vm01 of a cluster.
func markedHost(cluster string) kea.Reservation {
	return kea.Reservation{
		SubnetID: 1, HWAddress: orphanMAC, IPAddress: netip.MustParseAddr("10.123.0.50"),
		UserContext: map[string]any{"crossplane": map[string]any{"cluster": cluster, "resource": "ns/vm01"}},
	}
}

// orphansMetric returns the metric of a configuration; -1 if there is none.
func orphansMetric(t *testing.T, config string) float64 {
	t.Helper()
	families, err := metrics.Registry.(prometheus.Gatherer).Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "provider_kea_orphans" && m.GetLabel()[0].GetValue() == config {
				return m.GetGauge().GetValue()
			}
		}
	}
	return -1
}

// orphansOf is a reconciler with a ClusterProviderConfig "orphans" that has a status, and counts writes.
func orphansOf(t *testing.T, u *Users, before int64, getErr error, objects ...client.Object) (r *orphansReconciler, pc *v1alpha1.ClusterProviderConfig, writes *int) {
	t.Helper()
	s := runtime.NewScheme()
	if err := errors.Join(v1alpha1.AddToScheme(s), corev1.AddToScheme(s)); err != nil {
		t.Fatal(err)
	}
	pc = &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "orphans"}}
	pc.Status.Orphans = before
	writes = new(int)
	faults := interceptor.Funcs{
		SubResourcePatch: func(ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
			*writes++
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
		Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
			if _, ok := o.(*v1alpha1.KeaReservation); ok && getErr != nil {
				return getErr
			}
			return c.Get(ctx, key, o, opts...)
		},
	}
	c := fake.NewClientBuilder().WithScheme(s).WithObjects(pc).WithObjects(objects...).WithStatusSubresource(pc).WithInterceptorFuncs(faults).Build()
	return &orphansReconciler{
		configs: newConfigs(c), groups: connection.NewGroups(), users: u, kind: v1alpha1.ClusterProviderConfigKind,
		newConfig: func() config { return &v1alpha1.ClusterProviderConfig{} },
	}, pc, writes
}

// TestOrphans: what is in Kea without a KeaReservation is in the status and in a metric, and the status
// is written when that has changed.
func TestOrphans(t *testing.T) {
	type result struct {
		Orphans int64
		Metric  float64
		Writes  int
		After   time.Duration
		Err     string
	}
	const unknown = -1
	cases := map[string]struct {
		reason string
		users  *Users
		there  []client.Object
		host   kea.Reservation
		// second has a server that was never read in the configuration, and closed no group.
		second, closed bool
		getErr         error
		before         int64
		want           result
	}{
		"Orphan":    {reason: "Without the KeaReservation there is one.", users: watched(0), host: markedHost("here"), want: result{1, 1, 1, 10 * time.Minute, ""}},
		"Unchanged": {reason: "What is in the status is not written again.", users: watched(0), host: markedHost("here"), before: 1, want: result{1, 1, 0, 10 * time.Minute, ""}},
		"Exists": {
			reason: "With the KeaReservation there is none, however it writes the address.", users: watched(0), host: markedHost("here"), before: 1,
			there: []client.Object{reservation(withMAC(writtenMAC))}, want: result{0, 0, 1, 10 * time.Minute, ""},
		},
		"OtherConfig": {
			reason: "That of another configuration of the same Kea exists, too.", users: watched(0), host: markedHost("here"),
			there: []client.Object{reservation(withMAC(writtenMAC), named("b"))}, want: result{0, 0, 0, 10 * time.Minute, ""},
		},
		"OtherMAC": {
			reason: "One of the name for another device is another.", users: watched(0), host: markedHost("here"),
			there: []client.Object{reservation(withMAC("00:02:12:34:56:7b"))}, want: result{1, 1, 1, 10 * time.Minute, ""},
		},
		"Abroad":    {reason: "What another cluster has is not counted.", users: watched(0), host: markedHost("there"), want: result{0, 0, 0, 10 * time.Minute, ""}},
		"Unwatched": {reason: "While KeaReservations are not known, nothing is said.", users: NewUsers(), host: markedHost("here"), before: 5, want: result{5, unknown, 0, 10 * time.Second, ""}},
		"NoGroup":   {reason: "Nor is it without a group.", users: watched(0), closed: true, before: 5, want: result{5, unknown, 0, 10 * time.Minute, ""}},
		"Unread":    {reason: "A server that has not been read may have what was counted before.", users: watched(0), host: markedHost("here"), second: true, before: 5, want: result{5, 5, 0, 10 * time.Minute, ""}},
		"UnreadNew": {reason: "What the others have beyond is counted.", users: watched(0), host: markedHost("here"), second: true, want: result{1, 1, 1, 10 * time.Minute, ""}},
		"NoAnswer":  {reason: "An error of the cache says nothing.", users: watched(0), host: markedHost("here"), getErr: errors.New("no answer"), before: 5, want: result{5, unknown, 0, 0, "cannot get KeaReservation ns/vm01: no answer"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				connection.ForgetOrphans(refOf("orphans"))
				r, pc, writes := orphansOf(t, tc.users, tc.before, tc.getErr, tc.there...)
				if !tc.closed {
					defer runGroup(t, r.groups, tc.host, tc.second)()
				}
				res, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKeyFromObject(pc)})
				if !hasText(err, tc.want.Err) {
					t.Errorf("%s\nReconcile(...): error %v, want %q", tc.reason, err, tc.want.Err)
				}
				if err := r.configs.Get(t.Context(), client.ObjectKeyFromObject(pc), pc); err != nil {
					t.Fatal(err)
				}
				got := result{pc.Status.Orphans, orphansMetric(t, "orphans"), *writes, res.RequeueAfter, tc.want.Err}
				if diff := cmp.Diff(tc.want, got); diff != "" {
					t.Errorf("%s\nReconcile(...): -want, +got:\n%s", tc.reason, diff)
				}
			})
		})
	}
}

// runGroup runs a group of a server with a reservation, which has been read when it returns, and of a
// second one that does not answer if that is wanted. The function that it returns ends the group.
func runGroup(t *testing.T, groups *connection.Groups, host kea.Reservation, second bool) (end func()) {
	t.Helper()
	server := keatest.NewOffline(t, keatest.Options{})
	server.PutReservation(kea.TargetMemory, host)
	cfg := group.Config{Cluster: "here", Interval: time.Minute, Servers: []group.ServerConfig{{Name: "kea1", Kea: server.ClientConfig()}}}
	if second {
		cfg.Servers = append(cfg.Servers, group.ServerConfig{Name: "kea2", Kea: server.ClientConfig(), Err: errors.New("no Secret")})
	}
	ctx, cancel := context.WithCancel(t.Context())
	if _, _, err := groups.Open(ctx, refOf("orphans"), cfg, "1"); err != nil {
		t.Fatal(err)
	}
	synctest.Wait()
	time.Sleep(time.Second) // Of the bubble's clock.
	return func() { cancel(); groups.Wait() }
}

// TestOrphansGone: the metric of a configuration goes with it.
func TestOrphansGone(t *testing.T) {
	r, _, _ := orphansOf(t, watched(0), 0, nil)
	connection.SetOrphans(refOf("gone"), 3)
	if _, err := r.Reconcile(t.Context(), ctrl.Request{NamespacedName: client.ObjectKey{Name: "gone"}}); err != nil {
		t.Fatal(err)
	}
	if n := orphansMetric(t, "gone"); n != -1 {
		t.Errorf("the metric says %v", n)
	}
}

// TestOrphanLister: each reservation of a KeaReservation that does not exist is listed, and what cannot
// be read is an error beside them.
func TestOrphanLister(t *testing.T) {
	t.Parallel()
	serverWith := func(hosts ...kea.Reservation) string {
		s := keatest.New(t, keatest.Options{})
		for _, h := range hosts {
			s.PutReservation(kea.TargetMemory, h)
		}
		return s.URL
	}
	second := markedHost("uid")
	second.HWAddress, second.IPAddress = "00:02:12:34:56:7b", netip.Addr{}
	odd := markedHost("uid")
	odd.HWAddress, odd.UserContext = "00:02:12:34:56:7c", map[string]any{"crossplane": map[string]any{"cluster": "uid", "resource": "a/b/c"}}
	foreign := markedHost("another")
	foreign.HWAddress = "00:02:12:34:56:7d"
	full, pair := serverWith(markedHost("uid"), odd, foreign), serverWith(markedHost("uid"), second)
	config := func(name string, urls ...string) *v1alpha1.ClusterProviderConfig {
		pc := &v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: name}}
		pc.Spec.Credentials.Source = "None"
		for i, url := range urls {
			pc.Spec.Servers = append(pc.Spec.Servers, v1alpha1.Server{Name: "kea" + string(rune('1'+i)), URL: url})
		}
		return pc
	}
	tenant := &v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "own"}}
	tenant.Spec = v1alpha1.ProviderConfigSpec{Servers: config("", pair).Spec.Servers, Credentials: v1alpha1.Credentials{Source: "None"}}
	cases := map[string]struct {
		reason string
		there  []client.Object
		only   connection.Ref
		want   []string
		err    string
	}{
		"Pair": {
			reason: "Each copy is a line, those of other clusters are none.", there: []client.Object{config("a", full, pair)},
			want: []string{"a a/b/c 00:02:12:34:56:7c memory@kea1", "a ns/vm01 00:02:12:34:56:7a memory@kea1", "a ns/vm01 00:02:12:34:56:7a memory@kea2", "a ns/vm01 00:02:12:34:56:7b memory@kea2"},
		},
		"Exists": {
			reason: "What a KeaReservation has is left out.", there: []client.Object{config("a", pair), reservation(withMAC(writtenMAC))},
			want: []string{"a ns/vm01 00:02:12:34:56:7b memory@kea1"},
		},
		"One": {
			reason: "One configuration alone is looked at.", there: []client.Object{config("a", full), config("b", pair), reservation(withMAC(writtenMAC))}, only: refOf("b"),
			want: []string{"b ns/vm01 00:02:12:34:56:7b memory@kea1"},
		},
		"Missing": {reason: "One that does not exist is an error.", there: []client.Object{config("a", full)}, only: refOf("b"), err: `cannot find ClusterProviderConfig "b"`},
		"Refused": {
			reason: "A tenant's may not lead everywhere, and the others are listed.", there: []client.Object{config("a", pair), tenant, reservation(withMAC(writtenMAC))},
			want: []string{"a ns/vm01 00:02:12:34:56:7b memory@kea1"}, err: `cannot read server kea1 of ProviderConfig "own": `,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := runtime.NewScheme()
			if err := errors.Join(v1alpha1.AddToScheme(s), corev1.AddToScheme(s)); err != nil {
				t.Fatal(err)
			}
			c := fake.NewClientBuilder().WithScheme(s).WithObjects(&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "kube-system", UID: "uid"}}).WithObjects(tc.there...).Build()
			hosts, err := connection.ParseHosts([]string{"*"})
			if err != nil {
				t.Fatal(err)
			}
			orphans, err := OrphanLister{Reader: c, Network: connection.Network{TenantHosts: hosts}}.List(t.Context(), tc.only)
			if !hasText(err, tc.err) {
				t.Errorf("%s\nList(...): error %v, want %q", tc.reason, err, tc.err)
			}
			var got []string
			for _, o := range orphans {
				got = append(got, o.Config.Name+" "+o.Resource+" "+string(o.Host.HWAddress)+" "+o.Store.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\nList(...): -want, +got:\n%s", tc.reason, diff)
			}
		})
	}
}
