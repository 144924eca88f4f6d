// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// Kinds that steps look at.
var (
	provider           = schema.GroupVersionKind{Group: "pkg.crossplane.io", Version: "v1", Kind: "Provider"}
	providerRevision   = provider.GroupVersion().WithKind("ProviderRevision")
	function           = provider.GroupVersion().WithKind("Function")
	resourceDefinition = schema.GroupVersionKind{Group: "apiextensions.crossplane.io", Version: "v2", Kind: "CompositeResourceDefinition"}
	host               = schema.GroupVersionKind{Group: "platform.example.org", Version: "v1alpha1", Kind: "Host"}
	pod                = schema.GroupVersionKind{Version: "v1", Kind: "Pod"}
	keaReservation     = v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KeaReservationKind)
)

// list lists objects of any kind.
func (w *world) list(ctx context.Context, gvk schema.GroupVersionKind, o ...client.ListOption) ([]metav1.PartialObjectMetadata, error) {
	l := &metav1.PartialObjectMetadataList{}
	l.SetGroupVersionKind(gvk.GroupVersion().WithKind(gvk.Kind + "List"))
	err := w.client.List(ctx, l, o...)
	return l.Items, err
}

// none is an error while there are objects of a kind.
func (w *world) none(ctx context.Context, gvk schema.GroupVersionKind, o ...client.ListOption) error {
	items, err := w.list(ctx, gvk, o...)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		return fmt.Errorf("there is %s %s, with the finalizers %v", gvk.Kind, items[0].Name, items[0].Finalizers)
	}
	return nil
}
