// SPDX-License-Identifier: Apache-2.0

package connection

import (
	"maps"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/vitistack/provider-kea/apis/v1alpha1"
)

func mustParseShard(t *testing.T, selector string) Shard {
	t.Helper()
	s, err := ParseShard(selector)
	if err != nil {
		t.Fatalf("ParseShard(%q): %v", selector, err)
	}
	return s
}

func TestShardServes(t *testing.T) {
	t.Parallel()
	s := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	in := func(shard string) map[string]string { return map[string]string{"shard": shard} }
	reader := fake.NewClientBuilder().WithScheme(s).WithObjects(
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "a", Labels: in("a")}},
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "b", Labels: in("b")}},
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "c", Labels: in("c")}},
		&v1alpha1.ClusterProviderConfig{ObjectMeta: metav1.ObjectMeta{Name: "unlabelled"}},
		&v1alpha1.ProviderConfig{ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: "b", Labels: in("a")}},
	).Build()
	const all, a, b, rest = "", "shard=a", "shard=b", "shard notin (a,b)"
	cluster := func(name string) Ref { return Ref{Kind: v1alpha1.ClusterProviderConfigKind, Name: name} }
	cases := map[string]struct {
		reason string
		ref    Ref
		want   string // the one of the three shards
	}{
		"Labelled":   {reason: "A configuration is served by the shard that its labels name.", ref: cluster("a"), want: a},
		"Other":      {reason: "And by no other.", ref: cluster("b"), want: b},
		"Rest":       {reason: "A shard may be what no other one is.", ref: cluster("c"), want: rest},
		"Unlabelled": {reason: "Without labels too there is one.", ref: cluster("unlabelled"), want: rest},
		"Namespaced": {reason: "A ProviderConfig is not the ClusterProviderConfig of its name.", ref: Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "ns", Name: "b"}, want: a},
		"Missing":    {reason: "One that does not exist is without labels.", ref: cluster("missing"), want: rest},
		"Elsewhere":  {reason: "One of another namespace does not exist here.", ref: Ref{Kind: v1alpha1.ProviderConfigKind, Namespace: "other", Name: "b"}, want: rest},
		"None":       {reason: "What refers to none is reported by one.", want: rest},
		"Unknown":    {reason: "So is a kind that there is not.", ref: Ref{Kind: "Secret", Name: "a"}, want: rest},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := map[string]bool{all: true, a: false, b: false, rest: false}
			want[tc.want] = true
			got := map[string]bool{}
			for selector := range maps.Keys(want) {
				serves, err := mustParseShard(t, selector).Serves(t.Context(), reader, tc.ref)
				if err != nil {
					t.Error(err)
				}
				got[selector] = serves
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s\nServes(%s): -want, +got:\n%s", tc.reason, tc.ref, diff)
			}
		})
	}
}

func TestShardLeaseName(t *testing.T) {
	t.Parallel()
	const base = "crossplane-leader-election-provider-kea"
	cases := map[string]struct {
		reason string
		a, b   string
		same   bool
	}{
		"Same":     {reason: "The name should follow from the selector.", a: "shard=a", b: "shard=a", same: true},
		"Spelling": {reason: "Selectors that mean the same should have one Lease.", a: "shard in (b,a), x!=y", b: "x notin (y),shard in (a, b)", same: true},
		"Equals":   {reason: "There are three ways to say that a label has a value.", a: "shard==a", b: "shard in (a)", same: true},
		"Value":    {reason: "Two shards have to work at the same time.", a: "shard=a", b: "shard=b"},
		"Rest":     {reason: "So do a shard and what is not in it.", a: "shard=a", b: "shard!=a"},
		"Exists":   {reason: "A label that is there is not a value of it.", a: "shard", b: "!shard"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := mustParseShard(t, tc.a).LeaseName(base), mustParseShard(t, tc.b).LeaseName(base)
			if (a == b) != tc.same {
				t.Errorf("%s\n%q has %s, %q has %s", tc.reason, tc.a, a, tc.b, b)
			}
			if errs := validation.IsDNS1123Subdomain(a); len(errs) > 0 || a == base {
				t.Errorf("%q has %s: %v", tc.a, a, errs)
			}
		})
	}
	if got := mustParseShard(t, " ").LeaseName(base); got != base {
		t.Errorf("Without a selector the Lease is %s, want %s", got, base)
	}
}

func TestParseShardRefuses(t *testing.T) {
	t.Parallel()
	for _, selector := range []string{"shard=a=b", "shard in a", "-shard=a"} {
		if _, err := ParseShard(selector); err == nil {
			t.Errorf("ParseShard(%q): want an error", selector)
		}
	}
}
