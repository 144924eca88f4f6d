// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/group"
)

// config is what ProviderConfig and ClusterProviderConfig have in common.
type config interface {
	resource.ProviderConfig
	GetSpec() *v1alpha1.ProviderConfigSpec
	GetServers() []v1alpha1.ServerStatus
	SetServers(s []v1alpha1.ServerStatus)
}

// permissionDelay is the interval of retries for a missing permission: there is no
// event when it is granted.
const permissionDelay = 10 * time.Second

// reconciler opens the connection that a provider configuration describes, and
// reports the state of its servers in the status. It may run for several provider
// configurations at the same time.
type reconciler struct {
	client client.Client
	// reader reads from the API server, not from a cache: Secrets are not cached,
	// and namespaces are read too seldom to watch them all.
	reader      client.Reader
	connections *Connections
	kind        string
	newConfig   func() config
	// running is the context of the connections, which ends with the manager.
	running context.Context //nolint:containedctx // See above.
	cluster *cluster
}

// Reconcile a provider configuration.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ref := Ref{Kind: r.kind, Namespace: req.Namespace, Name: req.Name}
	pc := r.newConfig()
	if err := r.client.Get(ctx, req.NamespacedName, pc); err != nil {
		if kerrors.IsNotFound(err) {
			r.connections.set(ref, nil)
			forgetCommands(ref)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	g, reason, err := r.connect(ctx, ref, pc)
	if err != nil && reason == "" {
		return ctrl.Result{}, err
	}
	if err != nil {
		res := ctrl.Result{}
		if kerrors.IsForbidden(err) {
			res.RequeueAfter = permissionDelay
		}
		return res, r.writeStatus(ctx, pc, unusable(reason, err), lastKnown(pc.GetSpec(), pc.GetServers()))
	}
	if !g.Probed() {
		// The group calls its listeners when it has probed its servers.
		return ctrl.Result{}, nil
	}
	ready, servers := statusOf(g.Servers())
	return ctrl.Result{}, r.writeStatus(ctx, pc, ready, servers)
}

// connect returns the group of a provider configuration. If it cannot be used as it
// is, the error comes with the reason for the Ready condition; an error without is
// to be retried.
func (r *reconciler) connect(ctx context.Context, ref Ref, pc config) (*group.Group, xpv2.ConditionReason, error) {
	id, err := r.cluster.id(ctx)
	if kerrors.IsForbidden(err) {
		r.connections.fail(ref, fmt.Errorf("cannot use %s: %w", ref, err))
		return nil, v1alpha1.ReasonNoPermission, err
	}
	if err != nil {
		return nil, "", err
	}
	spec := pc.GetSpec()
	names, err := secretRefs(spec, ref.Namespace)
	if err != nil {
		r.connections.fail(ref, fmt.Errorf("cannot use %s: %w", ref, err))
		return nil, v1alpha1.ReasonSecretUnusable, err
	}
	found, err := r.readSecrets(ctx, names)
	if kerrors.IsForbidden(err) {
		r.connections.fail(ref, fmt.Errorf("cannot use %s: %w", ref, err))
		return nil, v1alpha1.ReasonSecretUnusable, err
	}
	if err != nil {
		return nil, "", err
	}
	cfg, fp, err := groupConfig(spec, ref.Namespace, found)
	if err != nil && len(found) < len(set(names)) {
		var g *group.Group
		if g, err = r.lastConnection(ctx, ref, pc, err); err == nil {
			return g, "", nil
		}
	}
	if err != nil {
		r.connections.fail(ref, fmt.Errorf("cannot use %s: %w", ref, err))
		if errors.Is(err, errSeveralServers) {
			return nil, v1alpha1.ReasonNotSupported, err
		}
		return nil, v1alpha1.ReasonSecretUnusable, err
	}
	cfg.Cluster = id
	observeCommands(&cfg, ref)
	g, err := r.connections.open(r.running, ref, cfg, fp) //nolint:contextcheck // A connection outlives the reconcile.
	if err != nil {
		return nil, v1alpha1.ReasonInvalid, err
	}
	return g, "", nil
}

// lastConnection returns the running group although a Secret is missing: if the
// namespace is being deleted, the Secret may be gone first, and reservations have
// yet to be removed from Kea. If there is none, the error says what to do.
func (r *reconciler) lastConnection(ctx context.Context, ref Ref, pc config, missing error) (*group.Group, error) {
	terminating := r.namespaceTerminating(ctx, pc)
	e, ok := r.connections.lookup(ref)
	switch {
	case ok && e.group != nil && (terminating || meta.WasDeleted(pc)):
		return e.group, nil
	case terminating:
		return nil, errSecretWentFirst
	default:
		return nil, missing
	}
}

// errSecretWentFirst is for a provider that was started while a namespace is being
// deleted: nothing can be created there again.
var errSecretWentFirst = errors.New("cannot talk to Kea without a Secret that was deleted with its namespace: " +
	`set spec.managementPolicies of the remaining KeaReservations to ["Observe"], so that they can be deleted, and remove their reservations from Kea`)

// namespaceTerminating reports whether the namespace of a provider configuration is
// being deleted: the configuration may be the last of its objects to be.
func (r *reconciler) namespaceTerminating(ctx context.Context, pc config) bool {
	if pc.GetNamespace() == "" {
		return false
	}
	ns := &corev1.Namespace{}
	err := r.reader.Get(ctx, types.NamespacedName{Name: pc.GetNamespace()}, ns)
	return err == nil && meta.WasDeleted(ns)
}

// readSecrets returns the Secrets that exist.
func (r *reconciler) readSecrets(ctx context.Context, names []types.NamespacedName) (secrets, error) {
	out := secrets{}
	for _, n := range names {
		s := &corev1.Secret{}
		err := r.reader.Get(ctx, n, s)
		if kerrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("cannot get Secret %s: %w", n, err)
		}
		out[n] = s
	}
	return out, nil
}

// set returns the names as a set.
func set(names []types.NamespacedName) map[types.NamespacedName]bool {
	out := map[types.NamespacedName]bool{}
	for _, n := range names {
		out[n] = true
	}
	return out
}

// writeStatus writes the condition and the servers, if they have changed.
func (r *reconciler) writeStatus(ctx context.Context, pc config, ready xpv2.Condition, servers []v1alpha1.ServerStatus) error {
	before := pc.DeepCopyObject().(config) //nolint:forcetypeassert // A copy is of the same type.
	pc.SetConditions(ready.WithObservedGeneration(pc.GetGeneration()))
	pc.SetServers(servers)
	if equality.Semantic.DeepEqual(before, pc) {
		return nil
	}
	// crossplane-runtime's reconciler counts users in the same status: a stale
	// write must fail rather than undo what it wrote. A configuration that is gone
	// meanwhile needs no status.
	err := r.client.Status().Patch(ctx, pc, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{}))
	if resource.IgnoreNotFound(err) != nil {
		return fmt.Errorf("cannot write the status: %w", err)
	}
	return nil
}
