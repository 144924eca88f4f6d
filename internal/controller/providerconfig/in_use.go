// SPDX-License-Identifier: Apache-2.0

package providerconfig

import (
	"context"
	"fmt"

	"github.com/crossplane/crossplane-runtime/v2/pkg/meta"
	"github.com/crossplane/crossplane-runtime/v2/pkg/reconciler/managed"
	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	corev1 "k8s.io/api/core/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	kerrors "k8s.io/apimachinery/pkg/api/errors"
	apimeta "k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
	"github.com/vitistack/provider-kea/internal/connection"
)

// IsUser reports whether a KeaReservation is a user of its provider configuration: it needs the
// configuration to be removed from Kea. One that may not use its subnet must not keep the
// configuration from being deleted, unless Kea has something of it. That is what the status says:
// annotations and finalizers can be set by anyone who may create one.
func IsUser(mg *v1alpha1.KeaReservation) bool {
	if !meta.FinalizerExists(mg, managed.FinalizerName) {
		return false
	}
	return inKea(mg) || mg.GetCondition(xpv2.TypeReady).Reason != v1alpha1.ReasonNotAllowed
}

// inKea reports whether Kea had a reservation of a KeaReservation when it was last observed. It may
// be one without an address.
func inKea(mg *v1alpha1.KeaReservation) bool {
	return mg.Status.AtProvider.IPAddress != "" || mg.Status.AtProvider.HWAddress != ""
}

// MayBeInKea reports whether Kea may have a reservation of a KeaReservation: crossplane-runtime
// writes the annotation before one is created, and the status after that.
func MayBeInKea(mg *v1alpha1.KeaReservation) bool {
	return inKea(mg) || !meta.GetExternalCreatePending(mg).IsZero()
}

// IsNew reports whether a KeaReservation would begin to use its provider configuration: nothing says
// that Kea has something of it. A configuration that is being deleted does not get it as a user.
func IsNew(mg *v1alpha1.KeaReservation) bool { return !IsUser(mg) || !MayBeInKea(mg) }

// Fields of KeaReservations that the API server can select them by.
const (
	fieldConfigKind = "spec.providerConfigRef.kind"
	fieldConfigName = "spec.providerConfigRef.name"
)

// usersPage is how many KeaReservations are listed at once.
const usersPage = 100

// finder finds users of provider configurations in the API server, not in a cache: a configuration
// must not go because a cache lags behind, has not been filled, or must not be.
type finder struct {
	reader client.Reader
}

// inUse reports whether a provider configuration that is being deleted has a user. Without a CRD of
// KeaReservations there is none.
func (f finder) inUse(ctx context.Context, ref connection.Ref, pc config) (bool, error) {
	all := []client.ListOption{client.InNamespace(ref.Namespace), client.Limit(usersPage)}
	its := append([]client.ListOption{client.MatchingFields{fieldConfigKind: ref.Kind, fieldConfigName: ref.Name}}, all...)
	used, err := f.anyOf(ctx, ref, pc, its)
	if kerrors.IsBadRequest(err) {
		// Kubernetes before 1.31, or a CRD of an older version, cannot select by these fields.
		used, err = f.anyOf(ctx, ref, pc, all)
	}
	if !kerrors.IsNotFound(err) && !apimeta.IsNoMatchError(err) {
		return used, err
	}
	exists, crdErr := f.crdExists(ctx)
	if crdErr != nil || !exists {
		return false, crdErr
	}
	return false, err
}

// anyOf reports whether there is a user of a provider configuration among the KeaReservations that
// are listed.
func (f finder) anyOf(ctx context.Context, ref connection.Ref, pc config, opts []client.ListOption) (bool, error) {
	barred := map[string]bool{}
	for token := ""; ; {
		l := &v1alpha1.KeaReservationList{}
		if err := f.reader.List(ctx, l, append(opts, client.Continue(token))...); err != nil {
			return false, fmt.Errorf("cannot list KeaReservations to find users of the provider configuration: %w", err)
		}
		for i := range l.Items {
			mg := &l.Items[i]
			if connection.RefOf(mg) != ref || !IsUser(mg) || refused(mg, pc) {
				continue
			}
			// The status is the provider's alone.
			if inKea(mg) {
				return true, nil
			}
			if err := f.look(ctx, pc, mg.Namespace, barred); err != nil || !barred[mg.Namespace] {
				return true, err
			}
		}
		if token = l.GetContinue(); token == "" {
			return false, nil
		}
	}
}

// refused reports whether a KeaReservation has been refused from the beginning, as it was created
// after the configuration was deleted.
func refused(mg *v1alpha1.KeaReservation, pc config) bool {
	return IsNew(mg) && mg.GetCreationTimestamp().After(pc.GetDeletionTimestamp().Time)
}

// look finds out whether a namespace may use nothing of a provider configuration, unless that was
// done: what pretends to be a user there, with a finalizer and paused, must not keep it.
func (f finder) look(ctx context.Context, pc config, namespace string, barred map[string]bool) error {
	cluster, ok := pc.(*v1alpha1.ClusterProviderConfig)
	if _, known := barred[namespace]; known || !ok || len(cluster.Spec.Access) == 0 {
		return nil
	}
	ns := &corev1.Namespace{}
	if err := f.reader.Get(ctx, client.ObjectKey{Name: namespace}, ns); err != nil {
		return fmt.Errorf("cannot get namespace %s, whose labels spec.access names: %w", namespace, err)
	}
	barred[namespace] = len(connection.GrantOf(cluster.Spec.Access, ns.GetLabels()).Rules) == 0
	return nil
}

// crdExists reports whether there is a CRD of KeaReservations: a kind may be not served for a moment.
// Without Crossplane the provider may list CRDs, but not get one.
func (f finder) crdExists(ctx context.Context) (bool, error) {
	l := &metav1.PartialObjectMetadataList{}
	l.SetGroupVersionKind(extv1.SchemeGroupVersion.WithKind("CustomResourceDefinitionList"))
	err := f.reader.List(ctx, l, client.MatchingFields{metav1.ObjectNameField: v1alpha1.KeaReservationGroupResource.String()})
	if err != nil {
		return false, fmt.Errorf("cannot list CustomResourceDefinitions to find that of KeaReservations: %w", err)
	}
	return len(l.Items) > 0, nil
}
