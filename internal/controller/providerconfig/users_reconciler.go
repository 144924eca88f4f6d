// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	usage "github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/providerconfig"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/gate"
)

// inUseFinalizer keeps a provider configuration while it is used. It has the name of
// crossplane-runtime's, which counts ProviderConfigUsages instead: an object for each managed
// resource, which here would be a fourth of all writes.
const inUseFinalizer = "in-use.crossplane.io"

const (
	// usersDelay lets many changes be reported at once.
	usersDelay = time.Second
	// recountInterval is how often users are counted while KeaReservations are not watched.
	recountInterval = 10 * time.Second
	// recheckInterval is how often a deleted configuration is looked at that is in use. When the last
	// of its users goes, it is looked at soon.
	recheckInterval = time.Minute
)

// reasonInUse is the reason of the event about a deletion that waits for users.
const reasonInUse event.Reason = "InUse"

// usersReconciler reports how many KeaReservations use a provider configuration, and lets it go when
// it is deleted and not used any more. It may run for several provider configurations at the same
// time.
type usersReconciler struct {
	configs   configs
	finder    finder
	users     *Users
	shard     connection.Shard
	kind      string
	newConfig func() config
	recorder  event.Recorder
}

// Reconcile a provider configuration.
func (r *usersReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ref := connection.Ref{Kind: r.kind, Namespace: req.Namespace, Name: req.Name}
	pc := r.newConfig()
	if err := r.configs.read(ctx, req.NamespacedName, pc); err != nil {
		if kerrors.IsNotFound(err) {
			r.users.forget(ref)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	if !r.shard.Has(pc.GetLabels()) {
		r.users.forget(ref)
		return ctrl.Result{}, nil
	}
	if meta.WasDeleted(pc) {
		return r.release(ctx, ref, pc)
	}
	n, known := r.users.count(ref)
	if !known {
		return ctrl.Result{RequeueAfter: recountInterval}, nil
	}
	if n > 0 {
		// It has the finalizer since before it was opened, unless that was taken away.
		if err := r.configs.protect(ctx, pc); err != nil {
			return ctrl.Result{}, err
		}
	}
	return ctrl.Result{}, r.report(ctx, pc, n)
}

// release lets a deleted provider configuration go, or says why it stays.
func (r *usersReconciler) release(ctx context.Context, ref connection.Ref, pc config) (ctrl.Result, error) {
	if !meta.FinalizerExists(pc, inUseFinalizer) {
		return ctrl.Result{}, nil
	}
	if r.users.close(ref, pc.GetUID()) {
		return ctrl.Result{RequeueAfter: usersDelay}, nil
	}
	used, err := true, error(nil)
	if r.users.lookDue(ref, time.Now()) {
		used, err = r.finder.inUse(ctx, ref, pc)
	}
	n, known := r.users.count(ref)
	switch {
	case kerrors.IsForbidden(err):
		return ctrl.Result{RequeueAfter: permissionDelay}, r.report(ctx, pc, pc.GetUsers(), terminating(pc, "cannot list KeaReservations or get namespaces, to find out whether it is used: "+gate.ApplyClusterRole))
	case err != nil:
		return ctrl.Result{}, err
	case used && !known:
		return ctrl.Result{RequeueAfter: recountInterval}, r.report(ctx, pc, pc.GetUsers(), terminating(pc, inUseMessage(ref, 0)))
	case used:
		return ctrl.Result{RequeueAfter: recheckInterval}, r.report(ctx, pc, n, terminating(pc, inUseMessage(ref, n)))
	}
	if err := r.configs.release(ctx, pc); err != nil {
		return ctrl.Result{}, fmt.Errorf("cannot remove the finalizer of %s: %w", ref, err)
	}
	return ctrl.Result{}, nil
}

// terminating is the condition of a provider configuration that is deleted and stays.
func terminating(pc config, message string) xpv2.Condition {
	return usage.Terminating().WithMessage(message).WithObservedGeneration(pc.GetGeneration())
}

// inUseMessage says how many users keep a provider configuration, if that is known, and how to find
// them.
func inUseMessage(ref connection.Ref, n int64) string {
	who, where := "KeaReservations use", "--all-namespaces"
	switch {
	case n == 1:
		who = "1 KeaReservation uses"
	case n > 1:
		who = fmt.Sprintf("%d KeaReservations use", n)
	}
	if ref.Namespace != "" {
		where = "--namespace=" + ref.Namespace
	}
	return fmt.Sprintf("%s it: delete them first, kubectl get keareservations %s --field-selector=%s=%s,%s=%s lists them",
		who, where, fieldConfigKind, ref.Kind, fieldConfigName, ref.Name)
}

// report writes the number of users, and conditions, if they have changed.
func (r *usersReconciler) report(ctx context.Context, pc config, n int64, conditions ...xpv2.Condition) error {
	before := pc.DeepCopyObject().(config) //nolint:forcetypeassert // A copy is of the same type.
	pc.SetUsers(n)
	pc.SetConditions(conditions...)
	for _, c := range conditions {
		if before.GetCondition(c.Type).Status != corev1.ConditionTrue {
			r.recorder.Event(pc, event.Warning(reasonInUse, errors.New(c.Message)))
		}
	}
	return r.configs.patchStatus(ctx, pc, before)
}
