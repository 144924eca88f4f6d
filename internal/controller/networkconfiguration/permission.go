// SPDX-License-Identifier: Apache-2.0

package networkconfiguration

import (
	"context"
	"fmt"
	"slices"

	authv1 "k8s.io/api/authorization/v1"
	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	authclient "k8s.io/client-go/kubernetes/typed/authorization/v1"

	"github.com/vitistack/provider-kea/internal/vitistack"
)

// A permission is something that the provider has to be allowed, in all
// namespaces.
type permission struct {
	verb        string
	resource    schema.GroupResource
	subresource string
}

func (p permission) String() string {
	if p.subresource == "" {
		return p.verb + " " + p.resource.String()
	}
	return p.verb + " " + schema.GroupResource{Group: p.resource.Group, Resource: p.resource.Resource + "/" + p.subresource}.String()
}

// What the controller needs to find out whether VitiStack is there, and to work
// with it. Without the first it would seem not to be there; without the second
// informers would not get going.
var (
	toSeeKinds = toWatch(schema.GroupResource{Group: extv1.GroupName, Resource: "customresourcedefinitions"})
	toServe    = slices.Concat(
		toWatch(vitistack.NetworkConfigurationResource),
		[]permission{{verb: "patch", resource: vitistack.NetworkConfigurationResource, subresource: "status"}},
		toWatch(vitistack.NetworkNamespaceResource),
	)
)

// toWatch is what an informer needs.
func toWatch(r schema.GroupResource) []permission {
	return []permission{{verb: "list", resource: r}, {verb: "watch", resource: r}}
}

// access asks what the provider may do.
type access struct {
	reviews authclient.SelfSubjectAccessReviewInterface
}

// lacking returns those permissions that the provider does not have.
func (a *access) lacking(ctx context.Context, needed []permission) ([]string, error) {
	var out []string
	for _, p := range needed {
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
			return nil, fmt.Errorf("cannot ask whether the provider may %s: %w", p, err)
		}
		if !got.Status.Allowed {
			out = append(out, p.String())
		}
	}
	return out, nil
}
