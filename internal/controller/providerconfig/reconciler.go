// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/event"
	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
	"github.com/vitistack/provider-kea/internal/group"
)

// config is what ProviderConfig and ClusterProviderConfig have in common.
type config interface {
	resource.ProviderConfig
	GetSpec() *v1alpha1.ProviderConfigSpec
	GetServers() []v1alpha1.ServerStatus
	SetServers(s []v1alpha1.ServerStatus, serving string)
	GetOrphans() int64
	SetOrphans(n int64)
}

// permissionDelay is the interval of retries for a missing permission: there is no
// event when it is granted.
const permissionDelay = 10 * time.Second

// reconciler opens the group that a provider configuration describes, and reports
// the state of its servers in the status. It may run for several provider
// configurations at the same time.
type reconciler struct {
	configs configs
	// reader reads from the API server, not from a cache: Secrets are not cached,
	// and namespaces are read too seldom to watch them all.
	reader    client.Reader
	groups    *connection.Groups
	shard     connection.Shard
	network   connection.Network
	kind      string
	newConfig func() config
	// running is the context of the groups, which ends with the manager.
	running  context.Context //nolint:containedctx // See above.
	cluster  *cluster
	recorder event.Recorder
}

// Reconcile a provider configuration.
func (r *reconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	ref := connection.Ref{Kind: r.kind, Namespace: req.Namespace, Name: req.Name}
	pc := r.newConfig()
	if err := r.configs.read(ctx, req.NamespacedName, pc); err != nil {
		if kerrors.IsNotFound(err) {
			r.groups.Close(ref)
			return ctrl.Result{}, nil
		}
		return ctrl.Result{}, fmt.Errorf("cannot get %s: %w", ref, err)
	}
	if !r.shard.Has(pc.GetLabels()) {
		// It is another process's, which may write its status now.
		r.groups.Release(ref)
		return ctrl.Result{}, nil
	}
	a, err := r.open(ctx, ref, pc)
	if err != nil {
		return ctrl.Result{}, err
	}
	res := ctrl.Result{}
	if a.forbidden {
		res.RequeueAfter = permissionDelay
	}
	if a.group == nil {
		return res, r.writeStatus(ctx, pc, unusable(pc, a.reason, a.err))
	}
	facts := a.group.Servers()
	if !a.group.Probed() {
		wait, one := untilReport(facts, time.Now())
		if !one {
			// The group calls its listeners when it has probed its servers.
			return res, nil
		}
		if wait > 0 {
			res.RequeueAfter = wait
			return res, nil
		}
	}
	st := statusOf(asReported(facts, pc.GetServers()))
	keepLastKnown(st.servers, facts, pc.GetServers())
	warnOfPlainLogins(pc.GetSpec(), st.servers)
	return res, r.writeStatus(ctx, pc, st)
}

// attempt is the outcome of opening a group.
type attempt struct {
	// group is nil if the configuration cannot be used as it is; then err says why, and
	// reason is that of the Ready condition.
	group  *group.Group
	reason xpv2.ConditionReason
	err    error
	// forbidden means that the API server refuses something that is needed, be it for
	// one server only.
	forbidden bool
}

// open returns the group of a provider configuration, or why it cannot be used as it
// is. An error is to be retried.
func (r *reconciler) open(ctx context.Context, ref connection.Ref, pc config) (attempt, error) {
	// Before it can have a user.
	err := r.configs.protect(ctx, pc)
	var id string
	if err == nil {
		id, err = r.cluster.id(ctx)
	}
	if kerrors.IsForbidden(err) {
		return r.fail(ref, v1alpha1.ReasonNoPermission, err), nil
	}
	if err != nil {
		return attempt{}, err
	}
	names := connection.SecretNames(pc.GetSpec(), ref.Namespace)
	found, forbidden, err := readSecrets(ctx, r.reader, names)
	if err != nil {
		return attempt{}, err
	}
	cfg, fp, err := connection.Resolve(pc.GetSpec(), ref.Namespace, found)
	if len(found) < len(names) {
		var running *group.Group
		if running, err = r.lastGroup(ctx, ref, pc, err); running != nil {
			return attempt{group: running}, nil
		}
	}
	if err != nil {
		return r.fail(ref, v1alpha1.ReasonSecretUnusable, err), nil
	}
	cfg.Cluster = id
	r.network.Apply(ref, &cfg)
	g, departed, invalid := r.groups.Open(r.running, ref, cfg, fp) //nolint:contextcheck // A group outlives the reconcile.
	r.reportDepartures(pc, id, departed)
	return attempt{group: g, reason: v1alpha1.ReasonInvalid, err: invalid, forbidden: forbidden}, nil
}

// reasonStaysBehind is the reason of the event about a server that is no longer used.
const reasonStaysBehind event.Reason = "ReservationsStayBehind"

// reportDepartures reports reservations on servers that are no longer used: the provider removes
// nothing there.
func (r *reconciler) reportDepartures(pc config, cluster string, departed []group.Departure) {
	for _, d := range departed {
		if d.Reservations == 0 || pc.GetSpec().Hosts.Shared {
			continue
		}
		r.recorder.Event(pc, event.Normal(reasonStaysBehind, fmt.Sprintf("server %s is no longer used at %s; %d reservations of this cluster stay there: "+
			"to find them, send reservation-get-page to it and look for %q in user-context", d.Server, d.URL, d.Reservations, cluster)))
	}
}

// fail records why a provider configuration cannot be used.
func (r *reconciler) fail(ref connection.Ref, reason xpv2.ConditionReason, err error) attempt {
	r.groups.Fail(ref, fmt.Errorf("cannot use %s: %w", ref, err))
	return attempt{reason: reason, err: err, forbidden: kerrors.IsForbidden(err)}
}

// lastGroup returns the running group although a Secret is missing: if the
// namespace is being deleted, the Secret may be gone first, and reservations have
// yet to be removed from Kea. If there is none, the error is that of Resolve, or
// says what to do.
func (r *reconciler) lastGroup(ctx context.Context, ref connection.Ref, pc config, resolved error) (*group.Group, error) {
	terminating := r.namespaceTerminating(ctx, pc)
	running, ok := r.groups.Running(ref)
	switch {
	case ok && (terminating || meta.WasDeleted(pc)):
		return running, nil
	case terminating && resolved != nil:
		return nil, errSecretWentFirst
	default:
		return nil, resolved
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

// readSecrets returns the Secrets that exist, and whether the provider may not read
// one of them.
func readSecrets(ctx context.Context, reader client.Reader, names []types.NamespacedName) (found connection.Secrets, forbidden bool, err error) {
	found = connection.Secrets{}
	for _, n := range names {
		s := &corev1.Secret{}
		err := reader.Get(ctx, n, s)
		switch {
		case kerrors.IsNotFound(err):
		case kerrors.IsForbidden(err):
			forbidden = true
			found[n] = connection.Secret{Err: err}
		case err != nil:
			return nil, false, fmt.Errorf("cannot get Secret %s: %w", n, err)
		default:
			found[n] = connection.Secret{Data: s.Data}
		}
	}
	return found, forbidden, nil
}

// writeStatus writes the status, if it has changed.
func (r *reconciler) writeStatus(ctx context.Context, pc config, st status) error {
	before := pc.DeepCopyObject().(config) //nolint:forcetypeassert // A copy is of the same type.
	pc.SetConditions(st.ready.WithObservedGeneration(pc.GetGeneration()), st.healthy.WithObservedGeneration(pc.GetGeneration()))
	pc.SetServers(st.servers, st.serving)
	return r.configs.patchStatus(ctx, pc, before)
}
