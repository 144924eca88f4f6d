// SPDX-License-Identifier: Apache-2.0

package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Takeover is what may be taken over of the reservations that Kea has already.
type Takeover string

// What may be taken over.
const (
	TakeoverNever    Takeover = "Never"
	TakeoverUnmarked Takeover = "Unmarked"
	TakeoverAny      Takeover = "Any"
)

// An Access allows some namespaces some subnets.
type Access struct {
	// Namespaces are the namespaces that this is for, by their labels. All if it is
	// left out.
	// +optional
	Namespaces *NamespaceSelector `json:"namespaces,omitempty"`

	// Subnets are IPv4 prefixes, for example 10.64.0.0/16. What is allowed are the
	// subnets of Kea that are inside one of them. All if it is left out.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:MaxLength=18
	// +kubebuilder:validation:items:XValidation:rule="isCIDR(self) && cidr(self).ip().family() == 4",message="a subnet must be an IPv4 prefix: write it as address/length, for example 10.64.0.0/16"
	// +kubebuilder:validation:items:XValidation:rule="!isCIDR(self) || cidr(self).ip().family() != 4 || cidr(self) == cidr(self).masked()",message="a subnet has host bits set: write the network address, for example 10.64.0.0/16 and not 10.64.0.5/16"
	Subnets []string `json:"subnets,omitzero"`

	// Adopt is what may be taken over of the reservations that Kea has already.
	// Never: none. Unmarked: those that belong to no resource. Any: with the
	// annotation kea.crossplane.io/adopt also those of other resources.
	// +optional
	// +kubebuilder:validation:Enum=Never;Unmarked;Any
	// +kubebuilder:default=Unmarked
	Adopt Takeover `json:"adopt,omitempty"`
}

// A NamespaceSelector selects namespaces by their labels, as a label selector of
// Kubernetes does: all that it names must be so. An empty one selects all.
type NamespaceSelector struct {
	// MatchLabels are labels that a namespace must have.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	MatchLabels map[string]string `json:"matchLabels,omitempty"`

	// MatchExpressions are what else must be so of a namespace's labels.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	MatchExpressions []NamespaceExpression `json:"matchExpressions,omitempty"`
}

// A NamespaceExpression is about one label of a namespace.
//
// +kubebuilder:validation:XValidation:rule="self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : !has(self.values) || size(self.values) == 0",message="operator In or NotIn needs values, and Exists or DoesNotExist takes none: write for example {key: team, operator: In, values: [web]}"
type NamespaceExpression struct {
	// Key of the label.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=317
	Key string `json:"key"`

	// Operator says what must be so: In and NotIn of the label's value, Exists and
	// DoesNotExist of the label.
	// +kubebuilder:validation:Enum=In;NotIn;Exists;DoesNotExist
	Operator metav1.LabelSelectorOperator `json:"operator"`

	// Values for In and NotIn.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Values []string `json:"values,omitempty"`
}
