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

// A Permission is something that the provider has to be allowed, in all
// namespaces.
type Permission struct {
	verb        string
	resource    schema.GroupResource
	subresource string
}

// May is the permission to do something with a resource.
func May(verb string, r schema.GroupResource) Permission {
	return Permission{verb: verb, resource: r}
}

// MayWatch is what an informer needs. Without it an informer does not get going.
func MayWatch(r schema.GroupResource) []Permission {
	return []Permission{May("list", r), May("watch", r)}
}

// Sub is the same permission for a subresource.
func (p Permission) Sub(resource string) Permission {
	p.subresource = resource
	return p
}

// on is what the permission is about, as it stands in messages.
func (p Permission) on() string {
	if p.subresource == "" {
		return p.resource.String()
	}
	return p.resource.String() + "/" + p.subresource
}

// byCrossplane tells whether Crossplane's RBAC manager grants the permission: it
// lets a provider watch CRDs, and do all with its own kinds but delete them.
func (p Permission) byCrossplane() bool {
	return p.resource.Group == extv1.GroupName || p.resource.Group == v1alpha1.Group && p.verb != "delete"
}

// toSeeCRDs is what the gate itself needs: without it every kind would seem not
// to be there.
var toSeeCRDs = MayWatch(schema.GroupResource{Group: extv1.GroupName, Resource: "customresourcedefinitions"})

// access asks what the provider may do.
type access struct {
	reviews authclient.SelfSubjectAccessReviewInterface
}

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
