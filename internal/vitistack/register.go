// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	crds "github.com/vitistack/crds/pkg/v1alpha1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of the kinds in this package.
var GroupVersion = crds.GroupVersion

// Kinds of this package.
const (
	NetworkConfigurationKind = "NetworkConfiguration"
	NetworkNamespaceKind     = "NetworkNamespace"
)

// Resources of this package, for permissions.
var (
	NetworkConfigurationResource = schema.GroupResource{Group: crds.GroupVersion.Group, Resource: "networkconfigurations"}
	NetworkNamespaceResource     = schema.GroupResource{Group: crds.GroupVersion.Group, Resource: "networknamespaces"}
)

// NetworkConfigurationGroupVersionKind is how owner references name a
// NetworkConfiguration.
var NetworkConfigurationGroupVersionKind = GroupVersion.WithKind(NetworkConfigurationKind)

// AddToScheme adds the kinds of this package to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion,
		&NetworkConfiguration{}, &NetworkConfigurationList{},
		&NetworkNamespace{}, &NetworkNamespaceList{},
	)
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}
