// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"fmt"
	"strings"

	"github.com/crossplane/crossplane-runtime/v2/pkg/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

// Ref names a provider configuration. Namespace is empty for a ClusterProviderConfig, and for a
// ProviderConfig whose namespace is that of the resource that will use it, see In.
type Ref struct {
	Kind, Namespace, Name string
}

// DefaultRef is used where no provider configuration is named. The API has it as the default of
// spec.providerConfigRef.
var DefaultRef = Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: "default"}

// RefOf returns the provider configuration that a KeaReservation refers to. What the reference leaves
// out, or all of it if there is none, is taken from DefaultRef: the API server fills it in, so that is
// for objects that it has not seen.
func RefOf(mg *v1alpha1.KeaReservation) Ref {
	ref, r := DefaultRef, mg.GetProviderConfigReference()
	if r != nil && r.Kind != "" {
		ref.Kind = r.Kind
	}
	if r != nil && r.Name != "" {
		ref.Name = r.Name
	}
	return ref.In(mg.GetNamespace())
}

// ParseRef reads <Kind>/<name>, with blanks around it or not. The result has no namespace. The error
// says what to write; where that is to be written, and what is there, is the caller's to say.
func ParseRef(s string) (Ref, error) {
	kind, name, _ := strings.Cut(strings.TrimSpace(s), "/")
	known := kind == v1alpha1.ProviderConfigKind || kind == v1alpha1.ClusterProviderConfigKind
	if !known || len(validation.IsDNS1123Subdomain(name)) > 0 {
		return Ref{}, fmt.Errorf("write <Kind>/<name>, for example %s/default or %s/default", v1alpha1.ClusterProviderConfigKind, v1alpha1.ProviderConfigKind)
	}
	return Ref{Kind: kind, Name: name}, nil
}

// In returns what the reference means in a namespace: a ProviderConfig is looked up there, a
// ClusterProviderConfig is the same in each.
func (r Ref) In(namespace string) Ref {
	r.Namespace = namespace
	if r.Kind == v1alpha1.ClusterProviderConfigKind {
		r.Namespace = ""
	}
	return r
}

// Empty returns a provider configuration of the kind to read into; nil if there is no such kind.
func (r Ref) Empty() resource.ProviderConfig {
	switch r.Kind {
	case v1alpha1.ClusterProviderConfigKind:
		return &v1alpha1.ClusterProviderConfig{}
	case v1alpha1.ProviderConfigKind:
		return &v1alpha1.ProviderConfig{}
	default:
		return nil
	}
}

// Key returns a text that no other provider configuration has, for indexes.
func (r Ref) Key() string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

// String returns the kind and the name, for messages.
func (r Ref) String() string { return fmt.Sprintf("%s %q", r.Kind, r.Name) }
