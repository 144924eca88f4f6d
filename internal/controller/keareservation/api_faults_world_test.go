// SPDX-License-Identifier: Apache-2.0

package keareservation

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	xpcontroller "github.com/crossplane/crossplane-runtime/v2/pkg/controller"
	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/feature"
	"github.com/crossplane/crossplane-runtime/v2/pkg/logging"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/cached"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/controller/providerconfig"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/kea/keatest"
	"github.com/vitistack/provider-kea/internal/mirror"
)

// apiWorld is an API server, Kea servers, and a provider that is started again when it has ended.
type apiWorld struct {
	t   *testing.T
	key client.ObjectKey
	// api is the API server as users see it. Writes of the provider pass through write.
	api      client.Client
	keas     []*keatest.Server
	provider *provider

	// fault meets the at-th write from when counting began, and all until a time; nil for none.
	fault    *apiFault
	at       int
	counting bool
	met      bool
	until    time.Time
	writes   []string
}

// provider is one process of the provider, as far as one KeaReservation is concerned.
type provider struct {
	groups     *connection.Groups
	reconciler reconcile.Reconciler
	stop       context.CancelFunc
	ctx        context.Context
	// woken is set when something in Kea has changed, dead once the process has ended.
	woken, dead atomic.Bool
	// seen is the version of the resource that was last reconciled, due when the next reconcile is, and
	// backoff how long the next error makes it wait.
	seen    string
	due     time.Time
	backoff time.Duration
}

type schemeManager struct {
	ctrl.Manager

	scheme *runtime.Scheme
}

func (m schemeManager) GetScheme() *runtime.Scheme { return m.scheme }

func newAPIWorld(t *testing.T, servers int) *apiWorld {
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	w := &apiWorld{t: t, key: client.ObjectKey{Namespace: "ns", Name: "a"}}
	b := fake.NewClientBuilder().WithScheme(s).WithStatusSubresource(&v1alpha1.KeaReservation{}).
		WithObjects(&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "default", UID: "pc"}})
	w.api = b.Build()
	for range servers {
		k := keatest.NewOffline(t, keatest.Options{})
		for _, r := range others() {
			k.PutReservation(kea.TargetMemory, r)
		}
		k.KeepInFile()
		w.keas = append(w.keas, k)
	}
	return w
}

// others are reservations that belong to no resource here.
func others() []kea.Reservation {
	return []kea.Reservation{
		{SubnetID: 1, HWAddress: "00:02:00:00:00:01", IPAddress: ip("10.123.0.90"), Hostname: "theirs"},
		{SubnetID: 1, HWAddress: "00:02:00:00:00:02", IPAddress: ip("10.123.0.91"), UserContext: map[string]any{"crossplane": map[string]any{"cluster": "c2", "resource": "ns/a"}}},
		{SubnetID: 1, ClientID: "0100021234567800", IPAddress: ip("10.123.0.92")},
		{SubnetID: 0, HWAddress: apiMAC, Hostname: "global"},
	}
}

// startProvider starts the provider, with what cmd/provider and Setup would give it.
func (w *apiWorld) startProvider() {
	p := &provider{groups: connection.NewGroups(), due: time.Now()}
	p.ctx, p.stop = context.WithCancel(context.Background())
	w.provider = p
	intercepted := interceptor.NewClient(w.api.(client.WithWatch), interceptor.Funcs{
		Update: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.UpdateOption) error {
			return w.write(p, "update", func() error { return c.Update(ctx, o, opts...) })
		},
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, patch client.Patch, opts ...client.PatchOption) error {
			return w.write(p, "patch", func() error { return c.Patch(ctx, o, patch, opts...) })
		},
		SubResourceUpdate: func(ctx context.Context, c client.Client, sub string, o client.Object, opts ...client.SubResourceUpdateOption) error {
			return w.write(p, "update "+sub, func() error { return c.SubResource(sub).Update(ctx, o, opts...) })
		},
	})
	kube, waiting := &savingClient{Client: intercepted, created: newCreatedSet(), written: cached.NewWrites()}, newResourceSet()
	connect := &connector{client: kube, groups: p.groups, all: cacheOf(w.t), users: providerconfig.NewUsers(), recorder: event.NewNopRecorder(), created: kube.created, waiting: waiting}
	o := xpcontroller.Options{Logger: logging.NewNopLogger(), PollInterval: 10 * time.Minute, Features: &feature.Flags{}}
	o.Features.Enable(feature.EnableBetaManagementPolicies)
	r := managed.NewReconciler(managerOf{schemeManager{scheme: w.api.Scheme()}, kube}, resource.ManagedKind(v1alpha1.KeaReservationGroupVersionKind), reconcilerOptions(kube, o, connect, "test")...)
	p.reconciler = &holdWhileUnusable{
		Reconciler: r, reader: intercepted, poll: o.PollInterval, away: away(p.groups), untilTried: untilTried(p.groups, intercepted),
		created: kube.created, waiting: waiting, written: kube.written,
	}
	p.groups.Listen(func(connection.Ref, mirror.Changes) { p.woken.Store(true) })
	cfg := group.Config{Storage: group.StorageAuto, Interval: 30 * time.Second, Cluster: "c1"}
	for i, k := range w.keas {
		cfg.Servers = append(cfg.Servers, group.ServerConfig{Name: fmt.Sprintf("kea%d", i+1), Kea: k.ClientConfig()})
	}
	if _, _, err := p.groups.Open(p.ctx, connection.DefaultRef, cfg, "1"); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// end ends the provider.
func (p *provider) end() {
	p.stop()
	p.groups.Wait()
}

// write passes a write of the provider to the API server, unless a fault meets it.
func (w *apiWorld) write(p *provider, what string, do func() error) error {
	if p.dead.Load() {
		return context.Canceled
	}
	if w.counting {
		w.writes = append(w.writes, what)
		if w.fault != nil && !w.met && len(w.writes) == w.at {
			w.met, w.until = true, time.Now().Add(w.fault.lasts)
			return w.fault.answer(w, do)
		}
	}
	if w.met && time.Now().Before(w.until) {
		return w.fault.answer(w, do)
	}
	return do()
}

// pass lets time pass, in which the resource is reconciled when it has changed, when something in Kea
// has, and when it is due.
func (w *apiWorld) pass(d time.Duration) {
	if w.provider == nil {
		w.startProvider()
	}
	step := 5 * time.Second
	if w.counting {
		step = time.Second
	}
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(step) {
		synctest.Wait()
		for range 20 { // More would be a loop, which the bound of commands finds.
			if w.provider.ctx.Err() != nil {
				w.provider.end()
				w.startProvider()
			}
			if !w.reconcile() {
				break
			}
			synctest.Wait()
		}
	}
}

// reconcile reconciles the resource if that is to be done now, and reports whether it was.
func (w *apiWorld) reconcile() bool {
	p := w.provider
	mg := w.get()
	if mg == nil || !p.woken.Swap(false) && mg.ResourceVersion == p.seen && time.Now().Before(p.due) {
		return false
	}
	p.seen = mg.ResourceVersion
	res, err := p.reconciler.Reconcile(p.ctx, reconcile.Request{NamespacedName: w.key})
	switch {
	case err != nil || res.Requeue: //nolint:staticcheck // It is what crossplane-runtime answers after an error.
		p.backoff = min(max(2*p.backoff, time.Second), time.Minute)
		p.due = time.Now().Add(p.backoff)
	default:
		p.backoff = 0
		p.due = time.Now().Add(24 * time.Hour)
		if res.RequeueAfter > 0 {
			p.due = time.Now().Add(res.RequeueAfter)
		}
	}
	return true
}

// get returns the resource; nil if there is none.
func (w *apiWorld) get() *v1alpha1.KeaReservation {
	mg := &v1alpha1.KeaReservation{}
	err := w.api.Get(context.Background(), w.key, mg)
	if kerrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return mg
}

// edit changes the resource, as a user does.
func (w *apiWorld) edit(change func(*v1alpha1.KeaReservation)) {
	mg := w.get()
	if mg == nil {
		w.t.Fatal(errors.New("the resource is gone"))
	}
	change(mg)
	if err := w.api.Update(context.Background(), mg); err != nil {
		w.t.Fatal(err)
	}
}

// reservations returns what is in Kea.
func (w *apiWorld) reservations() []string {
	type plain kea.Reservation
	var out []string
	for i, k := range w.keas {
		for _, r := range k.Reservations(kea.TargetMemory) {
			raw := w.json(plain(r))
			out = append(out, fmt.Sprintf("kea%d %s", i+1, raw))
		}
	}
	slices.Sort(out)
	return out
}

// holdings returns what is in Kea, and how the resource stands.
func (w *apiWorld) holdings() []string {
	out := w.reservations()
	mg := w.get()
	if mg == nil {
		return append(out, "no resource")
	}
	spec := w.json(mg.Spec)
	status := w.json(mg.Status.AtProvider)
	out = append(out, fmt.Sprintf("resource %s %q %s %s", meta.GetExternalName(mg), mg.Finalizers, spec, status))
	var conditions []string
	for _, c := range mg.Status.Conditions {
		conditions = append(conditions, fmt.Sprintf("%s=%s %s %s", c.Type, c.Status, c.Reason, c.Message))
	}
	slices.Sort(conditions)
	return append(out, conditions...)
}

func (w *apiWorld) json(v any) []byte {
	raw, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return raw
}
