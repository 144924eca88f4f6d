// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"testing"

	xpv2 "github.com/crossplane/crossplane/apis/v2/core/v2"
	"github.com/google/go-cmp/cmp"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

func TestRefOf(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		reason string
		in     *xpv2.ProviderConfigReference
		want   Ref
	}{
		"Cluster":    {reason: "A ClusterProviderConfig has no namespace.", in: &xpv2.ProviderConfigReference{Kind: v1alpha1.ClusterProviderConfigKind, Name: "a"}, want: Ref{Kind: "ClusterProviderConfig", Name: "a"}},
		"Namespaced": {reason: "A ProviderConfig is in the namespace of what refers to it.", in: &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind, Name: "a"}, want: Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}},
		"None":       {reason: "The API's default, for an object that the API server has not seen.", want: Ref{Kind: "ClusterProviderConfig", Name: "default"}},
		"NoKind":     {reason: "Each part has its default.", in: &xpv2.ProviderConfigReference{Name: "a"}, want: Ref{Kind: "ClusterProviderConfig", Name: "a"}},
		"NoName":     {reason: "Each part has its default.", in: &xpv2.ProviderConfigReference{Kind: v1alpha1.ProviderConfigKind}, want: Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "default"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mg := &v1alpha1.KeaReservation{}
			mg.Namespace, mg.Spec.ProviderConfigReference = "ns", tc.in
			if diff := cmp.Diff(tc.want, RefOf(mg)); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
	if got := (Ref{Kind: "ProviderConfig", Namespace: "ns", Name: "a"}).String(); got != `ProviderConfig "a"` {
		t.Errorf("messages call it %s", got)
	}
}

func TestParseRef(t *testing.T) {
	t.Parallel()
	const remedy = "write <Kind>/<name>, for example ClusterProviderConfig/default or ProviderConfig/default"
	cases := map[string]struct {
		reason string
		in     string
		want   Ref
		err    string
	}{
		"Cluster":    {reason: "One of all namespaces.", in: "ClusterProviderConfig/default", want: Ref{Kind: "ClusterProviderConfig", Name: "default"}},
		"Namespaced": {reason: "The namespace is that of what will use it.", in: "ProviderConfig/kea", want: Ref{Kind: "ProviderConfig", Name: "kea"}},
		"Blanks":     {reason: "An annotation may have been edited by hand.", in: " ProviderConfig/kea\n", want: Ref{Kind: "ProviderConfig", Name: "kea"}},
		"Empty":      {reason: "Nothing is not the default.", err: remedy},
		"NoKind":     {reason: "A name alone does not say the kind.", in: "default", err: remedy},
		"OtherKind":  {reason: "Another kind does not configure the provider.", in: "Secret/default", err: remedy},
		"NoName":     {reason: "A kind alone does not say which.", in: "ProviderConfig/", err: remedy},
		"NotAName":   {reason: "No object has such a name.", in: "ProviderConfig/ns/kea", err: remedy},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := ParseRef(tc.in)
			if !hasText(err, tc.err) {
				t.Fatalf("%s\nerror %v, want %q", tc.reason, err, tc.err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("%s\n-want +got:\n%s", tc.reason, diff)
			}
		})
	}
}
