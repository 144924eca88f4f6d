// SPDX-License-Identifier: Apache-2.0

package vitistack

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// GroupVersion of NetworkConfigurations, in every release of VitiStack.
var GroupVersion = schema.GroupVersion{Group: "vitistack.io", Version: "v1alpha1"}

// NetworkNamespaceVersions are the versions of NetworkNamespaces that the types fit, the best one
// first: it is the one that is stored, so that reading it does not depend on a conversion webhook.
var NetworkNamespaceVersions = []string{"v1alpha2", "v1alpha1"}

// Kinds of this package.
const (
	NetworkConfigurationKind = "NetworkConfiguration"
	NetworkNamespaceKind     = "NetworkNamespace"
)

// Resources of this package, for permissions.
var (
	NetworkConfigurationResource = schema.GroupResource{Group: GroupVersion.Group, Resource: "networkconfigurations"}
	NetworkNamespaceResource     = schema.GroupResource{Group: GroupVersion.Group, Resource: "networknamespaces"}
)

// NetworkConfigurationGroupVersionKind is how owner references name a
// NetworkConfiguration.
var NetworkConfigurationGroupVersionKind = GroupVersion.WithKind(NetworkConfigurationKind)

// AddToScheme adds NetworkConfigurations to a scheme.
func AddToScheme(s *runtime.Scheme) error {
	s.AddKnownTypes(GroupVersion, &NetworkConfiguration{}, &NetworkConfigurationList{})
	metav1.AddToGroupVersion(s, GroupVersion)
	return nil
}

// AddNetworkNamespaces adds NetworkNamespaces to a scheme in one of their versions. The scheme must
// not have them in another: a client would not know which one to use.
func AddNetworkNamespaces(s *runtime.Scheme, version string) {
	gv := schema.GroupVersion{Group: GroupVersion.Group, Version: version}
	s.AddKnownTypes(gv, &NetworkNamespace{}, &NetworkNamespaceList{})
	metav1.AddToGroupVersion(s, gv)
}
