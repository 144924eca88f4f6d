// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// usageFinalizer keeps a usage until its KeaReservation is gone. Without it a
// deleted namespace, or a foreground deletion, takes the usage first, then the
// provider configuration, and the reservation is left without the means to leave
// Kea (crossplane-runtime#1049, crossplane#4661).
const usageFinalizer = v1alpha1.Group + "/usage"

// Track records that a KeaReservation uses its provider configuration, pc. It
// writes only if the record is missing or names another one. A configuration that
// is being deleted cannot get a new user: its deletion would never end.
func Track(ctx context.Context, c client.Client, mg *v1alpha1.KeaReservation, pc resource.ProviderConfig) error {
	want := usageOf(mg)
	have := &v1alpha1.ProviderConfigUsage{}
	err := c.Get(ctx, client.ObjectKeyFromObject(want), have)
	// The labels are what counts: see countingClient.
	same := have.ProviderConfigReference == want.ProviderConfigReference &&
		have.Labels[xpv2.LabelKeyProviderKind] == want.Labels[xpv2.LabelKeyProviderKind] && have.Labels[xpv2.LabelKeyProviderName] == want.Labels[xpv2.LabelKeyProviderName]
	uses := err == nil && (same || meta.WasDeleted(have))
	switch {
	case resource.IgnoreNotFound(err) != nil:
		return fmt.Errorf("cannot get the record of use of the provider configuration: %w", err)
	case uses:
		return nil
	case meta.WasDeleted(pc):
		ref := connection.RefOf(mg.GetNamespace(), &want.ProviderConfigReference)
		return fmt.Errorf("cannot begin to use %s, which is being deleted: create it again once it is gone, or name another in spec.providerConfigRef", ref)
	case err != nil:
		if err := c.Create(ctx, want); err != nil && !kerrors.IsAlreadyExists(err) {
			return fmt.Errorf("cannot record the use of the provider configuration: %w", err)
		}
		return nil
	}
	have = have.DeepCopy()
	have.Labels, have.ProviderConfigReference = want.Labels, want.ProviderConfigReference
	if err := c.Update(ctx, have); err != nil {
		return fmt.Errorf("cannot record the use of the provider configuration: %w", err)
	}
	return nil
}

// usageOf is like what crossplane-runtime's ProviderConfigUsageTracker makes,
// with the finalizer, and without blockOwnerDeletion: a foreground deletion would
// wait for the usage, and the usage for the reservation.
func usageOf(mg *v1alpha1.KeaReservation) *v1alpha1.ProviderConfigUsage {
	ref := *mg.GetProviderConfigReference()
	owner := meta.AsController(meta.TypedReferenceTo(mg, v1alpha1.KeaReservationGroupVersionKind))
	owner.BlockOwnerDeletion = nil
	return &v1alpha1.ProviderConfigUsage{
		ObjectMeta: metav1.ObjectMeta{
			Namespace:       mg.GetNamespace(),
			Name:            string(mg.GetUID()),
			Labels:          map[string]string{xpv2.LabelKeyProviderKind: ref.Kind, xpv2.LabelKeyProviderName: ref.Name},
			Finalizers:      []string{usageFinalizer},
			OwnerReferences: []metav1.OwnerReference{owner},
		},
		TypedProviderConfigUsage: xpv2.TypedProviderConfigUsage{
			ProviderConfigReference: ref,
			ResourceReference: xpv2.TypedReference{
				APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: v1alpha1.KeaReservationKind, Name: mg.GetName(),
			},
		},
	}
}

// recheckInterval is how often a deleted usage is reconciled while its
// KeaReservation exists. An event does that sooner, once KeaReservations are
// watched.
const recheckInterval = time.Minute

// usageReconciler deletes a usage, and removes the finalizer of a deleted one, once
// its KeaReservation is gone.
type usageReconciler struct {
	client client.Client

	// watching means that the client has KeaReservations in its cache. It would block
	// for a kind that it may not watch, and fail for one that is new.
	watching atomic.Bool
	// crdExists reports whether there is a CRD of KeaReservations.
	crdExists func(ctx context.Context) (bool, error)
}

// Reconcile a usage.
func (r *usageReconciler) Reconcile(ctx context.Context, req ctrl.Request) (ctrl.Result, error) {
	u := &v1alpha1.ProviderConfigUsage{}
	if err := r.client.Get(ctx, req.NamespacedName, u); err != nil {
		if err = resource.IgnoreNotFound(err); err != nil {
			err = fmt.Errorf("cannot get ProviderConfigUsage: %w", err)
		}
		return ctrl.Result{}, err
	}
	if !meta.FinalizerExists(u, usageFinalizer) {
		return ctrl.Result{}, nil
	}
	exists, err := r.ownerExists(ctx, u)
	switch {
	case err != nil:
		return ctrl.Result{}, err
	case exists && meta.WasDeleted(u):
		return ctrl.Result{RequeueAfter: recheckInterval}, nil
	case exists:
		return ctrl.Result{}, nil
	case !meta.WasDeleted(u):
		return ctrl.Result{}, r.delete(ctx, u)
	}
	u = u.DeepCopy()
	meta.RemoveFinalizer(u, usageFinalizer)
	if err := resource.IgnoreNotFound(r.client.Update(ctx, u)); err != nil {
		return ctrl.Result{}, fmt.Errorf("cannot remove the finalizer of ProviderConfigUsage: %w", err)
	}
	return ctrl.Result{}, nil
}

// delete deletes a usage whose KeaReservation is gone. Kubernetes does that too, but
// it may take minutes if the CRD is gone. Without the permission, that is waited for.
func (r *usageReconciler) delete(ctx context.Context, u *v1alpha1.ProviderConfigUsage) error {
	uid := u.GetUID()
	err := r.client.Delete(ctx, u, client.Preconditions{UID: &uid})
	if resource.IgnoreNotFound(err) == nil || kerrors.IsForbidden(err) {
		return nil
	}
	return fmt.Errorf("cannot delete ProviderConfigUsage: %w", err)
}

// ownerExists reports whether the KeaReservation of a usage exists, or might.
func (r *usageReconciler) ownerExists(ctx context.Context, u *v1alpha1.ProviderConfigUsage) (bool, error) {
	if !r.watching.Load() {
		return r.crdExists(ctx)
	}
	mg, err := r.owner(ctx, u)
	return mg != nil, err
}

// backed reports whether a usage is that of a KeaReservation, which uses what the labels of the usage
// name; or might be. Anyone may have made it who may create usages.
func (r *usageReconciler) backed(ctx context.Context, u *v1alpha1.ProviderConfigUsage) (bool, error) {
	if !r.watching.Load() {
		return true, nil
	}
	mg, err := r.owner(ctx, u)
	if err != nil || mg == nil {
		return false, err
	}
	ref := connection.RefOf(mg.GetNamespace(), mg.GetProviderConfigReference())
	return u.Labels[xpv2.LabelKeyProviderKind] == ref.Kind && u.Labels[xpv2.LabelKeyProviderName] == ref.Name, nil
}

// owner returns the KeaReservation of a usage; nil if it does not exist. KeaReservations must be watched.
func (r *usageReconciler) owner(ctx context.Context, u *v1alpha1.ProviderConfigUsage) (*v1alpha1.KeaReservation, error) {
	mg := &v1alpha1.KeaReservation{}
	err := r.client.Get(ctx, types.NamespacedName{Namespace: u.Namespace, Name: u.ResourceReference.Name}, mg)
	switch {
	case resource.IgnoreNotFound(err) != nil:
		return nil, fmt.Errorf("cannot get KeaReservation %s: %w", u.ResourceReference.Name, err)
	case err == nil && string(mg.GetUID()) == u.Name:
		return mg, nil
	default:
		return nil, nil //nolint:nilnil // There is none, which is no error.
	}
}

// crdExists asks the API server, as a cache may not have a new CRD yet. Without
// Crossplane the provider may list CRDs, but not get one.
func crdExists(reader client.Reader) func(ctx context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		l := &metav1.PartialObjectMetadataList{}
		l.SetGroupVersionKind(extv1.SchemeGroupVersion.WithKind("CustomResourceDefinitionList"))
		err := reader.List(ctx, l, client.MatchingFields{metav1.ObjectNameField: v1alpha1.KeaReservationGroupResource.String()})
		if err != nil {
			return false, fmt.Errorf("cannot list CustomResourceDefinitions to find that of KeaReservations: %w", err)
		}
		return len(l.Items) > 0, nil
	}
}
