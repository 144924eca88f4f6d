// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	xperrors "github.com/crossplane/crossplane-runtime/v2/pkg/errors"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
	"github.com/vitistack/provider-kea/internal/kea"
	"github.com/vitistack/provider-kea/internal/mirror"
)

const (
	// orphansDelay lets many changes be one count, which walks over all that the servers have. What
	// is being created or removed has settled by then.
	orphansDelay = 10 * time.Second
	// orphansInterval is how often orphans are counted without a change: there is none where a
	// KeaReservation goes that was no user, or one of another configuration of the same servers.
	orphansInterval = 10 * time.Minute
)

// orphansReconciler reports how many reservations of a provider configuration's servers are marked as
// those of KeaReservations that do not exist, and has the group forget those that have gone from Kea
// meanwhile. It removes nothing there. It may run for several provider configurations at the same time.
type orphansReconciler struct {
	configs   configs
	groups    *connection.Groups
	users     *Users
	kind      string
	newConfig func() config
}

// setupOrphans adds the controller that counts orphans.
func setupOrphans(mgr ctrl.Manager, c configs, kind string, newConfig func() config, groups *connection.Groups, users *Users) error {
	w := &requests{kind: kind, delay: orphansDelay}
	users.listen(w.add)
	groups.Listen(func(ref connection.Ref, c mirror.Changes) {
		if c.Servers {
			w.add(ref)
		}
	})
	r := &orphansReconciler{configs: c, groups: groups, users: users, kind: kind, newConfig: newConfig}
	return ctrl.NewControllerManagedBy(mgr).
		Named("orphans/"+kind).
		For(newConfig(), builder.WithPredicates(predicate.GenerationChangedPredicate{})).
		WatchesRawSource(source.Func(w.start)).
		WithOptions(controller.Options{RateLimiter: rateLimiter()}).
		Complete(xperrors.WithSilentRequeueOnConflict(r))
}

// Reconcile a provider configuration.
func (r *orphansReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ref := connection.Ref{Kind: r.kind, Namespace: req.Namespace, Name: req.Name}
	pc := r.newConfig()
	if err := r.configs.read(ctx, req.NamespacedName, pc); err != nil {
		if kerrors.IsNotFound(err) {
			connection.ForgetOrphans(ref)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	running, ok := r.groups.Running(ref)
	if !ok {
		// A change of the servers is announced when there is one. It may be another process's by now.
		connection.ForgetOrphans(ref)
		return ctrl.Result{RequeueAfter: orphansInterval}, nil
	}
	if _, known := r.users.count(ref); !known || !running.Probed() {
		return ctrl.Result{RequeueAfter: orphansDelay}, nil
	}
	n, err := r.count(ctx, running, pc.GetOrphans())
	if err != nil {
		return ctrl.Result{}, err
	}
	if err := running.ForgetVanished(r.existing(ctx)); err != nil {
		return ctrl.Result{}, fmt.Errorf("cannot forget what has gone from Kea: %w", err)
	}
	connection.SetOrphans(ref, n)
	return ctrl.Result{RequeueAfter: orphansInterval}, r.report(ctx, pc, n)
}

// count returns how many orphans a group has. One that has not read all its servers may have more, so
// what was counted before stands for them.
func (r *orphansReconciler) count(ctx context.Context, g *group.Group, before int64) (int64, error) {
	n, err := g.Orphans(r.existing(ctx))
	if err != nil {
		return 0, fmt.Errorf("cannot count reservations without a KeaReservation: %w", err)
	}
	if slices.ContainsFunc(g.Servers(), func(f group.ServerFacts) bool { return f.LastRead.IsZero() }) {
		return max(int64(n), before), nil
	}
	return int64(n), nil
}

// existing returns a function that reports whether a KeaReservation of a "namespace/name" exists for a
// device, of whatever provider configuration: several may lead to one Kea. It is asked of the cache,
// for as many as the servers have.
func (r *orphansReconciler) existing(ctx context.Context) func(string, kea.HWAddress) (bool, error) {
	mg := &v1alpha1.KeaReservation{}
	return func(resource string, hw kea.HWAddress) (bool, error) {
		namespace, name, _ := strings.Cut(resource, "/")
		err := r.configs.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, mg, client.UnsafeDisableDeepCopy)
		if kerrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, fmt.Errorf("cannot get KeaReservation %s: %w", resource, err)
		}
		return IsFor(mg, hw), nil
	}
}

// IsFor reports whether a KeaReservation is for a device.
func IsFor(mg *v1alpha1.KeaReservation, hw kea.HWAddress) bool {
	parsed, err := kea.ParseHWAddress(mg.Spec.ForProvider.HWAddress)
	return err == nil && parsed == hw
}

// report writes the number of orphans, if it has changed.
func (r *orphansReconciler) report(ctx context.Context, pc config, n int64) error {
	before := pc.DeepCopyObject().(config) //nolint:forcetypeassert // A copy is of the same type.
	pc.SetOrphans(n)
	return r.configs.patchStatus(ctx, pc, before)
}
