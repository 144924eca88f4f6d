// SPDX-License-Identifier: Apache-2.0

package gate

import (
	"context"
	"fmt"

	authv1 "k8s.io/api/authorization/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// A Permission is one that the provider needs in all namespaces.
type Permission struct {
	verb        string
	resource    schema.GroupResource
	subresource string
}

// Secrets is how permissions name them.
var Secrets = schema.GroupResource{Resource: "secrets"}

// May returns the permission for a verb on a resource.
func May(verb string, r schema.GroupResource) Permission {
	return Permission{verb: verb, resource: r}
}

// MayWatch returns the permissions that an informer needs to sync.
func MayWatch(r schema.GroupResource) []Permission {
	return []Permission{May("list", r), May("watch", r)}
}

// Sub returns the same permission for a subresource.
func (p Permission) Sub(resource string) Permission {
	p.subresource = resource
	return p
}

// on returns the resource as messages name it.
func (p Permission) on() string {
	if p.subresource == "" {
		return p.resource.String()
	}
	return p.resource.String() + "/" + p.subresource
}

// byCrossplane reports whether Crossplane's RBAC manager grants the permission: it lets a provider
// watch CRDs, do everything with Secrets, and everything with its own kinds but delete them.
func (p Permission) byCrossplane() bool {
	switch p.resource.Group {
	case extv1.GroupName:
		return true
	case v1alpha1.Group:
		return p.verb != "delete"
	default:
		return p.resource == Secrets
	}
}

// toSeeCRDs is what the gate itself needs: without it every kind would seem to be
// missing.
var toSeeCRDs = MayWatch(schema.GroupResource{Group: extv1.GroupName, Resource: "customresourcedefinitions"})

// access asks the API server what the provider may do. It has no state.
type access struct {
	reviews authclient.SelfSubjectAccessReviewInterface
}

// allowed reports whether the provider has a permission.
func (a *access) allowed(ctx context.Context, p Permission) (bool, error) {
	review := &authv1.SelfSubjectAccessReview{Spec: authv1.SelfSubjectAccessReviewSpec{
		ResourceAttributes: &authv1.ResourceAttributes{
			Verb:        p.verb,
			Group:       p.resource.Group,
			Resource:    p.resource.Resource,
			Subresource: p.subresource,
		},
	}}
	got, err := a.reviews.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("cannot ask whether the provider may %s %s: %w", p.verb, p.on(), err)
	}
	return got.Status.Allowed, nil
}
